"""The propagation of errors through sums and products: budgets follow a computation step by step.

The notation is that of ``oracle.numerics.bounds``. A number is known as its exact value and an error that
a correct implementation stays within. With a and b known up to d and e,

    a + b    is off by at most  d + e + u * (|a| + |b| + d + e)
    a * b    is off by at most  |a| * e + |b| * d + d * e + u * (|a| + d) * (|b| + e) + tiny

and a sum of n terms, in any order, by its terms' errors plus gamma(n) times the sum of their sizes. The
bound of a sum uses the sizes of its terms, not of its result, so their grouping does not matter. A
product that underflows may be flushed to 0; factors that follow enlarge that error as they do any other.
The oracle computes in float64, so each rounding is counted with float64's u once more.

Narrow formats. Where every operation is rounded to 16 bits, a sum is accumulated in float32, but taken
over the images, then along the rows, then over the rows, and rounded each time (observed in double
backwards; in tangents it is rounded once): u times the sum of the sizes of the partial sums, each of
which may overflow. Their range is small, and the order of factors is open, so a product may overflow
where the product of its factors above 1 does, and loses what an underflow of those below 1, rounded to a
subnormal number, loses. Where a result may have overflowed on the way, there is no bound.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from oracle.numerics import exact_sums
from oracle.numerics.bounds import gamma
from oracle.numerics.formats import FLOAT64, Format

Array = np.ndarray


class Uncertain(NamedTuple):
    """Values and their errors, of one shape or of shapes that combine."""

    value: Array
    error: Array


def exact(value: Array) -> Uncertain:
    """Return values without error."""
    wide = np.asarray(value, dtype=np.float64)
    return Uncertain(wide, np.zeros(wide.shape))


class Arithmetic(NamedTuple):
    """Sums and products in a format. Shapes: (N, C, H, W), and (C, 1, 1) for one number per channel.

    ``at_once``: a sum over a channel is rounded to a narrow format once.
    """

    fmt: Format
    at_once: bool = False

    def _rounding(self, roundings: float) -> float:
        """Return the relative effect of roundings here and in the oracle."""
        return float(gamma(roundings, self.fmt.unit) + gamma(roundings, FLOAT64.unit))

    @property
    def _narrow(self) -> bool:
        return self.fmt is not self.fmt.arithmetic

    def _bounded(self, number: Uncertain, largest: Array) -> Uncertain:
        """Return the number, without a bound where ``largest``, a size met on the way, overflows."""
        overflows = np.isfinite(number.value) & (largest > self.fmt.largest)
        return Uncertain(number.value, np.where(overflows, np.inf, number.error))

    def product(self, *factors: Uncertain) -> Uncertain:
        """Multiply, from left to right unless the format is narrow."""
        value, error = factors[0]
        highest = np.maximum(np.abs(value) + error, 1.0)
        for other, d in factors[1:]:
            size, other_size = np.abs(value) + error, np.abs(other) + d
            highest = highest * np.maximum(other_size, 1.0)
            lost = self.fmt.unit * self.fmt.tiny * highest if self._narrow else self.fmt.tiny
            error = np.abs(value) * d + other_size * error
            error = error + self._rounding(1) * size * other_size + lost
            value = value * other
        return self._bounded(Uncertain(value, error), highest if self._narrow else np.abs(value))

    def plus(self, *terms: Uncertain) -> Uncertain:
        """Add up a few terms."""
        value, error, size = terms[0].value, terms[0].error, np.abs(terms[0].value)
        for other, d in terms[1:]:
            value, error, size = value + other, error + d, size + np.abs(other)
        found = Uncertain(value, error + self._rounding(len(terms) - 1) * (size + error))
        return self._bounded(found, size + error)

    def total(self, terms: Uncertain) -> Uncertain:
        """Add up each channel, (N, C, H, W) to (C, 1, 1), in any order."""
        value, error = np.broadcast_arrays(*terms)
        rows = np.moveaxis(value, 1, 0).reshape(value.shape[1], -1)
        sums = [exact_sums.total(row) for row in rows]
        errors, sizes = error.sum(axis=(0, 2, 3)), np.abs(rows).sum(axis=1)
        rounded = self._accumulating._rounding(max(rows.shape[1], 1)) * (sizes + errors)
        if self._narrow:
            rounded = rounded + self._rounding(1) * self._partial_sums(value, error)
        found = (np.reshape(each, (-1, 1, 1)) for each in (sums, errors + rounded))
        return self._bounded(Uncertain(*found), np.reshape(np.abs(sums), (-1, 1, 1)))

    def _partial_sums(self, value: Array, error: Array) -> Array:
        """Return the sum of the sizes of a channel's partial sums, infinite where one may overflow.

        Shapes (N, C, H, W) to (C,).
        """
        met = np.zeros(value.shape[1])
        for axis in ((0, 2, 3),) if self.at_once else (0, 3, 2):
            value, error = value.sum(axis, keepdims=True), error.sum(axis, keepdims=True)
            sizes = np.abs(value) + error
            error = error + self._rounding(1) * sizes
            sizes = np.where(np.isfinite(value) & (sizes > self.fmt.largest), np.inf, sizes)
            met = met + sizes.sum(axis=(0, 2, 3))
        return met

    @property
    def _accumulating(self) -> Arithmetic:
        """The arithmetic in which sums are accumulated."""
        return Arithmetic(self.fmt.arithmetic)

    def over(self, count: int, number: Uncertain) -> Uncertain:
        """Divide by the number of values in a channel."""
        value, error = number.value / count, number.error / count
        lost = self.fmt.unit * self.fmt.tiny if self._narrow else self.fmt.tiny
        return Uncertain(value, error + self._rounding(1) * (np.abs(value) + error) + lost)

    def or_by_way_of(self, number: Uncertain, met: Uncertain) -> Uncertain:
        """Return the number, without a bound where ``met``, a number on another way to it, has none."""
        return Uncertain(number.value, np.where(np.isinf(met.error), np.inf, number.error))

    def either(self, one: Uncertain, other: Uncertain) -> Uncertain:
        """Return a number that is computed in one of two ways."""
        return Uncertain(one.value, np.maximum(one.error, other.error))

    def or_narrow(self, one: Uncertain, other: Uncertain) -> Uncertain:
        """Return a number that may be computed in another way where the format is narrow.

        The other way differs by underflow and overflow, which a wide format does not meet, and its error
        is bounded less tightly, as if the factors of a sum had errors of their own in every term.
        """
        return self.either(one, other) if self._narrow else one

    def centred(self, numbers: Uncertain) -> Uncertain:
        """Subtract the mean of each channel."""
        count = numbers.value.size // max(numbers.value.shape[1], 1)
        return self.plus(numbers, negative(self.over(max(count, 1), self.total(numbers))))


def negative(number: Uncertain) -> Uncertain:
    """Return the number with the other sign."""
    return Uncertain(-number.value, number.error)


def accumulated(total: Array, errors: Array, fmt: Format) -> Array:
    """Return the budget of one addition whose result is stored in ``fmt``; all shapes are alike.

    ``total``: the exact sum. ``errors``: the budgets of the two summands, added. A narrow format is added
    in float32 and rounded once more on storing. The rounding of a sum of two is relative to its result.
    """
    units = fmt.unit + (fmt.arithmetic.unit if fmt is not fmt.arithmetic else 0.0) + FLOAT64.unit
    return np.asarray(errors + units * (np.abs(total) + errors))


def narrow_sum(budget: Array, magnitude: Array, count: int, every: bool, fmt: Format) -> Array:
    """Budget of a sum whose terms, three operations each, and result are rounded to a narrow format.

    ``magnitude``: sum of the sizes of the ``count`` terms, each possibly subnormal. ``every``: every
    partial sum is rounded, too. Infinite where one may overflow, or roundings may exceed half the sum.
    """
    roundings = 4 + count * every
    lost = (count + 1) * fmt.unit * fmt.tiny + gamma(roundings, fmt.unit) * magnitude
    unbounded = (magnitude > fmt.largest) | (roundings * fmt.unit >= 0.5)
    return np.asarray(np.where(unbounded, np.inf, budget + lost))


def cancelled(magnitude: Array, inverse: Array, fmt: Format) -> Array:
    """Budget that sum g*z needs in addition if z = x/s - m/s was rounded, not x - m. Shapes (C,).

    ``magnitude``: sum |g*x| + |m| * sum |g|. The quotients and their difference are rounded, and with the
    rounding of 1/s in m/s each term is off by at most gamma(4) * (|x| + |m|) / s. The product with g and
    the sum are counted by ``bounds.weight_gradient``.
    """
    return np.asarray(gamma(5, fmt.unit) * np.abs(inverse) * magnitude)
