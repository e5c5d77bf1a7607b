"""The backward pass of BatchNorm2d: the gradients of input, weight and bias.

In each channel a forward computes from n = N*H*W values x_1, ..., x_n

    y = (x - m) / s * w + b        with s = sqrt(v + eps)

A loss L has the upstream gradient g = dL/dy, one number for each value. Sums and means run over the n
values of the channel. Weight and bias enter y as factor and summand, so whatever m and v are,

    dL/db = sum(g)
    dL/dw = sum(g * (x - m)) / s

The input's gradient depends on whether m and v are functions of x.

    EVAL MODE. m and v are the running buffers, which do not depend on x:
        dL/dx = g * w / s

    TRAIN MODE. m and v are the mean and the biased variance of x itself, so each x_j moves all n outputs:
    directly, through m (dm/dx_j = 1/n) and through v (dv/dx_j = 2 * (x_j - m) / n). With
        dL/dm = -sum(g) * w / s        dL/dv = -sum(g * (x - m)) * w / (2 * s**3)
    (the part of dv/dx_j through m is 0, because sum(x - m) = 0) the chain rule adds the three parts,
    g * w / s + dL/dm / n + dL/dv * 2 * (x - m) / n:
        dL/dx = (g - mean(g) - (x - m) * q) * w / s        with q = sum(g * (x - m)) / (n * s**2)
    The sum of dL/dx over the channel is 0: adding a constant to x changes no output. The sum of
    (x - m) * dL/dx is w * dL/dw * eps / s**2: without eps, scaling x would change no output either.

In eval mode without running buffers batch statistics normalise, and the formula of train mode holds.

``backward`` says when torch refuses to differentiate. Sources: Ioffe & Szegedy 2015, section 3, for the
formula of train mode; the chain rule for the others; observation for what autograd refuses.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Optional

import numpy as np

from cases.derivatives import ASKED, GRADIENTS, Backward
from cases.inputs import Batch, upstream
from cases.variants import Variant
from oracle import refusals
from oracle.expected_derivatives import ExpectedGradient
from oracle.graphs import check_bias, check_rows
from oracle.numerics import bounds, exact_sums, propagation
from oracle.numerics.budgeted import Sums
from oracle.numerics.formats import FLOAT64, FORMATS
from oracle.numerics.normalisation import ExpectedOutput, OutputValues, all_zero, overflows, plane, terms
from oracle.numerics.statistics import by_channel
from oracle.semantics import Rules
from oracle.state import Expected, Graph, State


def backward(state: State, step: Backward, variant: Variant, rules: Rules) -> Expected:
    """Differentiate the output of one of the last three forwards; the module itself does not change.

    Return the gradients in the order of GRADIENTS, None where autograd returns none: the input's
    (N, C, H, W), those of weight and bias (C,), or (1, C) for a row. Raise Refusal where torch refuses.
    The refusals stand in torch's order; ``oracle.state.Graph`` explains the conditions.
    """
    place = step.earlier
    if place >= len(state.graphs):
        raise refusals.no_output()
    graph = state.graphs[place]
    graph = graph._replace(frozen=graph.frozen | ({*GRADIENTS} - {*ASKED[step.of]}))
    if not graph.trainable:
        raise refusals.output_without_graph()
    if graph.frozen >= set(graph.trainable):
        raise refusals.nothing_to_differentiate()
    if not graph.wanted and not rules.holds("unwanted_operations_run"):
        return Expected(state, gradients=(None,) * len(GRADIENTS))
    read = graph.output.batch.values.size or step.of != "bias"  # to an empty batch it is added last
    if read and graph.freed:
        raise refusals.graph_used_up()
    if read and graph.modified:
        raise refusals.modified_in_place()
    if graph.mixed:
        raise refusals.converted()
    check_bias(graph, rules)
    incoming = upstream(variant, graph.output.batch, step.upstream)
    check_rows(graph, incoming, rules)
    graphs = list(state.graphs)
    if read and not step.retain:
        graphs[place] = graphs[place]._replace(freed=holds_tensors(graph, rules))
    memory_format = _memory_format(graph.output, incoming, rules)
    gradients = tuple([_gradient(name, graph, incoming, memory_format) for name in GRADIENTS])
    return Expected(state.changed(graphs=tuple(graphs)), gradients=gradients)


def _gradient(name: str, graph: Graph, incoming: Batch, memory_format: str) -> Optional[ExpectedGradient]:
    """Return the gradient of input, weight or bias; None where autograd returns none.

    ``memory_format``: that of the input's gradient.
    """
    if name not in graph.wanted:
        return None
    if name == "input":
        return ExpectedGradient(name, graph.output, incoming, graph.output.dtype, memory_format)
    row = name in graph.rows
    return ExpectedGradient(
        name, graph.output, incoming, graph.dtype, "contiguous", added=graph.added, row=row
    )


def holds_tensors(graph: Graph, rules: Rules) -> bool:
    """Whether autograd has saved tensors that it can free.

    For an empty batch it has only if it recorded a product with the weight.
    """
    if graph.output.batch.values.size:
        return True
    multiplied = graph.output.weight is not None and {"input", "weight"} & {*graph.trainable}
    return bool(multiplied) and not rules.holds("empty_output_detached")


def _memory_format(output: ExpectedOutput, incoming: Batch, rules: Rules) -> str:
    """Return the memory format of the input's gradient: the output's.

    An empty batch has the upstream gradient's. With ``input_gradient_contiguous`` it is contiguous. For
    an ambiguous input (``Batch.ambiguous``) it is contiguous unless the upstream gradient is contiguous
    or ambiguous, too; then it is channels_last, or with ``gaps_make_output_contiguous`` the output's.
    """
    if not output.batch.values.size:
        return incoming.memory_format
    if output.memory_format == "channels_last" and rules.holds("input_gradient_contiguous"):
        return "contiguous"
    alike = incoming.ambiguous or incoming.memory_format == "contiguous"
    if output.batch.ambiguous and not alike:
        return "contiguous"
    follows = rules.holds("gaps_make_output_contiguous")
    return output.memory_format if follows or not output.batch.ambiguous else "channels_last"


def _depth(rows: np.ndarray, any_order: bool) -> np.ndarray:
    """Return the accumulation depth of the sum of each row, shape (C, n) to (C,)."""
    if any_order:
        return np.full(len(rows), float(rows.shape[1]))
    return bounds.depth_of(rows)


@lru_cache(maxsize=16)
def _channel_sums_of(output: ExpectedOutput, incoming: Batch, any_order: bool, narrow: bool) -> Sums:
    """Compute the sums over N, H and W that all three gradients are made of."""
    fmt, working = FORMATS[output.dtype].arithmetic, output.arithmetic
    x, g = by_channel(output.batch.values), by_channel(incoming.values)
    count = x.shape[1]
    with np.errstate(over="ignore", invalid="ignore"):
        products = g * (x - output.mean.values[:, None])
        total = np.array([exact_sums.total(row) for row in g])
        magnitude = np.abs(g).sum(axis=1)
        product_total = np.array([exact_sums.total(row) for row in products])
        product_magnitude = np.abs(products).sum(axis=1)
    total_budget = bounds.upstream_sum(total, magnitude, _depth(g, any_order), fmt)
    product_budget = bounds.product_sum(
        product_magnitude, magnitude, output.mean.budget, count, _depth(products, any_order), fmt
    )
    if working is not fmt:  # it is narrower only by a defect or on a path
        total_budget = propagation.narrow_sum(total_budget, magnitude, count, narrow, working)
        product_budget = propagation.narrow_sum(product_budget, product_magnitude, count, narrow, working)
    finite = np.isfinite(x).all(axis=1) & np.isfinite(g).all(axis=1) & np.isfinite(output.mean.values)
    return Sums(
        total,
        np.where(finite & (magnitude > fmt.largest), np.inf, total_budget),  # a partial sum may overflow
        product_total,
        np.where(finite & (product_magnitude > fmt.largest), np.inf, product_budget),
        count,
    )


def _channel_sums(expected: ExpectedGradient) -> Sums:
    return _channel_sums_of(expected.output, expected.upstream, expected.any_order, expected.narrow_sums)


def gradient_values(expected: ExpectedGradient) -> OutputValues:
    """Compute a gradient with the budget of every element: shape (C,), or that of the input.

    ``undetermined``: the channels in which anything conforms. Sums over an empty batch are 0.
    """
    if not expected.output.batch.values.size:
        return all_zero(expected.shape[-1:] if expected.row else expected.shape)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if expected.added:
            found = _sum_of_both(expected)
        elif expected.name == "bias":
            found = _bias_gradient(expected)
        elif expected.name == "weight":
            found = _weight_gradient(expected)
        elif expected.output.batch_statistics:
            found = _input_gradient_in_train(expected)
        else:
            found = _input_gradient_in_eval(expected)
    storage = FORMATS[expected.dtype]
    if storage is not storage.arithmetic:
        rounded = bounds.stored(found.values, storage, found.budget)
        found = found._replace(budget=found.budget + rounded)
    found = found._replace(budget=np.where(np.isfinite(found.values), found.budget, np.nan))
    if expected.row:
        found = found._replace(values=found.values[None], budget=found.budget[None])
    return found


def _bias_gradient(expected: ExpectedGradient) -> OutputValues:
    """Compute sum(g)."""
    found = _channel_sums(expected)
    undetermined = np.isinf(found.upstream_budget)
    return OutputValues(found.upstream, found.upstream_budget, undetermined)


def _weight_gradient(expected: ExpectedGradient) -> OutputValues:
    """Compute sum(g * (x - m)) / s."""
    found, part = _channel_sums(expected), terms(expected.output)
    value = found.products * part.inverse
    undetermined = part.undetermined | np.isinf(found.products_budget)
    fmt = expected.output.arithmetic
    budget = bounds.weight_gradient(value, found.products_budget, part.inverse, part.inverse_error, fmt)
    if expected.normalised:  # the kernel summed g * (x / s - m / s)
        x, g = by_channel(expected.output.batch.values), by_channel(expected.upstream.values)
        mean = np.abs(expected.output.mean.values)
        magnitude = np.abs(g * x).sum(axis=1) + mean * np.abs(g).sum(axis=1)
        budget = budget + propagation.cancelled(magnitude, part.inverse, fmt)
        met = np.maximum(magnitude, np.abs(x).max(axis=1) + mean) * np.abs(part.inverse)
        undetermined = undetermined | (met > fmt.largest)
    return OutputValues(value, budget, undetermined)


def _sum_of_both(expected: ExpectedGradient) -> OutputValues:
    """Compute the gradient of a tensor that is weight and bias."""
    weight, bias = _weight_gradient(expected), _bias_gradient(expected)
    values = weight.values + bias.values
    errors = weight.budget + bias.budget
    for each in (weight, bias):  # each is stored before they are added
        errors = errors + bounds.stored(each.values, FORMATS[expected.dtype], each.budget)
    budget = propagation.accumulated(values, errors, FORMATS[expected.dtype])
    return OutputValues(values, budget, weight.undetermined | bias.undetermined)


def _input_gradient_in_eval(expected: ExpectedGradient) -> OutputValues:
    """Compute g * w / s."""
    part, fmt = terms(expected.output), expected.output.arithmetic
    g, own = expected.upstream.values.astype(np.float64), bounds.ORACLE_OUTPUT_ROUNDINGS
    value = g * plane(part.weight * part.inverse)
    roundings = bounds.gamma(4, fmt.unit) + bounds.gamma(own, FLOAT64.unit)
    relative = bounds.compounded(part.inverse_error, roundings)
    steepest = part.inverse * (1.0 + part.inverse_error)
    budget = np.abs(value) * plane(relative) + np.abs(g) * plane(part.weight_error * steepest)
    return OutputValues(value, budget + fmt.tiny, part.undetermined | overflows(g, part, fmt))


def _unprojected(found: Sums) -> Sums:
    """Return the sums with 0 for sum(g * (x - m)), so that q is 0, unless that sum itself overflows.

    A known defect of torch computes so (``oracle.deviations.narrow``).
    """
    budget = np.where(np.isinf(found.products_budget), np.inf, 0.0)
    return dataclasses.replace(found, products=np.zeros_like(found.products), products_budget=budget)


def _input_gradient_in_train(expected: ExpectedGradient) -> OutputValues:
    """Compute (g - mean(g) - (x - m) * q) * w / s with q = sum(g * (x - m)) / (n * s**2)."""
    output, part = expected.output, terms(expected.output)
    found = _channel_sums(expected)
    found = found if expected.projected else _unprojected(found)
    x, g = output.batch.values.astype(np.float64), expected.upstream.values.astype(np.float64)
    mean, slope = output.mean, part.weight * part.inverse
    deviation = x - plane(mean.values)
    centred = g - plane(found.upstream_mean) - deviation * plane(found.q(part.inverse))
    value = centred * plane(slope)
    budget = bounds.input_gradient(
        found, slope, part.inverse, part.inverse_error, mean, output.arithmetic, output.extra.quotient
    )
    total = (
        plane(budget.constant)
        + plane(budget.per_upstream) * np.abs(g)
        + plane(budget.per_deviation) * np.abs(deviation)
        + plane(budget.per_input) * np.abs(x)
        + plane(budget.per_gradient) * np.abs(value)
        + plane(part.weight_error * part.inverse) * np.abs(centred)
    )
    unbounded = np.isinf(found.products_budget) | np.isinf(found.upstream_budget)
    unbounded |= part.undetermined | overflows(centred, part, output.arithmetic)
    return OutputValues(value, total, unbounded)
