"""The expectation of one quantity: values, and the budget of each of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from oracle.backward import gradient_values
from oracle.expected_derivatives import ExpectedGradient
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.formats import FORMATS
from oracle.numerics.normalisation import ExpectedOutput, OutputValues, output_values, plane


class Numbers(NamedTuple):
    """Float64 values and budgets of one shape.

    A value beyond the largest number of the dtype is an infinity. ``budget``: infinite where any value
    conforms, 0 where the oracle gives none: where the value is not finite, or known without an error.
    """

    values: np.ndarray
    budget: np.ndarray


def of_tensor(numbers: Budgeted, dtype: str) -> Numbers:
    """Return what is expected of a parameter or running statistic of a dtype, shapes (C,)."""
    return _stored(numbers.values, numbers.budget, dtype)


def of_output(expected: ExpectedOutput) -> Numbers:
    """Return what is expected of the output of a forward, shapes (N, C, H, W)."""
    return _determined(output_values(expected), expected.dtype)


def of_gradient(expected: ExpectedGradient) -> Numbers:
    """Return what is expected of a gradient, shapes (N, C, H, W) or (C,)."""
    return _determined(gradient_values(expected), expected.dtype)


def _determined(found: OutputValues, dtype: str) -> Numbers:
    undetermined = plane(found.undetermined) if found.values.ndim == 4 else found.undetermined
    return _stored(found.values, np.where(undetermined, np.inf, found.budget), dtype)


def _stored(values: np.ndarray, budget: np.ndarray, dtype: str) -> Numbers:
    """Return the numbers as a port of the dtype stores them.

    A value may be so near to the largest number that one correct port gets an infinity and another a
    finite number; there, anything conforms.
    """
    largest = FORMATS[dtype].largest
    size = np.abs(values)
    with np.errstate(invalid="ignore", over="ignore"):
        beyond = size > largest
        either = np.isfinite(values) & (size + budget > largest) & (size - budget <= largest)
    values = np.where(beyond, np.copysign(np.inf, values), values)
    budget = np.where(either, np.inf, budget)
    has_budget = np.isfinite(values) & ~np.isnan(budget) | np.isinf(budget)
    return Numbers(values, np.where(has_budget, budget, 0.0))
