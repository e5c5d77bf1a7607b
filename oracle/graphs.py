"""The graph that autograd makes of a forward, and the kernel that differentiates it."""

from __future__ import annotations

from typing import Tuple

from cases.attributes import PARAMETERS
from cases.inputs import Batch
from cases.variants import NARROW
from oracle import refusals
from oracle.numerics.normalisation import ExpectedOutput
from oracle.semantics import Rules
from oracle.state import Graph, Saved, State, Tensor

SAVED = ("weight", "running_mean", "running_var")
"""The tensors that the backward pass reads, beside the input, if the forward was handed them."""


def recorded(
    state: State, output: ExpectedOutput, trainable: Tuple[str, ...], handed_over: bool
) -> Graph:
    """Return the graph of a forward. ``handed_over``: the forward was handed the running buffers.

    An empty batch is multiplied by a weight and shifted by a bias, and nothing else is read.
    """
    read: Tuple[str, ...] = SAVED if handed_over else SAVED[:1]
    if not output.batch.values.size:
        read = SAVED[:1] if "input" in trainable else ()
    saved = []
    for name in SAVED:
        tensor = state.entry(name)
        if isinstance(tensor, Tensor) and name in read:
            parts = (tensor.identity, tensor.version, tensor.numbers, tensor.form)
            saved.append(Saved(name, *parts, tensor.dtype or state.dtype))
    leaves = [getattr(state.entry(name), "identity", None) for name in PARAMETERS]
    rows = frozenset(state.affine_rows)
    return Graph(output, trainable, tuple(saved), state.dtype, leaves=tuple(leaves), rows=rows)


def check_rows(graph: Graph, incoming: Batch, rules: Rules) -> None:
    """Refuse a weight or bias of shape (1, C): the gradients have the shape (C,).

    For an empty batch there is no kernel.
    """
    if not graph.rows or not graph.output.batch.values.size:
        return
    check_weight(graph, incoming, rules)
    refused = graph.rows & {*graph.trainable}
    if refused == {"weight"} and rules.holds("row_weight_differentiated"):
        return
    if refused:
        raise refusals.invalid_gradient()


def check_bias(graph: Graph, rules: Rules) -> None:
    """Refuse a bias that requires a gradient, asked for or not, where there is no weight."""
    alone = graph.output.weight is None and "bias" in graph.trainable
    if alone and rules.holds("backward_needs_weight"):
        raise refusals.bias_without_weight()


def check_weight(graph: Graph, incoming: Batch, rules: Rules) -> None:
    """Refuse a weight of shape (1, C).

    The kernel for channels_last inputs of float32 and float64 does not look at the shape.
    """
    by_shape = "weight" in graph.rows
    wide = graph.output.dtype not in NARROW
    if by_shape and wide and both_channels_last(graph.output.batch, incoming):
        by_shape = rules.holds("backward_reads_shape_of_weight")
    if by_shape:
        raise refusals.not_one_dimensional(by_accessor=True)


def both_channels_last(given: Batch, incoming: Batch) -> bool:
    """Whether torch's kernel for channels_last tensors differentiates the output.

    It runs where both tensors are contiguous or channels_last, the input is channels_last, and torch
    suggests one format for both (contiguous for an ambiguous tensor). With one value per image it always
    runs: both formats then have the same memory.
    """
    if "other" in (given.memory_format, incoming.memory_format):
        return False
    if given.values.shape[2:] == (1, 1):
        return True
    alike = _suggested(given) == _suggested(incoming)
    return alike and given.memory_format == "channels_last"


def _suggested(given: Batch) -> str:
    return "contiguous" if given.ambiguous else given.memory_format
