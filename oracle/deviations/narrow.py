"""The deviation of float16 and bfloat16 kernels that do part of their arithmetic in 16 bits."""

from __future__ import annotations

import dataclasses
from typing import Sequence

import numpy as np

from cases.derivatives import Backward, Double, Jvp
from cases.inputs.layouts import DENSE, ORDERS
from cases.variants import NARROW
from oracle.batch_norm import hands_over_buffers
from oracle.deviations.situation import Situation, with_gradients
from oracle.deviations.sums import with_statistics
from oracle.expected_derivatives import ExpectedGradient
from oracle.numerics import bounds
from oracle.numerics.budgeted import Budgeted, undetermined
from oracle.numerics.formats import FORMATS, Format
from oracle.numerics.normalisation import ExpectedOutput
from oracle.numerics.plain_sums import channels_last_statistics, sums_by_rows
from oracle.numerics.statistics import Statistics, statistics
from oracle.semantics import Rules
from oracle.state import Expected
from oracle.switch import Release

FLOAT16_SUMS = (2, 2), (2, 5)
"""The first and last release that sum in float16 in a float16 module. Their results are undetermined."""

BFLOAT16_SUMS, NARROW_GRADIENT_SUMS = (2, 0), (2, 2)
"""The last releases that sum in 16 bits: in the forward of a bfloat16 module, where the layout is neither
contiguous nor channels_last (what comes out is left undetermined), and in a backward."""

NARROW_GRADIENT_MEAN = (2, 6)
"""The last release whose backward divides the sum of the upstream gradient by n in 16 bits, also for a
float32 module: where n overflows, what comes out is left undetermined (PR #147353)."""

OVERFLOWING_COUNT = 65520
"""The smallest number that float16 rounds to an infinity."""


def narrow_arithmetic(right: Expected, situation: Situation) -> Expected:
    """Part of the arithmetic of float16 and bfloat16 rounds to 16 bits."""
    if isinstance(situation.step, Backward):
        return _narrow_backward(right, situation)
    if isinstance(situation.step, Double):
        return _narrow_derivatives(right)
    output = right.output
    if output is None or output.dtype not in NARROW or not output.batch.values.size:
        return right
    if output.dtype != right.state.dtype and (right.state.graphs[0].saved or output.bias is not None):
        return _mixed(right, output, situation)
    seen = right
    if output.batch_statistics:
        fmt = FORMATS[output.dtype]
        if sums_by_rows(output.batch):
            found = channels_last_statistics(output.batch, situation.threads)
        else:
            found = statistics(output.batch, False, any_order=True)
        found = narrow_statistics(found, output.eps, fmt)
        if _sums_narrowly(output, situation.semantics.release):
            found = _undetermined(found)
        seen = with_statistics(right, output, situation.before, found, working=fmt)
    if output.batch.memory_format in DENSE and not situation.gaps:
        return seen
    assert seen.output is not None
    working = dataclasses.replace(seen.output, working=output.dtype)
    return dataclasses.replace(seen, output=working, state=seen.state.with_last_graph(output=working))


def _sums_narrowly(output: ExpectedOutput, release: Release) -> bool:
    """Whether the statistics of a narrow module are sums in its dtype."""
    if output.dtype == "float16":
        return FLOAT16_SUMS[0] <= release <= FLOAT16_SUMS[1]
    return release <= BFLOAT16_SUMS and output.batch.memory_format not in DENSE


def _undetermined(found: Statistics) -> Statistics:
    """Return statistics of which any value conforms."""
    numbers = (found.mean, found.biased_variance, found.unbiased_variance)
    return Statistics(found.count, *map(undetermined, numbers))


def _mixed(right: Expected, output: ExpectedOutput, situation: Situation) -> Expected:
    """Return what a forward of a float32 module with a narrow input shows.

    If the kernel is handed a tensor of the module, it sums the input in float32, value by value: an
    outlier's square takes the last digits of all others. If not, it works in 16 bits throughout.
    """
    if not output.batch_statistics or sums_by_rows(output.batch):
        return right
    found = statistics(output.batch, False, any_order=True)
    return with_statistics(right, output, situation.before, found)


def _narrow_backward(right: Expected, situation: Situation) -> Expected:
    """Return what a backward shows that works in the narrow dtype.

    It does so where input and upstream gradient do not lie alike and densely. A module of that dtype
    divides by n in it, too: where n overflows to an infinity, q comes out as 0.
    """
    release = situation.semantics.release

    def narrowed(each: ExpectedGradient) -> ExpectedGradient:
        x, g = each.output.batch, each.upstream
        alike = x.memory_format in DENSE and (x.layout, x.ambiguous) == (g.layout, g.ambiguous)
        if each.output.dtype not in NARROW or (alike and each.output.working is None):
            return each
        output = dataclasses.replace(each.output, working=each.output.dtype)
        projected = not _count_overflows(output, situation.before.dtype)
        narrowly = release <= NARROW_GRADIENT_SUMS
        if release <= NARROW_GRADIENT_MEAN:
            narrowly = narrowly or _count_overflows(output, output.dtype)
        return dataclasses.replace(each, output=output, projected=projected, narrow_sums=narrowly)

    return with_gradients(right, narrowed)


def _narrow_derivatives(right: Expected) -> Expected:
    """Every operation of a second derivative is rounded to the dtype of the input."""
    if not any(each.output.dtype in NARROW for each in right.derivatives):
        return right
    seen = []
    for each in right.derivatives:
        output = dataclasses.replace(each.output, working=each.output.dtype)
        seen.append(dataclasses.replace(each, output=output))
    return dataclasses.replace(right, derivatives=tuple(seen))


def narrow_tangents(right: Expected, situation: Situation) -> Expected:
    """Every operation of a tangent is rounded to 16 bits; a float32 tensor of the module widens it.

    ``torch.autograd.functional`` differentiates gradients instead, and those have the right dtype.
    """
    step, seen = situation.step, _narrow_derivatives(right)
    if seen is right or not isinstance(step, Jvp) or step.way == "functional_jvp":
        return seen
    tangent = seen.derivatives[0]
    output, module = tangent.output, right.state.dtype
    before = situation.before
    averaged = hands_over_buffers(before, Rules(situation.semantics)) and before.running_mean is not None
    recorded = output.weight is not None or (
        step.way == "func_jvp" and (output.bias is not None or averaged)
    )
    widened = _widened(output, recorded and step.way != "jvp_parameters")
    if "input" not in tangent.differentiated:
        widened = _widened_by_parameters(output, tangent.differentiated)
    if module == output.dtype or not output.batch.values.size or not widened:
        return seen
    promoted = dataclasses.replace(tangent, dtype=module)
    return dataclasses.replace(seen, derivatives=(promoted,))


def _widened(output: ExpectedOutput, recorded: bool) -> bool:
    """Whether a float32 tensor of the module takes part in the tangent of a narrow input.

    A dense input in another order than the output has a tangent in that order, which torch copies into
    the order of the output, and into its dtype. In train mode a weight takes part unless it has a tangent
    (``recorded``); in torch.func.jvp so does a bias, and a running statistic that is updated.
    """
    if output.batch.layout in ORDERS and output.batch.memory_format not in DENSE:
        return False
    return recorded or not output.batch_statistics


def _widened_by_parameters(output: ExpectedOutput, differentiated: Sequence[str]) -> bool:
    """Whether the tangents of weight and bias widen that of the output, where the input has none.

    They do, unless it is copied into another order. It has the order of the input if that is multiplied
    by the weight's tangent in eval mode, else it is contiguous.
    """
    if "weight" in differentiated and not output.batch_statistics:
        return _widened(output, True)
    return output.memory_format == "contiguous"


def _count_overflows(output: ExpectedOutput, module_dtype: str) -> bool:
    """Whether n, the number of values in a channel, is an infinity in the dtype of input and module."""
    count = output.batch.values.size // max(output.shape[1], 1)
    return output.dtype == module_dtype == "float16" and count >= OVERFLOWING_COUNT


def narrow_statistics(found: Statistics, eps: float, fmt: Format) -> Statistics:
    """Return statistics whose mean and inverse deviation are rounded to a narrow format before use.

    The variance may be taken about the rounded mean, which adds to it. As part of variance + eps, a
    rounding of the inverse deviation counts twice; the rounding is an absolute one where the inverse is
    subnormal. An inverse deviation that overflows leaves the output undetermined.
    """
    moved = bounds.stored(found.mean.values, fmt)
    with np.errstate(over="ignore"):
        about = moved**2 * found.count / max(found.count - 1, 1)

    def widened(variance: Budgeted, eps: float) -> Budgeted:
        total = variance.values + eps
        rounded = bounds.stored(3 * total, fmt)
        subnormal = np.sqrt(total) > 1 / fmt.tiny
        rounded += np.where(subnormal, 2 * np.abs(total) ** 1.5 * fmt.unit * fmt.tiny, 0.0)
        return Budgeted(variance.values, variance.budget + about + rounded, variance.nonnegative)

    with np.errstate(invalid="ignore", over="ignore"):
        biased = widened(found.biased_variance, eps)
        overflows = biased.values + eps - (biased.budget - about) < fmt.largest**-2.0
        if overflows.any():
            budget = np.where(overflows, np.inf, biased.budget)
            biased = Budgeted(biased.values, budget, biased.nonnegative)
        return Statistics(
            found.count,
            Budgeted(found.mean.values, found.mean.budget + moved),
            biased,
            widened(found.unbiased_variance, 0.0),
        )
