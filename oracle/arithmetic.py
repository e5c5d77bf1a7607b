"""Double-double arithmetic: vectors of unevaluated sums of two float64 numbers, about 106 bits.

The oracle's statistics and running buffers go through here, so that its own error stays below one
unit in the last place of float64 however many steps a program has. The error-free transformations
are those of Dekker (1971) and Knuth (TAOCP 2, 4.2.2), as in Higham, Accuracy and Stability, ch. 4.
"""

from __future__ import annotations

import math
from typing import Any, Iterator, List, NamedTuple, Tuple, Union

import numpy as np

Value = Union[float, np.ndarray]

_SPLITTER = 134217729.0
"""2**27 + 1 cuts a float64 into two halves of 26 bits (Veltkamp)."""


class DoubleDouble(NamedTuple):
    """A vector, shape (C,), of values ``high + low`` with ``|low| <= ulp(high) / 2``."""

    high: np.ndarray
    low: np.ndarray


def exact(values: np.ndarray) -> DoubleDouble:
    """float64 values as they are."""
    return DoubleDouble(values, np.zeros_like(values))


def two_sum(a: Value, b: Value) -> Tuple[Any, Any]:
    """``a + b`` rounded, and its rounding error: exact as a pair."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: Value, b: Value) -> Tuple[Any, Any]:
    """``a * b`` rounded, and its rounding error: exact as a pair while nothing underflows."""
    product = a * b
    a_scaled, b_scaled = _SPLITTER * a, _SPLITTER * b
    a_high = a_scaled - (a_scaled - a)
    b_high = b_scaled - (b_scaled - b)
    a_low, b_low = a - a_high, b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


UNIT_BITS = 2200
"""``exact_sums`` counts in units of 2**-UNIT_BITS, of which every float64 number and every product
of two is a whole number."""

_BLOCK = 8192
"""Columns summed at a time, so that they stay in the processor's cache."""


def _blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    count = values.shape[1]
    return (values[:, start : start + _BLOCK] for start in range(0, count, _BLOCK))


def _add_exactly(sums: List[int], rest: np.ndarray) -> None:
    """Cuts off the bits above a grid so coarse that no partial sum rounds, and sums these; until
    nothing is left (Rump, Ogita & Oishi, SIAM J. Sci. Comput. 31 (2008), section 3)."""
    guard = rest.shape[1].bit_length()
    largest = np.abs(rest).max(axis=1)
    while largest.any():
        # Multiples of ulp(sigma)/2, of which 2**guard are below sigma: exact in any order.
        sigma = np.ldexp(1.0, np.frexp(largest)[1] + guard)[:, None]
        cut = (sigma + rest) - sigma
        for row, part in enumerate(cut.sum(axis=1).tolist()):
            numerator, denominator = part.as_integer_ratio()
            sums[row] += numerator << (UNIT_BITS + 1 - denominator.bit_length())
        rest = rest - cut
        largest = np.abs(rest).max(axis=1)


def exact_sums(values: np.ndarray) -> List[int]:
    """The sum of each row without any rounding, as an integer in units of 2**-UNIT_BITS.

    ``values``: float64, finite, at most 2**900 in magnitude, shape (rows, count).
    """
    sums = [0] * len(values)
    for block in _blocks(values):
        _add_exactly(sums, block)
    return sums


def exact_square_sums(values: np.ndarray) -> List[int]:
    """The same of the squares of values that are at most 2**450 in magnitude."""
    sums = [0] * len(values)
    for block in _blocks(values):
        for part in two_product(block, block):
            _add_exactly(sums, part)
    return sums


def quotient(numerator: int, denominator: int) -> Tuple[float, float]:
    """The double-double next to a ratio of integers: it rounded, and the rest rounded.

    Infinite where the ratio is beyond float64's range.
    """
    try:
        high = numerator / denominator
    except OverflowError:
        return math.copysign(math.inf, numerator), 0.0
    over, under = high.as_integer_ratio()
    return high, (numerator * under - over * denominator) / (denominator * under)


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


def scale(a: DoubleDouble, factor: float, rest: float = 0.0) -> DoubleDouble:
    """``a * (factor + rest)``, where ``rest`` is below the last place of ``factor``."""
    high, low = two_product(a.high, factor)
    low = low + a.low * factor
    return _renormalised(high, low + a.high * rest if rest else low)
