"""Double-double arithmetic: arrays of unevaluated sums of two float64 numbers, about 106 bits.

The oracle's statistics and running buffers go through here, so that its own error stays below one
unit in the last place of float64 however many steps a program has. The error-free transformations
are those of Dekker (1971) and Knuth (TAOCP 2, 4.2.2), as in Higham, Accuracy and Stability, ch. 4.
"""

from __future__ import annotations

import math
from typing import Any, List, NamedTuple, Sequence, Tuple, Union

import numpy as np

Value = Union[float, np.ndarray]

_SPLITTER = 134217729.0
"""2**27 + 1 cuts a float64 into two halves of 26 bits (Veltkamp)."""


class DoubleDouble(NamedTuple):
    """An array of values ``high + low`` with ``|low| <= ulp(high) / 2``."""

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


class ExactSums(NamedTuple):
    """The sums of some values, of their sizes and of their squares, as integers.

    In units of 2**-unit, that of the squares in units of 2**(-2*unit).
    """

    total: int
    sizes: int
    squares: int
    unit: int


SHORT = 1024
"""Up to so many values a row they are added as integers: so many squares of a word fit an int64."""

_WORD = 26
"""Bits of half a float64 significand."""

_CUT_UNIT = 1100
"""Of 2**-_CUT_UNIT every float64 number is a whole multiple."""

_PLAIN = 900
"""Integers of up to so many bits are far enough from float64's range to calculate with."""

_BLOCK = 1 << 13
"""Numbers cut and summed at a time, so that they stay in the processor's cache."""


def _units(values: np.ndarray) -> np.ndarray:
    """Of each row the smallest u for which all its numbers are whole multiples of 2**-u; intc."""
    significands, exponents = np.frexp(values)
    integers = np.ldexp(significands, 53).astype(np.int64)
    lowest_bits = np.frexp((integers & -integers).astype(np.float64))[1] - 1
    units = np.where(integers == 0, -_CUT_UNIT, 53 - lowest_bits - exponents)
    return np.asarray(units.max(axis=1), dtype=np.intc)


def _summed_as_integers(values: np.ndarray) -> List[ExactSums]:
    """Each number becomes a whole multiple of the last place that its row needs."""
    units = _units(values)
    with np.errstate(over="ignore"):
        wholes = np.ldexp(values, units[:, None])
    narrow = np.abs(wholes).max(axis=1) < 1 << 2 * _WORD
    in_words = iter(_summed_in_words(wholes[narrow], units[narrow].tolist()))
    return [
        next(in_words) if each else _summed_one_by_one(values[row], wholes[row], int(units[row]))
        for row, each in enumerate(narrow.tolist())
    ]


def _summed_in_words(wholes: np.ndarray, units: List[int]) -> List[ExactSums]:
    """Of numbers of two words each: no sum of products of these, SHORT of them, exceeds an int64."""
    integers = wholes.astype(np.int64)
    sizes = np.abs(integers)
    high, low = sizes >> _WORD, sizes & ((1 << _WORD) - 1)
    sums = [each.sum(axis=1).tolist() for each in (integers, sizes, high * high, high * low, low * low)]
    return [
        ExactSums(total, size, (upper << 2 * _WORD) + (middle << _WORD + 1) + lower, unit)
        for total, size, upper, middle, lower, unit in zip(*sums, units)
    ]


def _summed_one_by_one(values: np.ndarray, wholes: np.ndarray, unit: int) -> ExactSums:
    row = wholes.tolist()
    if not math.isfinite(max(row) - min(row)):  # too wide for a float64 in these units
        row, unit = _as_wholes(values.tolist()), _CUT_UNIT
    integers = list(map(int, row))
    squares = sum([each * each for each in integers])
    return ExactSums(sum(integers), sum(map(abs, integers)), squares, unit)


def _as_wholes(row: List[float]) -> List[int]:
    """In units of 2**-_CUT_UNIT."""
    ratios = [each.as_integer_ratio() for each in row]
    return [over << (_CUT_UNIT + 1 - under.bit_length()) for over, under in ratios]


def _added_by_cutting(total: int, rest: np.ndarray, bits: int) -> int:
    """``total`` plus the sum, in units of 2**-bits.

    Cuts off the bits above a grid so coarse that no partial sum rounds, and sums these; until
    nothing is left (Rump, Ogita & Oishi, SIAM J. Sci. Comput. 31 (2008), section 3).
    """
    guard = len(rest).bit_length()
    largest = float(np.abs(rest).max())
    while largest:
        # Multiples of ulp(sigma)/2, of which 2**guard are below sigma: exact in any order.
        sigma = math.ldexp(1.0, math.frexp(largest)[1] + guard)
        cut = rest + sigma
        cut -= sigma
        numerator, denominator = float(cut.sum()).as_integer_ratio()
        total += numerator << (bits + 1 - denominator.bit_length())
        rest = rest - cut
        largest = float(np.abs(rest).max())
    return total


def _summed_by_cutting(row: np.ndarray) -> ExactSums:
    """Scaled by a power of two first (which is exact), so that no square overflows or underflows."""
    exponent = int(np.frexp(np.abs(row).max())[1])
    scaled = np.ldexp(row, -exponent)
    total = sizes = squares = 0
    for start in range(0, len(row), _BLOCK):
        block = scaled[start : start + _BLOCK]
        total = _added_by_cutting(total, block, _CUT_UNIT)
        sizes = _added_by_cutting(sizes, np.abs(block), _CUT_UNIT)
        for part in two_product(block, block):
            squares = _added_by_cutting(squares, part, 2 * _CUT_UNIT)
    return ExactSums(total, sizes, squares, _CUT_UNIT - exponent)


def exact_sums(values: np.ndarray) -> List[ExactSums]:
    """The sums of each row without any rounding. ``values``: float64, finite, shape (rows, count).

    The numbers of a row longer than SHORT must be within 2**450 of each other, zeros aside.
    """
    if values.shape[1] <= SHORT:
        return _summed_as_integers(values)
    return [_summed_by_cutting(row) for row in values]


def ratios(numerators: Sequence[int], denominator: int, exponents: np.ndarray) -> DoubleDouble:
    """Of each numerator: numerator / denominator * 2**exponent; infinite beyond float64's range.

    ``exponents``: C integers, which alone every platform scales by.
    """
    if max(map(abs, numerators), default=0) >= 1 << _PLAIN:
        return _ratios_one_by_one(numerators, denominator, exponents.tolist())
    high = np.array(list(map(float, numerators)))
    low = np.array([float(whole - int(near)) for whole, near in zip(numerators, high.tolist())])
    share = high / denominator
    product, error = two_product(share, float(denominator))
    rest = ((high - product) - error + low) / denominator
    with np.errstate(over="ignore", invalid="ignore"):
        high, low = (np.ldexp(part, exponents) for part in two_sum(share, rest))
    return DoubleDouble(high, np.where(np.isfinite(high), low, 0.0))


def _ratios_one_by_one(
    numerators: Sequence[int], denominator: int, exponents: List[int]
) -> DoubleDouble:
    pairs = [
        quotient(numerator << max(exponent, 0), denominator << max(-exponent, 0))
        for numerator, exponent in zip(numerators, exponents)
    ]
    high, low = np.array(pairs, dtype=np.float64).T
    return DoubleDouble(high, low)


def quotient(numerator: int, denominator: int) -> Tuple[float, float]:
    """The double-double next to a ratio of integers: it rounded, and the rest rounded.

    Infinite where the ratio is beyond float64's range.
    """
    try:
        high = numerator / denominator
    except OverflowError:
        return (math.inf if numerator > 0 else -math.inf), 0.0
    over, under = high.as_integer_ratio()
    return high, (numerator * under - over * denominator) / (denominator * under)


def _finite(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """``low``, or 0 where ``high`` has no rounding error because it is infinite or NaN."""
    if math.isfinite(float(np.add.reduce(low, axis=None))):  # as it is only where every term is
        return low
    return np.where(np.isfinite(high), low, 0.0)


def add(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble:
    """``a + b``."""
    total, error = two_sum(a.high, b.high)
    low = _finite(total, error + (a.low + b.low))
    high = total + low
    return DoubleDouble(high, _finite(high, low - (high - total)))


def scale(a: DoubleDouble, factor: Value, rest: Value = 0.0) -> DoubleDouble:
    """``a * (factor + rest)``, where ``rest`` is below the last place of ``factor``.

    Not renormalised: the low part is a few units in the last place of the high one, at most.
    """
    product, error = two_product(a.high, factor)
    return DoubleDouble(product, error + a.low * factor + a.high * rest)
