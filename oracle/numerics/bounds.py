"""A priori bounds on how far a correct implementation may be from the oracle; no hand-picked tolerance.

Notation. u is the unit roundoff of the arithmetic (half the distance from 1 to the next number),
gamma(k) = k*u / (1 - k*u) bounds the relative effect of k roundings (Higham, Accuracy and Stability
of Numerical Algorithms, 2nd ed., lemma 3.1), n is the number of values in a channel. The oracle
computes in float64; every budget includes the oracle's own roundings, with float64's u. A rounding is
relative to the result as it is by then, with the errors that it has already.

Accumulation depth. A sum of n terms has an error of at most gamma(n) * sum|x| in *any* order
(Higham, section 4.2). For large n the bound is replaced by the probabilistic one, gamma(6*sqrt(n)),
which fails with a probability below 2*exp(-18) for independent roundings (Higham & Mary, SIAM J.
Sci. Comput. 41 (2019), theorem 2.4 with lambda = 6); the two meet at n = 36.

Mean. The sum, then one division: |error| <= gamma(k) * mean|x| + u * |mean|. The oracle's sum is
rounded once (``math.fsum``), and so is its quotient: gamma(2) * |mean|.

Biased variance, by any two-pass, pairwise or updating algorithm (Chan, Golub & LeVeque, The
American Statistician 37 (1983)): deviations and squares cost 3 roundings, the sum k, the division
1, and an updating algorithm spends the sum's depth once more on its means: gamma(2k + 4) * var.
Deviations from a mean that is off by d, or from intermediate means that are (Welford), move the
root mean square by at most d (Minkowski), so the variance by 2*d*sqrt(var) + d**2. The textbook
formula mean(x**2) - mean(x)**2 is *not* covered: it is not a correct implementation. The oracle sums
squared deviations exactly: gamma(5) * var, and the square of its mean's error.

Unbiased variance. As the biased one with n - 1 in place of n, and two more roundings for the factor
n/(n - 1) and the product, where the biased variance is rescaled.

Running buffers. r' = (1 - f) * r + f * s: the errors of r and s carried along, gamma(3) of each
term for the factor, the product and the sum, and u * |r'| for storing the result. Where the format
does not hold f, f is rounded before it is subtracted from 1: u * |f * r|, which is large beside
(1 - f) * r where f is close to 1. ``lerp``, r + f * (s - r) for f < 1/2 and s - (s - r) * (1 - f)
otherwise, stays within this. The oracle computes the first formula in float64.

Output. y = (x - m) / s * w + b with s = sqrt(v + eps).
  - The mean's error d moves y by |w| / s * d.
  - The variance's error e raises 1/s, relatively, by at most 1 / sqrt(1 - t) - 1 with
    t = min(e, v) / s**2, and lowers it by at most 1 - 1 / sqrt(1 + e/s**2), both about e / (2*s**2): a
    variance cannot fall below 0. (A running one can, once a momentum outside [0, 1] went into it: then
    t = e / s**2.) The term is |y - b| times the larger. Where v + eps can be 0, any output conforms.
  - The operations themselves, as written above: gamma(4) * |y - b| for the subtraction, the root
    (its argument's roundings count half), the quotient and the product.
  - A kernel may fold the layer into a*x + c with a = w/s and c = b - m*a. Then x is multiplied
    before the mean cancels, so the roundings count against |w|/s * (|x| + |m|) + |b|: gamma(4) of
    that.
  - The oracle's own operations: gamma(8) in float64 of |y - b| + |b|.

Gradients. g is the upstream gradient, dx, dw and db are those of input, weight and bias.
  - db = sum g: gamma(k) * sum|g|, and one rounding for storing.
  - D = sum g*(x - m): gamma(k + 2) * sum|g*(x - m)| for the deviation, the product and the sum, and
    d * sum|g| for the mean's error d. Products may underflow: n times the smallest normal number.
  - dw = D / s: (the error of D) / s + (the inverse root's relative error + gamma(3)) * |dw|.
  - dx in train mode = (g - mean(g) - (x - m) * q) * w / s with q = D / (n * s**2). The errors of mean(g)
    and q are carried through; the inverse root enters q twice and dx once more. Each term has gamma(4)
    of its own size, because the difference may cancel, and so have |q| * |x| and |q| * |m|, for a kernel
    that folds the layer into a*g + b*x + c.
  - dx in eval mode = g * w / s: the inverse root's error and gamma(4).

Narrow formats. float16 and bfloat16 tensors are computed with in float32: storing adds one rounding.

Exactness. Where no operation rounds, every order of operations gives the same bits: see
``exact_in_any_order`` and ``exactly_averaged``. An implementation that declares that it sums exactly,
as torch's eager CPU kernel does, gets a budget of 0 there; others (a sum times 1/n) the derived bound.

Underflow. Results below the smallest normal number may be rounded to it or flushed to zero, so
every budget that is not 0 has the smallest normal number added.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from oracle.numerics.budgeted import Budgeted, Sums
from oracle.numerics.exactness import representable
from oracle.numerics.formats import FLOAT64, Format

Array = np.ndarray

LAMBDA = 6.0
"""The number of standard deviations that the random walk of n roundings is allowed."""

ORACLE_MEAN_ROUNDINGS = 2
ORACLE_VARIANCE_ROUNDINGS = 5
ORACLE_OUTPUT_ROUNDINGS = 8
ORACLE_SUM_ROUNDINGS = 4
"""Float64 roundings in the oracle's own mean, variances, output and sums of g, which budgets include."""


def gamma(roundings: Any, unit: float) -> Any:
    """Return k*u / (1 - k*u)."""
    return roundings * unit / (1.0 - roundings * unit)


def depth(count: int) -> float:
    """Return the accumulation depth k(n): n in any order, 6*sqrt(n) once that is smaller."""
    return min(float(count), math.ceil(LAMBDA * math.sqrt(count)))


def depth_of(terms: Array) -> Array:
    """Return the accumulation depth of the sum of each row, shape (R, n) to (R,).

    Terms that differ by less than a unit in the last place of their sum round alike at every addition, so
    their errors are not independent, and only the bound for any order holds: k = n.
    """
    count = terms.shape[1]
    if not count:
        return np.zeros(len(terms))
    largest = np.abs(terms).max(axis=1)
    alike = np.ptp(terms, axis=1) <= 2 * count * FLOAT64.unit * largest
    return np.where(alike, float(count), depth(count))


def oracle_mean(value: Array) -> Array:
    """Return the bound of the oracle's own error in a batch mean, shape (C,)."""
    return np.asarray(gamma(ORACLE_MEAN_ROUNDINGS, FLOAT64.unit) * np.abs(value))


def oracle_variance(value: Array, mean_value: Array) -> Array:
    """Return the bound of the oracle's own error in a batch variance, shape (C,)."""
    return np.asarray(
        gamma(ORACLE_VARIANCE_ROUNDINGS, FLOAT64.unit) * value + oracle_mean(mean_value) ** 2
    )


def mean(value: Array, magnitude: Array, sum_depth: float, fmt: Format) -> Array:
    """Budget of the batch mean; ``magnitude`` is mean|x|, ``sum_depth`` is k(n). Shapes (C,)."""
    spent = gamma(sum_depth, fmt.unit) * magnitude + fmt.unit * np.abs(value)
    return np.asarray(spent + fmt.tiny + oracle_mean(value))


def biased_variance(
    value: Array, mean_value: Array, mean_budget: Array, sum_depth: float, fmt: Format
) -> Array:
    """Budget of the batch variance that divides by n; ``mean_budget`` is the mean's. Shapes (C,)."""
    moved = 2 * mean_budget * np.sqrt(value) + mean_budget**2
    rounded = gamma(2 * sum_depth + 4, fmt.unit) * (value + moved)
    return np.asarray(moved + rounded + fmt.tiny + oracle_variance(value, mean_value))


def unbiased_variance(value: Array, biased_budget: Array, count: int, fmt: Format) -> Array:
    """Budget of the batch variance that divides by n - 1; NaN for one value per channel. Shapes (C,)."""
    if count < 2:
        return np.full_like(value, np.nan)
    carried = biased_budget * (count / (count - 1))
    return np.asarray(carried + gamma(2, fmt.unit) * (value + carried))


def running(
    old: Array, old_budget: Array, new: Array, new_budget: Array, factor: float, fmt: Format
) -> Array:
    """Budget of (1 - factor) * old + factor * new, computed and stored in ``fmt``. Shapes (C,)."""
    keep, take = abs(1.0 - factor), abs(factor)
    carried = keep * old_budget + take * new_budget
    terms = keep * np.abs(old) + take * np.abs(new) + carried
    result = np.abs((1.0 - factor) * old + factor * new) + carried
    spent = sum(gamma(3, unit) * terms + unit * result for unit in (fmt.unit, FLOAT64.unit))
    if not representable(np.array([factor]), fmt.bits).all():
        carried = carried + fmt.unit * take * (np.abs(old) + old_budget)
    if 0 < take < fmt.tiny:  # the factor is rounded to a multiple of 2 * tiny * unit
        carried = carried + fmt.tiny * fmt.unit * np.abs(new)
    return np.asarray(carried + spent + fmt.tiny)


def stored(value: Array, fmt: Format, budget: Any = 0.0) -> Array:
    """Budget of one rounding, on storing a result of float32 arithmetic in a narrower format.

    ``budget``: how far the result may be from ``value``.
    """
    return np.asarray(fmt.unit * (np.abs(value) + budget + fmt.tiny))


def compounded(error: Array, roundings: Any) -> Array:
    """Return the relative error of a result with a relative error after its operations are rounded."""
    return np.asarray(error + roundings * (1.0 + error))


class OutputBudget(NamedTuple):
    """The output's budget as ``constant + per_deviation * |y - b| + per_input * |x|``.

    The fields have shape (C,), one number per channel: the budget is affine in |y - b| and |x|.
    """

    constant: Array
    per_deviation: Array
    per_input: Array


def shortfall(
    variance: Array, variance_budget: Array, nonnegative: bool, eps: float, fmt: Format
) -> Array:
    """Return how far the argument of a correct root may fall below v + eps. Shapes (C,)."""
    subnormal = np.where(variance + eps == 0, 0.0, fmt.tiny * fmt.unit)
    lost = subnormal + (np.minimum(variance_budget, variance) if nonnegative else variance_budget)
    cancels = (variance < 0) | (eps < 0)  # then the rounding of eps itself shows
    return np.asarray(np.where(cancels, lost + fmt.unit * abs(eps), lost))


def inverse_root(total: Array, lost: Array, variance_budget: Array) -> Array:
    """Return the relative budget of 1 / sqrt(total) due to the variance's error alone. Shapes (C,).

    ``total``: v + eps. ``lost``: its ``shortfall``; where that reaches ``total``, any output conforms.
    """
    part = np.where(lost < total, lost / total, 0.0)
    steeper = 1.0 / np.sqrt(1.0 - part) - 1.0
    flatter = 1.0 - 1.0 / np.sqrt(1.0 + np.maximum(variance_budget / total, 0.0))
    return np.asarray(np.maximum(steeper, flatter))


def output(slope: Array, bias: Array, mean: Budgeted, inverse_error: Array, fmt: Format) -> OutputBudget:
    """Budget of y = (x - m) * slope + b. Shapes (C,).

    ``slope``: w / s. ``mean``: m. ``inverse_error``: the relative error of 1 / s.
    """
    steep = np.abs(slope) * (1.0 + inverse_error)
    four = gamma(4, fmt.unit)
    own = gamma(ORACLE_OUTPUT_ROUNDINGS, FLOAT64.unit)
    constant = steep * mean.budget + four * (steep * np.abs(mean.values) + np.abs(bias))
    return OutputBudget(
        constant=constant + own * np.abs(bias) + fmt.tiny,
        per_deviation=compounded(inverse_error, four + own),
        per_input=four * steep,
    )


class GradientBudget(NamedTuple):
    """The budget of the input's gradient, affine in |g|, |x - m|, |x| and |dx|; fields of shape (C,).

    ``constant + per_upstream * |g| + per_deviation * |x - m| + per_input * |x| + per_gradient * |dx|``.
    """

    constant: Array
    per_upstream: Array
    per_deviation: Array
    per_input: Array
    per_gradient: Array


def upstream_sum(total: Array, magnitude: Array, sum_depth: Array, fmt: Format) -> Array:
    """Budget of sum g, the bias's gradient; ``magnitude`` is sum|g|. Shapes (C,)."""
    relative = gamma(sum_depth, fmt.unit) + gamma(ORACLE_SUM_ROUNDINGS, FLOAT64.unit)
    return np.asarray(relative * magnitude + fmt.unit * np.abs(total) + fmt.tiny)


def product_sum(
    magnitude: Array, upstream: Array, mean_budget: Array, count: int, sum_depth: Array, fmt: Format
) -> Array:
    """Budget of sum g*(x - m); ``magnitude`` is sum|g*(x - m)|, ``upstream`` sum|g|. Shapes (C,)."""
    relative = gamma(sum_depth + 2, fmt.unit) + gamma(ORACLE_SUM_ROUNDINGS, FLOAT64.unit)
    return np.asarray(relative * magnitude + mean_budget * upstream + count * fmt.tiny)


def weight_gradient(
    value: Array, product_budget: Array, inverse: Array, inverse_error: Array, fmt: Format
) -> Array:
    """Budget of sum g*(x - m) / s, the weight's gradient. Shapes (C,)."""
    own = gamma(ORACLE_SUM_ROUNDINGS, FLOAT64.unit)
    relative = compounded(inverse_error, gamma(3, fmt.unit) + own)
    carried = np.abs(inverse) * (1.0 + inverse_error) * product_budget
    return np.asarray(carried + relative * np.abs(value) + fmt.tiny)


def input_gradient(
    sums: Sums,
    slope: Array,
    inverse: Array,
    inverse_error: Array,
    mean: Budgeted,
    fmt: Format,
    quotient: int = 0,
) -> GradientBudget:
    """Budget of (g - mean(g) - (x - m) * q) * w / s, the input's gradient in train mode. Shapes (C,).

    ``slope``: w / s. ``inverse``: 1 / s, ``inverse_error`` its relative error. ``mean``: m. ``quotient``:
    the further roundings of a quotient by n, see ``oracle.numerics.devices``.
    """
    own = gamma(ORACLE_OUTPUT_ROUNDINGS, FLOAT64.unit)
    steep, four = np.abs(slope) * (1.0 + inverse_error), gamma(4, fmt.unit)
    upstream_mean, q = np.abs(sums.upstream_mean), np.abs(sums.q(inverse))
    mean_error = sums.upstream_budget / sums.count + (1 + quotient) * fmt.unit * upstream_mean
    squared_error = (1 + inverse_error) ** 2 - 1
    q_error = sums.products_budget * inverse**2 / sums.count
    q_error += q * (squared_error + gamma(5 + quotient, fmt.unit) + own)
    constant = mean_error + (four + own) * upstream_mean
    constant += mean.budget * (q + q_error)
    constant += four * q * np.abs(mean.values)
    return GradientBudget(
        constant=steep * constant + fmt.tiny,
        per_upstream=steep * (four + own),
        per_deviation=steep * (q_error + (four + own) * q),
        per_input=steep * four * q,
        per_gradient=compounded(inverse_error, four + own),
    )
