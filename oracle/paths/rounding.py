"""Results that are allowed on paths that split batch_norm into operators, each of which rounds its
result."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Optional

import numpy as np

from cases.attributes import STATISTICS
from cases.variants import NARROW
from oracle.deviations.narrow import narrow_statistics
from oracle.expected_derivatives import ExpectedGradient
from oracle.numerics import bounds
from oracle.numerics.formats import FORMATS
from oracle.numerics.normalisation import ExpectedOutput
from oracle.numerics.statistics import Statistics, by_channel
from oracle.state import Expected, State, Tensor


def output_in_16_bits(expected: Expected) -> Expected:
    """Return the expectation with an output whose every operation is rounded to its dtype."""
    output = expected.output
    assert output is not None
    return dataclasses.replace(expected, output=dataclasses.replace(output, working=output.dtype))


def gradients_in_16_bits(expected: Expected) -> Expected:
    """Return the expectation with gradients whose every operation is rounded to the dtype."""
    return _with_gradients(expected, _in_16_bits)


def gradients_of_rounded_statistics(expected: Expected) -> Expected:
    """Return the expectation with gradients from rounded statistics.

    Mean and inverse deviation of the batch were rounded to the dtype of the input. In eval mode every
    operation is rounded to it.
    """
    return _with_gradients(expected, _of_rounded_statistics)


def normalised_first(expected: Expected) -> Expected:
    """Return the expectation with a weight's gradient that sums products with the normalised input."""
    return _with_gradients(expected, _of_normalised)


def mean_of_infinity(before: State, expected: Expected) -> Expected:
    """Return the expectation with a running_mean that is NaN where the mean taken value by value is NaN.

    A mean that each value moves a little is infinite from the first infinity on, and NaN from the value
    after it on: the difference of two infinities, or an infinity less its own share.
    """
    values = _averaged(before, expected)
    if values is None:
        return expected
    lost = np.isinf(values[:, :-1]).any(axis=1)
    if not lost.any():
        return expected
    new = expected.state.running_mean
    assert new is not None
    numbers = dataclasses.replace(
        new.numbers,
        values=np.where(lost, np.nan, new.numbers.values),
        budget=np.where(lost, np.nan, new.numbers.budget),
    )
    return dataclasses.replace(expected, state=expected.state.written(new._replace(numbers=numbers)))


def averages_infinity(before: State, expected: Expected) -> bool:
    """Whether a forward has updated running_mean with the mean of values of which one is infinite."""
    values = _averaged(before, expected)
    return values is not None and bool(np.isinf(values).any())


def update_in_16_bits(before: State, expected: Expected) -> Expected:
    """Return the expectation with running statistics for which (1 - momentum) * old is rounded as well.

    That is so where they are stored in 16 bits, and the product is a result of its own.
    """
    state, momentum = expected.state, before.momentum
    if before.dtype not in NARROW or not isinstance(momentum, (int, float)):
        return expected
    for name in STATISTICS:
        old, new = before.entry(name), state.entry(name)
        if not isinstance(old, Tensor) or not isinstance(new, Tensor) or new.numbers is old.numbers:
            continue
        with np.errstate(invalid="ignore", over="ignore"):
            product = bounds.stored((1.0 - momentum) * old.numbers.values, FORMATS[before.dtype])
        budget = np.where(new.numbers.budget > 0, new.numbers.budget + product, new.numbers.budget)
        numbers = dataclasses.replace(new.numbers, budget=budget)
        state = state.written(new._replace(numbers=numbers))
    return expected if state is expected.state else dataclasses.replace(expected, state=state)


def _averaged(before: State, expected: Expected) -> Optional[np.ndarray]:
    """Return the values, shape (C, n), whose mean a forward has added to running_mean; None if none."""
    old, new = before.running_mean, expected.state.running_mean
    if old is None or new is None or new.numbers is old.numbers or expected.output is None:
        return None
    return by_channel(expected.output.batch.values)


def _rounded(output: ExpectedOutput) -> ExpectedOutput:
    """Return the output with batch statistics that were rounded to its dtype."""
    count = output.batch.values.size // max(output.shape[1], 1)
    found = Statistics(count, output.mean, output.variance, output.variance)
    narrow = narrow_statistics(found, output.eps, FORMATS[output.dtype])
    return dataclasses.replace(output, mean=narrow.mean, variance=narrow.biased_variance)


Change = Callable[[ExpectedGradient], ExpectedGradient]


def _in_16_bits(gradient: ExpectedGradient) -> ExpectedGradient:
    output = gradient.output
    return dataclasses.replace(gradient, output=dataclasses.replace(output, working=output.dtype))


def _of_rounded_statistics(gradient: ExpectedGradient) -> ExpectedGradient:
    if gradient.output.dtype not in NARROW:  # an input that is wider than those of the variant
        return gradient
    if not gradient.output.batch_statistics:
        return _in_16_bits(gradient)
    return dataclasses.replace(gradient, output=_rounded(gradient.output))


def _of_normalised(gradient: ExpectedGradient) -> ExpectedGradient:
    if gradient.name != "weight":
        return gradient
    return dataclasses.replace(gradient, normalised=True, any_order=True)


def _with_gradients(expected: Expected, changed: Change) -> Expected:
    """Return the expectation with every gradient changed, also those in ``.grad``."""
    gradients = expected.gradients
    if gradients is not None:
        gradients = tuple(each and changed(each) for each in gradients)
    state = _accumulated(expected.state, changed)
    return dataclasses.replace(expected, gradients=gradients, state=state)


def _accumulated(state: State, changed: Change) -> State:
    """Return the state with other gradients in the ``.grad`` of the tensors and of the last input."""

    def parts(grad: Any) -> Any:
        if grad is None:
            return None
        return dataclasses.replace(grad, parts=tuple(changed(each) for each in grad.parts))

    for tensor in (state.weight, state.bias):
        if tensor is not None and tensor.grad is not None:
            state = state.written(tensor._replace(grad=parts(tensor.grad)))
    if not state.graphs:
        return state
    return state.with_last_graph(grad=parts(state.graphs[0].grad))
