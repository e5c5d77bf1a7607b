"""Deviations of kernels that sum value by value, in the dtype that they compute in."""

from __future__ import annotations

import dataclasses
from typing import Optional

import numpy as np

from cases.derivatives import Backward, Double, Triple
from oracle.batch_norm import numeric_factor
from oracle.deviations.situation import Situation, with_derivatives
from oracle.expected_derivatives import ExpectedDerivative
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.formats import FORMATS, Format
from oracle.numerics.moving_average import moving_average
from oracle.numerics.normalisation import ExpectedOutput
from oracle.numerics.plain_sums import channels_last_statistics, contiguous_statistics, sums_by_rows
from oracle.numerics.statistics import Statistics, statistics
from oracle.state import Expected, State, Tensor


def channels_last_plain_sums(right: Expected, situation: Situation) -> Expected:
    """The threads sum the rows of a channels_last input, or of one-pixel images, value by value."""
    if isinstance(situation.step, Backward):
        return _plain_gradients(right)
    if isinstance(situation.step, (Double, Triple)):
        return about_another_mean(right, situation)
    output = right.output
    if output is None or not output.batch_statistics or not output.batch.values.size:
        return right
    if not sums_by_rows(output.batch):
        return right
    found = channels_last_statistics(output.batch, situation.threads)
    return with_statistics(right, output, situation.before, found)


def _plain_gradients(right: Expected) -> Expected:
    """Return gradients whose sums run value by value, so that their errors may all point the same way."""
    found = right.gradients or ()
    if not any(each and sums_by_rows(each.output.batch) for each in found):
        return right
    gradients = tuple(each and dataclasses.replace(each, any_order=True) for each in found)
    return dataclasses.replace(right, gradients=gradients)


def contiguous_float64_plain_sums(right: Expected, situation: Situation) -> Expected:
    """One thread sums a channel of a contiguous float64 input value by value."""
    if isinstance(situation.step, (Double, Triple)):
        return about_another_mean(right, situation)
    output = right.output
    if output is None or output.dtype != "float64" or not output.batch_statistics:
        return right
    every_layout = situation.semantics.release < (1, 10)
    if not output.batch.values.size:
        return right
    by_channel = output.batch.memory_format == "contiguous" and not sums_by_rows(output.batch)
    if not by_channel and not every_layout:
        return right
    return with_statistics(right, output, situation.before, contiguous_statistics(output.batch))


def about_another_mean(right: Expected, situation: Situation) -> Expected:
    """Return derivatives that hold for every formula about a mean that is not exactly that of the batch.

    The formulas agree because the deviations x - m add up to 0, and with the mean that was summed value
    by value they do not: so any mean between the two is allowed.
    """
    return with_derivatives(right, _about_another_mean)


def _about_another_mean(derivative: ExpectedDerivative) -> ExpectedDerivative:
    output = derivative.output
    if not output.batch_statistics or not output.batch.values.size:
        return derivative
    with np.errstate(invalid="ignore"):
        moved = np.abs(output.mean.values - statistics(output.batch, True).mean.values)
    if not np.any(moved > 0):
        return derivative
    budget = output.mean.budget + np.where(np.isfinite(moved), moved, 0.0)
    mean = Budgeted(output.mean.values, budget, output.mean.nonnegative)
    return dataclasses.replace(derivative, output=dataclasses.replace(output, mean=mean))


def with_statistics(
    right: Expected,
    output: ExpectedOutput,
    before: State,
    found: Statistics,
    working: Optional[Format] = None,
) -> Expected:
    """Return the expectation with other batch statistics in the output and in the running buffers.

    ``working``: the format that the running buffers are updated in. Buffers whose channels share one
    place in memory stay as they are.
    """
    place, state = before, right.state  # both are updated buffer by buffer: the two may be one tensor
    for name, new in (("running_mean", found.mean), ("running_var", found.unbiased_variance)):
        old, after = place.entry(name), state.entry(name)
        if not isinstance(old, Tensor) or not isinstance(after, Tensor) or after.overlaps:
            continue
        if right.state.entry(name) is before.entry(name):
            continue
        fmt, factor = FORMATS[state.dtype], numeric_factor(right.state)
        numbers = moving_average(old.numbers, new, factor, fmt, exact=False, working=working)
        place = place.written(old.updated(numbers))
        state = state.written(after.updated(numbers))
    seen = dataclasses.replace(
        output,
        mean=found.mean,
        variance=found.biased_variance,
        weight=None if state.weight is None else state.weight.numbers,
        bias=None if state.bias is None else state.bias.numbers,
    )
    return dataclasses.replace(right, output=seen, state=state.with_last_graph(output=seen))
