"""How far a correct implementation may be from the oracle: a priori bounds, no hand-picked tolerance.

Notation. u is the unit roundoff of the arithmetic (half the distance from 1 to the next number),
gamma(k) = k*u / (1 - k*u) bounds the relative effect of k roundings (Higham, Accuracy and Stability
of Numerical Algorithms, 2nd ed., lemma 3.1), n is the number of values a channel averages.

Accumulation depth. A sum of n terms has an error of at most gamma(n) * sum|x| in *any* order
(Higham, section 4.2). For large n the bound is replaced by the probabilistic one, gamma(6*sqrt(n)),
which fails with a probability below 2*exp(-18) for independent roundings (Higham & Mary, SIAM J.
Sci. Comput. 41 (2019), theorem 2.4 with lambda = 6); the two meet at n = 36.

Mean. The sum, then one division: |error| <= gamma(k) * mean|x| + u * |mean|.

Biased variance, by any two-pass, pairwise or updating algorithm (Chan, Golub & LeVeque, The
American Statistician 37 (1983)): deviations and squares cost 3 roundings, the sum k, the division
1, and an updating algorithm spends the sum's depth once more on its means: gamma(2k + 4) * var.
Deviations from a mean that is off by d, or from intermediate means that are (Welford), move the
root mean square by at most d (Minkowski), so the variance by 2*d*sqrt(var) + d**2. The textbook
formula mean(x**2) - mean(x)**2 is *not* covered: it is not a correct implementation.

Unbiased variance. The same with n - 1 in place of n, and one more rounding for the factor.

Output. y = (x - m) / s * w + b with s = sqrt(v + eps).
  - The mean's error d moves y by |w| / s * d.
  - The variance's error e moves 1/s up by a factor of at most 1 / sqrt(1 - t) - 1 with
    t = min(e, v) / s**2, and down by at most 1 - 1 / sqrt(1 + e/s**2), both about e / (2*s**2): a
    variance cannot fall below 0. (A running one can, once a momentum outside [0, 1] went into it: then
    t = e / s**2.) The term is |y - b| times the larger. Where v + eps can be 0, anything can come out.
  - The operations themselves, as written above: gamma(4) * |y - b| for the subtraction, the root
    (its argument's roundings count half), the quotient and the product.
  - A kernel may fold the layer into a*x + c with a = w/s and c = b - m*a. Then x is multiplied
    before the mean cancels, so the roundings count against |w|/s * (|x| + |m|) + |b|: gamma(4) of
    that.

Running buffers. r' = (1 - f) * r + f * s: the errors of r and s carried along, gamma(3) of each
term for the factor 1 - f, the product and the sum, and u * |r'| for storing the result.

Exactness. Where every intermediate result is representable, all of these roundings are exact and
the budget is 0: see ``exact_in_any_order`` and ``exactly_averaged``. A kernel that updates
the mean value by value (Welford) rounds in between all the same; the zero applies to eager CPU.

Underflow. Results below the smallest normal number may be rounded to it or flushed to zero, so
every budget that is not 0 has the smallest normal number added.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple, Sequence, Union

import numpy as np

from oracle.arithmetic import two_product, two_sum

Array = np.ndarray
Value = Union[float, np.ndarray]
Bits = Union[int, np.ndarray]

LAMBDA = 6.0
"""Standard deviations allowed to the random walk of n roundings."""

ORACLE_OUTPUT_ROUNDINGS = 8
"""Float64 roundings in the oracle's own output, counted against |w|/s*|x-m| + |b|; see
``normalisation``. Negligible for float32, not for a float64 subject."""


class Rounding(NamedTuple):
    """One floating-point format: its unit roundoff, significand bits, smallest normal and largest
    number. Of several at once: a column of each."""

    unit: Value
    bits: Bits
    tiny: Value
    largest: Value

    @classmethod
    @lru_cache(maxsize=None)
    def of(cls, dtype: np.dtype) -> Rounding:
        """The format of a NumPy floating-point dtype."""
        info = np.finfo(dtype)
        return cls(float(info.eps) / 2, info.nmant + 1, float(info.tiny), float(info.max))

    @classmethod
    def column(cls, formats: Sequence[Rounding]) -> Rounding:
        """Of K formats, for arrays with a row for each: shapes (K, 1); the one itself if all are one."""
        if len(set(formats)) == 1:
            return formats[0]
        unit, bits, tiny, largest = (np.array(numbers)[:, None] for numbers in zip(*formats))
        return cls(unit, bits.astype(np.intc), tiny, largest)  # which alone every platform scales by


FLOAT64 = Rounding.of(np.dtype(np.float64))


def gamma(roundings: float, unit: Value) -> Value:
    """k*u / (1 - k*u)."""
    return roundings * unit / (1.0 - roundings * unit)


def depth(count: int) -> float:
    """The accumulation depth k(n): n in any order, 6*sqrt(n) once that is smaller."""
    return min(float(count), math.ceil(LAMBDA * math.sqrt(count)))


def mean(value: Array, magnitude: Array, sum_depth: float, rounding: Rounding) -> Array:
    """Of the batch mean; ``magnitude`` is mean|x|, ``sum_depth`` is k(n). Shapes (C,)."""
    accumulated = gamma(sum_depth, rounding.unit) * magnitude
    return np.asarray(accumulated + rounding.unit * np.abs(value) + rounding.tiny)


def biased_variance(
    value: Array, mean_budget: Array, sum_depth: float, rounding: Rounding
) -> Array:
    """Of the batch variance that divides by n; ``mean_budget`` is the mean's. Shapes (C,)."""
    relative = gamma(2 * sum_depth + 4, rounding.unit)
    moved = 2 * mean_budget * np.sqrt(value) + mean_budget**2
    return np.asarray(relative * value + moved + rounding.tiny)


def unbiased_variance(value: Array, biased_budget: Array, count: int, rounding: Rounding) -> Array:
    """Of the batch variance that divides by n - 1: the biased one's, rescaled. NaN for one value."""
    if count < 2:
        return np.full_like(value, np.nan)
    return np.asarray(biased_budget * (count / (count - 1)) + gamma(1, rounding.unit) * value)


def running(
    old: Array, old_budget: Array, new: Array, new_budget: Array, factor: Value, rounding: Rounding
) -> Array:
    """Of (1 - factor) * old + factor * new, stored. Shapes (K, C), of ``factor`` (K, 1); or (N, K, C)."""
    keep = abs(1.0 - factor)
    take = abs(factor)
    carried = keep * old_budget + take * new_budget
    spent = gamma(3, rounding.unit) * (keep * np.abs(old) + take * np.abs(new))
    stored = rounding.unit * np.abs((1.0 - factor) * old + factor * new)
    return np.asarray(carried + spent + stored + rounding.tiny)


class OutputBudget(NamedTuple):
    """The output's budget as ``constant + per_deviation * |y - b| + per_input * |x|``.

    One number a channel each, shape (C,), or (K, C) for K outputs: the budget is affine in |y - b|
    and |x|.
    """

    constant: Array
    per_deviation: Array
    per_input: Array


def shortfall(
    variance: Array,
    variance_budget: Array,
    nonnegative: Array,
    eps: Array,
    rounding: Rounding,
) -> Array:
    """How far below v + eps a correct implementation's root may have its argument.

    Shapes (K, C), of ``nonnegative`` and ``eps`` (K, 1).
    """
    lost = np.where(nonnegative, np.minimum(variance_budget, variance), variance_budget)
    # Of two signs the sum may cancel, and then eps's own rounding shows.
    return np.asarray(np.where((variance < 0) | (eps < 0), lost + rounding.unit * np.abs(eps), lost))


def output(
    slope: Array,
    bias: Array,
    mean_value: Array,
    mean_budget: Array,
    total: Array,
    lost: Array,
    variance_budget: Array,
    rounding: Rounding,
) -> OutputBudget:
    """Of y = (x - m) * slope + b, with ``slope`` = w / sqrt(total). Shapes (K, C).

    ``total`` is v + eps and ``lost`` its ``shortfall``; where that reaches 0 the budget says nothing.
    """
    steep = np.abs(slope)
    four = gamma(4, rounding.unit)
    own = gamma(ORACLE_OUTPUT_ROUNDINGS, FLOAT64.unit)
    part = np.where(lost < total, lost / total, 0.0)
    steeper = 1.0 / np.sqrt(1.0 - part) - 1.0
    flatter = 1.0 - 1.0 / np.sqrt(1.0 + np.maximum(variance_budget / total, 0.0))
    constant = steep * mean_budget + four * (steep * np.abs(mean_value) + np.abs(bias))
    return OutputBudget(
        constant=constant + own * np.abs(bias) + rounding.tiny,
        per_deviation=np.maximum(steeper, flatter) + four + own,
        per_input=four * steep,
    )


def _grid(values: Array) -> Array:
    """Of each row the largest power of two, from 2**-40 to 2**10, of which every value is a multiple;
    else 0. ``values``: shape (R, n); the grids: shape (R,), 0 also where a value is not finite."""
    units = np.ldexp(values, 40)
    sizes = np.abs(units)
    none = ((units != np.rint(units)) | (sizes >= 2.0**62)).any(axis=1)
    bits = np.bitwise_or.reduce(np.where(none[:, None], 0, sizes).astype(np.int64), axis=1)
    lowest = bits & -bits
    grid = np.where((lowest > 0) & (lowest < 2**50), np.ldexp(lowest.astype(np.float64), -40), 2.0**10)
    return np.asarray(np.where(none, 0.0, grid))


def _sums_exactly(values: Array, bits: Bits) -> Array:
    """Whether every partial sum of a row, in any order, is representable in ``bits`` bits."""
    grid = _grid(values)
    total = np.abs(values).sum(axis=1)
    return np.asarray((grid > 0.0) & (total <= np.ldexp(grid, bits)))


def representable(value: Value, bits: Bits) -> Array:
    """Whether each value has at most ``bits`` significant bits (underflow aside)."""
    significand = np.frexp(value)[0]
    scaled = np.ldexp(significand, bits)
    return np.asarray(scaled == np.rint(scaled))


def exact_in_any_order(x: Array, mean_of: Array, bits: Bits) -> Array:
    """Whether mean, biased and unbiased variance of each row come out without any rounding.

    ``x``: shape (R, n). ``mean_of``: the means, shape (R,). True when all values are finite and no
    partial sum of them, of their squared deviations, or of the deviations themselves needs more than
    ``bits`` bits, and neither do the quotients.
    """
    count = x.shape[1]
    if count < 2:
        return np.zeros(len(x), dtype=bool)
    deviations = x - mean_of[:, None]
    squares = deviations * deviations
    total = squares.sum(axis=1)
    # In whole grid units a quotient without a remainder is dyadic.
    grid = _grid(squares)
    units = total / np.where(grid > 0.0, grid, 1.0)
    whole = (units % count == 0) & (units % (count - 1) == 0)
    whole |= (total % count == 0) & (total % (count - 1) == 0)
    fits = _sums_exactly(x, bits) & _sums_exactly(squares, bits) & (mean_of * count == x.sum(axis=1))
    for result in (mean_of, total / count, total / (count - 1)):
        fits &= representable(result, bits)
    return np.asarray(fits & whole)


def exactly_averaged(old: Array, new: Array, factor: Array, bits: Bits) -> Array:
    """Where (1 - factor) * old + factor * new is computed without any rounding.

    Shapes (K, C), of ``factor`` and ``bits`` (K, 1).
    """
    keep, keep_error = two_sum(1.0, -factor)
    kept, kept_error = two_product(keep, old)
    taken, taken_error = two_product(factor, new)
    total, total_error = two_sum(kept, taken)
    errors = np.abs(kept_error) + np.abs(taken_error) + np.abs(total_error) + np.abs(keep_error)
    fits = representable(kept, bits) & representable(taken, bits) & representable(total, bits)
    return np.asarray(fits & (errors == 0) & representable(factor, bits) & representable(keep, bits))
