"""The propagation of errors through sums and products: budgets follow a computation step by step.

The notation is that of ``oracle.numerics.bounds``. A number is known as its exact value and an error that
a correct implementation stays within. With a and b known up to d and e,

    a + b    is off by at most  d + e + u * (|a| + |b| + d + e)
    a * b    is off by at most  |a| * e + |b| * d + d * e + u * (|a| + d) * (|b| + e) + tiny

and a sum of n terms, in any order, by its terms' errors plus gamma(n) times the sum of their sizes. The
bound of a sum uses the sizes of its terms, not of its result, so their grouping does not matter. A
product that underflows may be flushed to 0; factors that follow enlarge that error as they do any other.
The oracle computes in float64, so each rounding is counted with float64's u once more.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

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
    """Sums and products in a format. Shapes: (N, C, H, W), and (C, 1, 1) for one number per channel."""

    fmt: Format

    def _rounding(self, roundings: float) -> float:
        """Return the relative effect of roundings here and in the oracle."""
        return float(gamma(roundings, self.fmt.unit) + gamma(roundings, FLOAT64.unit))

    def product(self, *factors: Uncertain) -> Uncertain:
        """Multiply from left to right."""
        value, error = factors[0]
        for other, d in factors[1:]:
            size, other_size = np.abs(value) + error, np.abs(other) + d
            error = np.abs(value) * d + other_size * error
            error = error + self._rounding(1) * size * other_size + self.fmt.tiny
            value = value * other
        return Uncertain(value, error)

    def plus(self, *terms: Uncertain) -> Uncertain:
        """Add up a few terms."""
        value, error, size = terms[0].value, terms[0].error, np.abs(terms[0].value)
        for other, d in terms[1:]:
            value, error, size = value + other, error + d, size + np.abs(other)
        return Uncertain(value, error + self._rounding(len(terms) - 1) * (size + error))

    def total(self, terms: Uncertain) -> Uncertain:
        """Add up each channel, (N, C, H, W) to (C, 1, 1), in any order."""
        value, error = np.broadcast_arrays(*terms)
        rows = np.moveaxis(value, 1, 0).reshape(value.shape[1], -1)
        sums = [math.fsum(row) if np.isfinite(row).all() else row.sum() for row in rows]
        errors = error.sum(axis=(0, 2, 3))
        rounded = self._rounding(max(rows.shape[1], 1)) * (np.abs(rows).sum(axis=1) + errors)
        return Uncertain(np.reshape(sums, (-1, 1, 1)), np.reshape(errors + rounded, (-1, 1, 1)))

    def over(self, count: int, number: Uncertain) -> Uncertain:
        """Divide by the number of values in a channel."""
        value, error = number.value / count, number.error / count
        return Uncertain(value, error + self._rounding(1) * (np.abs(value) + error) + self.fmt.tiny)

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
