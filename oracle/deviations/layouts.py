"""The deviations of kernels that assume other strides than a tensor has."""

from __future__ import annotations

import dataclasses
from typing import List, Mapping, Optional, Set

import numpy as np

from cases.derivatives import Backward
from cases.inputs import Batch
from cases.inputs.layouts import DENSE, ORDERS
from oracle.deviations.situation import Situation, with_gradients
from oracle.expected_derivatives import ExpectedGradient
from oracle.graphs import both_channels_last
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.normalisation import ExpectedOutput
from oracle.state import Expected, ExpectedError


def _read_as(given: Batch, memory_format: str) -> Batch:
    """Return the gradient as a kernel sees it that reads its memory in another order of dimensions."""
    memory = given.values.transpose(ORDERS.get(given.layout, ORDERS["contiguous"])).reshape(-1)
    order = ORDERS[memory_format]
    read = memory.reshape([given.values.shape[each] for each in order]).transpose(np.argsort(order))
    return dataclasses.replace(given, values=read)


def backward_misreads_ambiguous_layout(right: Expected, situation: Situation) -> Expected:
    """The gradient is read in the memory format of the input where one of the two is ambiguous."""
    if right.gradients is None or not isinstance(situation.step, Backward):
        return right
    gradients: List[Optional[ExpectedGradient]] = []
    for each in right.gradients:
        if each is None:
            gradients.append(None)
            continue
        x, g = each.output.batch, each.upstream
        misread = (x.ambiguous and g.memory_format == "contiguous") or (
            g.ambiguous and x.memory_format == "contiguous"
        )
        if not misread:
            return right
        gradients.append(dataclasses.replace(each, upstream=_read_as(g, x.memory_format)))
    return dataclasses.replace(right, gradients=tuple(gradients))


def one_channel_permuted_misplaced(right: Expected, situation: Situation) -> Expected:
    """The numbers of a permuted tensor of one channel come out in the order of its memory.

    This concerns the output and, in train mode, the input gradient if the input is permuted; in eval mode
    it concerns the input gradient if the upstream gradient is permuted.
    """
    output = right.output
    if output is not None and _one_channel_permuted(output.batch):
        misplaced = dataclasses.replace(output, batch=_in_memory_order(output.batch))
        return dataclasses.replace(right, output=misplaced)
    return with_gradients(right, _gradient_misplaced)


def _gradient_misplaced(gradient: ExpectedGradient) -> ExpectedGradient:
    x, g = gradient.output.batch, gradient.upstream
    permuted = _one_channel_permuted(x if gradient.output.batch_statistics else g)
    if gradient.name != "input" or not permuted:
        return gradient
    placed = dataclasses.replace(gradient.output, batch=_in_memory_order(x))
    return dataclasses.replace(gradient, output=placed, upstream=_in_memory_order(g))


def _one_channel_permuted(given: Batch) -> bool:
    return given.layout == "permuted" and given.values.shape[1] == 1 and given.values.size > 0


def _in_memory_order(given: Batch) -> Batch:
    values = given.values.transpose(ORDERS["permuted"]).reshape(given.values.shape)
    return dataclasses.replace(given, values=values)


def mixed_bfloat16_layout_raises(right: Expected, situation: Situation) -> Expected:
    """A bfloat16 input of a float32 module that is neither contiguous nor channels_last is refused.

    A kernel that is handed no tensor of the module has nothing to mix.
    """
    output = right.output
    if output is None or output.dtype != "bfloat16" or right.state.dtype != "float32":
        return right
    dense = output.batch.memory_format in DENSE and not situation.gaps
    if dense or not output.batch.values.size:
        return right
    if not right.state.graphs[0].saved and output.bias is None:
        return right
    state = right.state.changed(graphs=situation.before.graphs)
    error = ExpectedError("RuntimeError", "needs_dynamic_casting")
    return dataclasses.replace(right, output=None, error=error, state=state)


def channels_last_backward_misreads_weight(right: Expected, situation: Situation) -> Expected:
    """The weight is read from consecutive places, whatever its stride: only the first value is right.

    The oracle does not know what lies in the other places, so any input gradient conforms in their
    channels.
    """
    return _misread(right, situation, {"weight": {"input"}}, first=1)


def channels_last_backward_misreads_statistics(right: Expected, situation: Situation) -> Expected:
    """The backward of an eval-mode forward reads memory that is not that of the running statistic.

    The oracle does not know what lies there, so anything conforms that depends on the statistic.
    """
    reads = {"running_mean": {"weight"}, "running_var": {"input", "weight"}}
    return _misread(right, situation, reads, first=0)


def rows_misread(right: Expected, situation: Situation) -> Expected:
    """A weight or bias of shape (1, C) is read by the stride of its row: only the first value is right.

    The oracle does not know what lies in the other places, so any output conforms in their channels. In
    eval mode the kernels for dense inputs read the values one after another.
    """
    output = right.output
    if output is None or not situation.before.affine_rows or not output.batch.values.size:
        return right
    if output.batch.memory_format in DENSE and not output.batch_statistics:
        return right
    return dataclasses.replace(right, output=_unknown(output, first=1))


def _misread(
    right: Expected, situation: Situation, reads: Mapping[str, Set[str]], first: int
) -> Expected:
    """Return gradients that are undetermined where they depend on tensors that do not lie densely.

    ``reads``: maps the name of a tensor to the names of the gradients that depend on it. ``first``: the
    first channel that is undetermined.
    """
    if right.gradients is None or not isinstance(situation.step, Backward):
        return right
    saved = situation.before.graphs[int(situation.step.earlier)].saved
    wrong: Set[str] = set()
    for each in saved:
        if each.form in ("strided", "expanded"):
            wrong |= reads.get(each.name, set())

    def misread(gradient: ExpectedGradient) -> ExpectedGradient:
        if gradient.name not in wrong or not _misreads(gradient, reads):
            return gradient
        return dataclasses.replace(gradient, output=_unknown(gradient.output, first))

    return with_gradients(right, misread)


def _misreads(gradient: ExpectedGradient, reads: Mapping[str, Set[str]]) -> bool:
    """Whether the kernel for channels_last runs, and reads the tensors."""
    read = "weight" in reads or not gradient.output.batch_statistics
    return read and both_channels_last(gradient.output.batch, gradient.upstream)


def _unknown(output: ExpectedOutput, first: int) -> ExpectedOutput:
    """Return an output of whose channels nothing is known, from one on."""
    variance = output.variance
    budget = np.where(np.arange(variance.channels) >= first, np.inf, variance.budget)
    return dataclasses.replace(output, variance=Budgeted(variance.values, budget, variance.nonnegative))
