"""Properties of an output besides its numbers: memory format, and whether it requires a gradient."""

from __future__ import annotations

from typing import Tuple

from cases.inputs import Batch
from cases.steps import OVERWRITTEN
from oracle.semantics import Rules
from oracle.state import State

UNRECORDED = ("no_grad", "inference")
"""The ways of calling of which autograd records nothing."""

REQUIRING = ("input_grad", "view", *OVERWRITTEN)
"""The ways of calling in which the input requires a gradient."""

HOOKS = "pre-hook hook"
"""The hooks that a forward calls, in order."""


def memory_format(given: Batch, gaps: bool, batch_statistics: bool, rules: Rules) -> str:
    """Return ``channels_last`` or ``contiguous``.

    It is channels_last where torch suggests that for a tensor like the input, except where the kernel or
    the release makes the output contiguous.
    ``gaps``: whether a tensor of the module has gaps in memory, see ``State.gaps``.
    """
    if given.suggested_format != "channels_last":
        return "contiguous"
    gaps = gaps or (not batch_statistics and given.memory_format == "other")
    if gaps and (given.ambiguous or rules.holds("gaps_make_output_contiguous")):
        return "contiguous"
    if batch_statistics and rules.holds("train_output_contiguous"):
        return "contiguous"
    return "channels_last"


def refuses_trainable(way: str, rules: Rules) -> bool:
    """Whether a call refuses a running statistic that requires a gradient."""
    if way == "no_grad":
        return rules.holds("no_grad_refuses_trainable_statistics")
    return way not in UNRECORDED


def trainable(state: State, given: Batch, way: str, rules: Rules) -> Tuple[str, ...]:
    """Return those of input, weight and bias through which autograd differentiates the output."""
    if way in UNRECORDED:
        return ()
    names = [
        name
        for name, tensor in (("weight", state.weight), ("bias", state.bias))
        if tensor is not None and tensor.requires_grad
    ]
    if not given.values.size and names and rules.holds("empty_output_detached"):
        names = []
    return ("input", *names) if way in REQUIRING else tuple(names)
