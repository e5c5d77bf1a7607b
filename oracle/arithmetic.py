"""Double-double arithmetic: vectors of unevaluated sums of two float64 numbers, about 106 bits.

The oracle's statistics and running buffers go through here, so that its own error stays below one
unit in the last place of float64 however many steps a program has. The error-free transformations
are those of Dekker (1971) and Knuth (TAOCP 2, 4.2.2), as in Higham, Accuracy and Stability, ch. 4.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, Tuple

import numpy as np

_SPLITTER = 134217729.0
"""2**27 + 1 cuts a float64 into two halves of 26 bits (Veltkamp)."""


class DoubleDouble(NamedTuple):
    """A vector, shape (C,), of values ``high + low`` with ``|low| <= ulp(high) / 2``."""

    high: np.ndarray
    low: np.ndarray


def exact(values: np.ndarray) -> DoubleDouble:
    """float64 values as they are."""
    return DoubleDouble(values, np.zeros_like(values))


def two_sum(a: np.ndarray, b: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """``a + b`` rounded, and its rounding error: exact as a pair."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: np.ndarray, b: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """``a * b`` rounded, and its rounding error: exact as a pair while nothing underflows."""
    product = a * b
    a_scaled, b_scaled = _SPLITTER * a, _SPLITTER * b
    a_high = a_scaled - (a_scaled - a)
    b_high = b_scaled - (b_scaled - b)
    a_low, b_low = a - a_high, b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def _renormalised(high: np.ndarray, low: np.ndarray) -> DoubleDouble:
    if not np.isfinite(high).all():
        # An infinite or NaN value has no rounding error, but inf - inf would make it NaN.
        low = np.where(np.isfinite(high), low, 0.0)
        total = high + low
        return DoubleDouble(total, np.where(np.isfinite(high), low - (total - high), 0.0))
    total = high + low
    return DoubleDouble(total, low - (total - high))


def add(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble:
    """``a + b``."""
    high, low = two_sum(a.high, b.high)
    return _renormalised(high, low + (a.low + b.low))


def multiply(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble:
    """``a * b``."""
    high, low = two_product(a.high, b.high)
    return _renormalised(high, low + (a.high * b.low + a.low * b.high))


def scale(a: DoubleDouble, factor: Fraction) -> DoubleDouble:
    """``a * factor`` for an exact rational factor."""
    high = float(factor)
    low = float(factor - Fraction(high))
    shape = np.shape(a.high)
    return multiply(a, DoubleDouble(np.full(shape, high), np.full(shape, low)))
