"""Deviations that depend on the input of a forward: it is empty, has no channels, or overflows."""

from __future__ import annotations

import dataclasses
from typing import Optional

import numpy as np

from cases.derivatives import DIFFERENTIATING, Backward, Nested
from cases.inputs import batch
from cases.inputs.layouts import DENSE
from cases.steps import Forward
from cases.variants import NARROW
from oracle import outputs, refusals
from oracle.batch_norm import hands_over_buffers, numeric_factor
from oracle.deviations.situation import Situation
from oracle.graphs import recorded
from oracle.numerics.budgeted import Budgeted, constant
from oracle.numerics.formats import FORMATS, promoted
from oracle.numerics.moving_average import moving_average
from oracle.numerics.normalisation import ExpectedOutput
from oracle.numerics.statistics import statistics
from oracle.semantics import Rules
from oracle.state import Expected, ExpectedError, Graph, State, Tensor
from oracle.tensor_checks import check_empty_rows


def empty_input_unchecked(right: Expected, situation: Situation) -> Expected:
    """An input without elements is accepted whatever its number of channels."""
    step = situation.step
    refused = right.error is not None and "should contain" in right.error.pattern
    if not refused or not isinstance(step, Forward):
        return right
    given = batch(situation.variant, step.batch, step.way == "view")
    if given.values.size:
        return right
    rules, state = Rules(situation.semantics), right.state
    try:
        check_empty_rows(state, given, rules)
    except refusals.Refusal as refusal:
        return dataclasses.replace(right, error=refusal.error)
    zero = constant(0.0, state.config.num_features)
    trainable = outputs.trainable(situation.before, given, step.way, rules)
    output = ExpectedOutput(
        batch=given,
        mean=zero,
        variance=zero,
        weight=None if state.weight is None else state.weight.numbers,
        bias=None if state.bias is None else state.bias.numbers,
        eps=1.0,
        batch_statistics=True,
        memory_format=outputs.memory_format(
            given, state.gaps(hands_over_buffers(state, rules)), True, rules
        ),
        requires_grad=bool(trainable),
    )
    graph = recorded(situation.before, output, trainable, False)
    state = state.changed(graphs=(graph, *state.graphs[:2]))
    return dataclasses.replace(right, state=state, output=output, error=None)


def empty_output_widened(right: Expected, situation: Situation) -> Expected:
    """An empty output is a product with the row, where a weight or bias has the shape (1, C).

    If its width is 1 it gets the width C, the module's number of features; the input may have another
    number of channels. Its dtype is the wider one of input and module. An upstream gradient in the shape
    of the input does not fit a wider output.
    """
    step, features = situation.step, situation.before.config.num_features
    if isinstance(step, Forward) and right.output is not None:
        graph, output = right.state.graphs[0], right.output
        dtype = promoted(output.dtype, situation.before.dtype)
        if _multiplied(graph) and (_widens(graph, features) or dtype != output.dtype):
            width = features if _widens(graph, features) else output.shape[-1]
            values = np.empty((*output.shape[:3], width), dtype=output.batch.values.dtype)
            wide = dataclasses.replace(output.batch, values=values, dtype=dtype)
            return dataclasses.replace(right, output=dataclasses.replace(output, batch=wide))
    if isinstance(step, DIFFERENTIATING):
        graphs = situation.before.graphs[int(isinstance(step, Backward) and step.earlier) :]
        if graphs and _multiplied(graphs[0]) and _widens(graphs[0], features):
            error = refusals.other_shape().error
            return Expected(situation.before, error=error, switches=right.switches)
    return right


def _multiplied(graph: Graph) -> bool:
    """Whether an output is empty, and one of weight and bias was a row."""
    return bool(graph.rows) and not graph.output.batch.values.size


def _widens(graph: Graph, features: int) -> bool:
    """Whether the width of an output is 1, and a row is longer."""
    return graph.output.shape[-1] == 1 < features


def zero_features_raise(right: Expected, situation: Situation) -> Expected:
    """A forward without channels counts and then raises."""
    if right.output is None or situation.before.config.num_features:
        return right
    error = ExpectedError("IndexError", "index 0 out of range for tensor of size .0.")
    return dataclasses.replace(right, output=None, error=error)


def overflowing_variance_zeroes_output(right: Expected, situation: Situation) -> Expected:
    """A channel whose variance overflows gets an infinite variance: its output is the bias alone.

    The running variance takes part of an infinity, which is NaN for a factor of 0. From 1.10 on the
    sum of the squares overflows in the kernel, before it is divided by n; the kernel for tensors that are
    neither contiguous nor channels_last sums float32 in float64: it is right.
    """
    output = right.output
    if output is None or not output.batch_statistics or not output.batch.values.size:
        return right
    dense = output.batch.memory_format in DENSE or output.dtype in NARROW
    sums_overflow = situation.semantics.release >= (1, 10)
    if not dense and sums_overflow:
        return right
    count = output.batch.values.size // output.variance.channels if sums_overflow else 1
    with np.errstate(over="ignore"):
        overflows = count * output.variance.values > FORMATS[output.dtype].arithmetic.largest
    overflows &= ~np.isinf(output.variance.budget)
    if not overflows.any():
        return right
    seen = dataclasses.replace(output, variance=_infinite(output.variance, overflows))
    graph, *earlier = right.state.graphs
    running_var = _averaged(situation.before, right.state, overflows)
    state = right.state if running_var is None else right.state.written(running_var)
    state = state.changed(graphs=(graph._replace(output=seen), *earlier))
    return dataclasses.replace(right, output=seen, state=state)


def variance_overflows_anew(right: Expected, situation: Situation) -> Expected:
    """torch.func.jvp of torch.func.vjp gives NaN in a channel whose variance overflows, in every layout.

    It computes the variance anew, and subtracts the infinity from another.
    """
    step, found = situation.step, right.derivatives
    if not isinstance(step, Nested) or step.way != "func_jvp_vjp" or not found:
        return right
    output = found[0].output
    if not output.batch_statistics or not output.batch.values.size:
        return right
    exact = statistics(output.batch, situation.semantics.sums_exactly).biased_variance
    overflows = exact.values > FORMATS[output.dtype].arithmetic.largest
    if not overflows.any():
        return right
    variance = output.variance
    values = np.where(overflows, np.nan, variance.values)
    unknown = Budgeted(values, np.where(overflows, np.nan, variance.budget), variance.nonnegative)
    seen = dataclasses.replace(found[0], output=dataclasses.replace(output, variance=unknown))
    return dataclasses.replace(right, derivatives=(seen,))


def _infinite(variance: Budgeted, where: np.ndarray) -> Budgeted:
    """Return the variance with an infinity in some of the channels."""
    budget = np.where(where, 0.0, variance.budget)
    return Budgeted(np.where(where, np.inf, variance.values), budget, nonnegative=True)


def _averaged(before: State, after: State, where: np.ndarray) -> Optional[Tensor]:
    """Return the running variance after an update by an infinity in some of the channels."""
    old, new = before.running_var, after.running_var
    if old is None or new is None or new.numbers is old.numbers:
        return new
    infinite = _infinite(old.numbers, np.ones_like(where))
    fmt = FORMATS[after.dtype]
    taken = moving_average(old.numbers, infinite, numeric_factor(after), fmt, exact=False)
    values = np.where(where, taken.values, new.numbers.values)
    budget = np.where(where, taken.budget, new.numbers.budget)
    return new.updated(Budgeted(values, budget, new.numbers.nonnegative))
