"""Tests for values with which no operation rounds, whatever the order of the operations.

Dyadic numbers whose sums need few bits have statistics without any rounding error. The functions here
prove it for the given numbers; ``oracle.numerics.bounds`` says what follows.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray

HALF = 26
"""float64 represents the product of two numbers of this many significant bits."""


def representable(values: Array, bits: int) -> Array:
    """Whether each value has at most ``bits`` significant bits (underflow aside)."""
    scaled = np.ldexp(np.frexp(values)[0], bits)
    return np.asarray(scaled == np.rint(scaled))


def _grid(values: Array) -> float:
    """Return the largest power of two, from 2**-40 to 2**10, that divides every value; else 0."""
    units = np.ldexp(values, 40)
    if not (np.isfinite(units) & (np.abs(units) < 2.0**62)).all() or (units != np.rint(units)).any():
        return 0.0
    bits = int(np.bitwise_or.reduce(np.abs(units).astype(np.int64)))
    lowest = bits & -bits
    return float(np.ldexp(float(lowest), -40)) if 0 < lowest < 2**50 else 2.0**10


def _sums_exactly(values: Array, bits: int) -> bool:
    """Whether every partial sum of the values, in any order, is representable in ``bits`` bits."""
    grid = _grid(values)
    return grid > 0.0 and float(np.abs(values).sum()) <= np.ldexp(grid, bits)


def exact_in_any_order(x: Array, mean: float, bits: int) -> bool:
    """Whether mean, biased and unbiased variance of one channel come out without any rounding.

    ``x``: its values in float64, shape (n,). True when all values are finite and no partial sum of the
    values, of their deviations, or of the squared deviations needs more than ``bits`` bits, and the
    quotients need no more either.
    """
    count = len(x)
    if count < 2 or not np.isfinite(x).all():
        return False
    squares = (x - mean) ** 2
    if not (_sums_exactly(x, bits) and _sums_exactly(squares, bits)):
        return False
    total = float(squares.sum())
    # In whole grid units a quotient without a remainder is dyadic.
    units = total / _grid(squares)
    whole = units % count == 0 and units % (count - 1) == 0
    whole = whole or (total % count == 0 and total % (count - 1) == 0)
    results = np.array([mean, total / count, total / (count - 1)])
    return whole and mean * count == float(x.sum()) and bool(representable(results, bits).all())


def exactly_averaged(old: Array, new: Array, factor: float, bits: int) -> Array:
    """Say where (1 - factor) * old + factor * new is computed without any rounding. Shapes (C,)."""
    keep = 1.0 - factor
    factors = np.array([factor, keep])
    if keep + factor != 1.0 or not representable(factors, min(bits, HALF)).all():
        return np.zeros(len(old), dtype=bool)
    kept, taken = keep * old, factor * new
    total = kept + taken
    exact = representable(old, HALF) & representable(new, HALF)  # the products are exact
    exact &= (total - kept == taken) & (total - taken == kept)  # the sum is exact
    for part in (kept, taken, total):
        exact &= representable(part, bits)
    return np.asarray(exact)
