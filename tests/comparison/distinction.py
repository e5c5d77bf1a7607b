"""The test whether two expectations of one program can be told apart by what a subject shows."""

from __future__ import annotations

from typing import Optional

import numpy as np

from oracle.accumulation import grad_values
from oracle.backward import gradient_values
from oracle.derivatives import derivative_values
from oracle.expectations import Expectations
from oracle.expected_derivatives import ExpectedDerivative, ExpectedGradient
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.normalisation import ExpectedOutput, OutputValues, output_values, plane
from oracle.state import Counter, Entry, Expected, State, Tensor


def distinguishable(one: Expectations, other: Expectations) -> bool:
    """Whether no observation can conform to both expectations.

    That is so when an exception, a text, a flag or a tensor is not the same on both sides, or when two
    numbers are farther apart than their budgets together.
    """
    return any(_differ(a, b) for a, b in zip(one, other))


def _differ(a: Expected, b: Expected) -> bool:
    if a.error != b.error or a.text != b.text:
        return True
    if repr(a.state.flags()) != repr(b.state.flags()):  # a NaN equals itself, 1 does not equal True
        return True
    if (a.input_changed, a.shared) != (b.input_changed, b.shared):
        return True
    if any(_gradients_differ(*pair) for pair in zip(a.gradients or (), b.gradients or ())):
        return True
    if _grads_differ(a.state, b.state) or len(a.derivatives) != len(b.derivatives):
        return True
    if any(_derivatives_differ(*pair) for pair in zip(a.derivatives, b.derivatives)):
        return True
    return _outputs_differ(a.output, b.output) or any(
        _entries_differ(*pair) for pair in zip(a.state.entries(), b.state.entries())
    )


def _outputs_differ(a: Optional[ExpectedOutput], b: Optional[ExpectedOutput]) -> bool:
    if a is None or b is None or a is b:
        return a is not b
    return (a.shape, a.dtype) != (b.shape, b.dtype) or _values_differ(output_values(a), output_values(b))


def _gradients_differ(a: Optional[ExpectedGradient], b: Optional[ExpectedGradient]) -> bool:
    if a is None or b is None or a is b:
        return a is not b
    return _values_differ(gradient_values(a), gradient_values(b))


def _derivatives_differ(a: ExpectedDerivative, b: ExpectedDerivative) -> bool:
    return a is not b and _values_differ(derivative_values(a), derivative_values(b))


def _grads_differ(a: State, b: State) -> bool:
    left, right = dict(a.grads()), dict(b.grads())
    if left.keys() != right.keys():
        return True
    return any(
        grad is not right[name] and _values_differ(grad_values(grad), grad_values(right[name]))
        for name, grad in left.items()
    )


def _values_differ(left: OutputValues, right: OutputValues) -> bool:
    """Whether values differ, shapes (C,) or (N, C, H, W), in channels determined on both sides."""
    apart = _apart(left.values, left.budget, right.values, right.budget)
    undetermined = left.undetermined | right.undetermined
    return bool((apart & ~(plane(undetermined) if apart.ndim == 4 else undetermined)).any())


def _entries_differ(a: Entry, b: Entry) -> bool:
    if isinstance(a, Counter) and isinstance(b, Counter):
        return a.value != b.value
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        left, right = a.numbers, b.numbers
        return left is not right and _numbers_differ(left, right)
    return a is not b


def _numbers_differ(a: Budgeted, b: Budgeted) -> bool:
    return bool(_apart(a.values, a.budget, b.values, b.budget).any())


def _apart(a: np.ndarray, a_budget: np.ndarray, b: np.ndarray, b_budget: np.ndarray) -> np.ndarray:
    """Say where no number is within the budgets of both values; an infinite budget holds any number."""
    with np.errstate(invalid="ignore"):
        both = np.isfinite(a) & np.isfinite(b)
        equal = (a == b) | (np.isnan(a) & np.isnan(b)) | np.isinf(a_budget) | np.isinf(b_budget)
        return np.asarray(np.where(both, np.abs(a - b) > a_budget + b_budget, ~equal))
