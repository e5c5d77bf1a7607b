"""What an output is apart from its numbers: its memory format, and whether it requires a gradient."""

from __future__ import annotations

from cases.inputs import Batch
from oracle.semantics import Rules
from oracle.state import State


def strides(given: Batch, batch_statistics: bool, rules: Rules) -> str:
    """The memory format of the output: the input's, except where the release made it contiguous."""
    if given.layout != "channels_last":
        return "contiguous"
    if batch_statistics and rules.holds("train_output_contiguous"):
        return "contiguous"
    return "channels_last"


def requires_grad(state: State, given: Batch, grad: str, rules: Rules) -> bool:
    """Whether the output requires a gradient: when anything that went into it does."""
    trainable = [each for each in (state.weight, state.bias) if each is not None and each.requires_grad]
    if not given.values.size and trainable and rules.holds("empty_output_detached"):
        trainable = []
    return grad != "no_grad" and (bool(trainable) or grad == "input_grad")
