"""Deviations that depend on what a forward is given: nothing, no channels, or numbers that overflow."""

from __future__ import annotations

import dataclasses

import numpy as np

from cases.inputs import batch
from cases.inputs.memory import DENSE
from cases.steps import Forward
from cases.variants import NARROW
from oracle import outputs
from oracle.deviations.situation import Situation
from oracle.deviations.sums import with_statistics
from oracle.numerics.budgeted import Budgeted, constant
from oracle.numerics.formats import FORMATS
from oracle.numerics.normalisation import ExpectedOutput
from oracle.numerics.statistics import statistics
from oracle.semantics import Rules
from oracle.state import Expected, ExpectedError, Tensor


def empty_input_unchecked(right: Expected, situation: Situation) -> Expected:
    """An input without elements is accepted whatever its number of channels."""
    step = situation.step
    refused = right.error is not None and "should contain" in right.error.pattern
    if not refused or not isinstance(step, Forward):
        return right
    given = batch(situation.variant, step.batch)
    if given.values.size:
        return right
    rules = Rules(situation.semantics)
    zero = constant(0.0, given.values.shape[1])
    output = ExpectedOutput(
        batch=given,
        mean=zero,
        variance=zero,
        weight=None,
        bias=None,
        eps=1.0,
        batch_statistics=True,
        strides=outputs.strides(given, True, rules),
        requires_grad=bool(
            outputs.trainable(situation.before, given, step.grad, rules)
        ),
    )
    return dataclasses.replace(right, output=output, error=None)


def zero_features_raise(right: Expected, situation: Situation) -> Expected:
    """A forward without channels counts and then raises."""
    if right.output is None or situation.before.config.num_features:
        return right
    error = ExpectedError("IndexError", "index 0 out of range for tensor of size .0.")
    return dataclasses.replace(right, output=None, error=error)


def overflowing_variance_zeroes_output(right: Expected, situation: Situation) -> Expected:
    """A channel whose variance overflows has an infinite one: it is normalised to the bias alone.

    The running variance takes part of an infinity, which is NaN for a factor of 0. From 1.10 on the
    kernel for tensors that are neither contiguous nor channels_last sums float32 in float64: it is right.
    """
    output = right.output
    if output is None or not output.batch_statistics or not output.batch.values.size:
        return right
    dense = output.batch.memory_format in DENSE or output.dtype in NARROW
    if not dense and situation.semantics.release >= (1, 10):
        return right
    overflows = output.variance.values > FORMATS[output.dtype].arithmetic.largest
    if not overflows.any():
        return right
    found = statistics(output.batch, situation.semantics.sums_exactly)
    infinite = dataclasses.replace(
        found,
        biased_variance=_infinite(found.biased_variance, overflows),
        unbiased_variance=_infinite(found.unbiased_variance, overflows),
    )
    return _in_channels(overflows, right, with_statistics(right, output, situation.before, infinite))


def _infinite(variance: Budgeted, where: np.ndarray) -> Budgeted:
    """The variance with an infinity in some of the channels."""
    budget = np.where(where, 0.0, variance.budget)
    return Budgeted(np.where(where, np.inf, variance.values), budget, nonnegative=True)


def _in_channels(where: np.ndarray, right: Expected, seen: Expected) -> Expected:
    """The variances of ``seen`` in some channels; all else as in ``right``, which may deviate itself."""
    assert right.output is not None
    assert seen.output is not None
    output = dataclasses.replace(
        right.output, variance=_chosen(where, seen.output.variance, right.output.variance)
    )
    before, after = right.state.running_var, seen.state.running_var
    if isinstance(before, Tensor) and isinstance(after, Tensor) and before.numbers is not after.numbers:
        before = before.updated(_chosen(where, after.numbers, before.numbers))
    graph, *earlier = right.state.graphs
    graphs = (graph._replace(output=output), *earlier)
    return dataclasses.replace(
        right, output=output, state=right.state.changed(graphs=graphs, running_var=before)
    )


def _chosen(where: np.ndarray, there: Budgeted, elsewhere: Budgeted) -> Budgeted:
    """One's numbers in some of the channels, the other's in all others."""
    return Budgeted(
        np.where(where, there.values, elsewhere.values),
        np.where(where, there.budget, elsewhere.budget),
        there.nonnegative and elsewhere.nonnegative,
    )
