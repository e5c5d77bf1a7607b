"""Deviations that depend on what a forward is given: nothing, no channels, or numbers that overflow."""

from __future__ import annotations

import dataclasses

import numpy as np

from cases.inputs import batch
from cases.steps import Forward
from oracle import outputs
from oracle.deviations.situation import Situation
from oracle.numerics.budgeted import Budgeted, constant
from oracle.numerics.formats import FORMATS, Format
from oracle.numerics.normalisation import ExpectedOutput
from oracle.semantics import Rules
from oracle.state import Expected, ExpectedError


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
    """A channel whose variance overflows is normalised by an infinite deviation."""
    output = right.output
    if output is None or not output.batch_statistics:
        return right
    return _flattened(right, output, FORMATS[output.dtype].arithmetic)


def _flattened(right: Expected, output: ExpectedOutput, fmt: Format) -> Expected:
    """The forward in which a channel whose variance overflows the format is the bias alone."""
    overflows = output.variance.values > fmt.largest
    if not overflows.any():
        return right
    variance = output.variance  # an infinite variance has the inverse deviation 0
    overflown = Budgeted(
        np.where(overflows, np.inf, variance.values), np.where(overflows, 0.0, variance.budget), True
    )
    seen = dataclasses.replace(output, variance=overflown)
    graph, *earlier = right.state.graphs
    state = right.state.changed(graphs=(graph._replace(output=seen), *earlier))
    return dataclasses.replace(right, output=seen, state=state)
