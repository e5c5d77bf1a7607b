"""What a module says of itself, and patterns for what its exceptions say."""

from __future__ import annotations

import re

from oracle.semantics import Rules
from oracle.state import State


def shown(state: State, what: str, rules: Rules) -> str:
    """The text that ``cases.steps.Show`` asks for.

    The repr tells the attributes as they are now; of the bias, whether it is there.
    """
    if what == "keys":
        return " ".join(sorted(state.present()))
    if what == "version":
        return "2"
    bias = "" if rules.holds("repr_without_bias") else f", bias={state.bias is not None}"
    return (
        f"{state.num_features}, eps={state.eps}, momentum={state.momentum}, affine={state.affine}"
        f"{bias}, track_running_stats={state.track_running_stats})"
    )


def just(value: object) -> str:
    """A pattern for the value's text and nothing else."""
    return re.escape(str(value))
