"""The autograd steps: those that differentiate the output of a forward or clear ``.grad``."""

from __future__ import annotations

from typing import Dict, Type

from cases.derivatives import Accumulate, Backward, Detach, Double, Triple, ZeroGrad
from cases.steps import Step
from cases.variants import Variant
from oracle import refusals
from oracle.accumulation import accumulate, zero_grad
from oracle.backward import backward
from oracle.second_derivatives import double
from oracle.semantics import Rules
from oracle.state import Expected, Meaning, State
from oracle.third_derivatives import triple


def _detach(state: State, step: Detach, variant: Variant, rules: Rules) -> Expected:
    """Detach the last output from its graph."""
    if not state.graphs:
        raise refusals.no_output()
    return Expected(state.with_last_graph(trainable=()))


AUTOGRAD_STEPS: Dict[Type[Step], Meaning] = {
    Backward: backward,
    Accumulate: accumulate,
    ZeroGrad: zero_grad,
    Detach: _detach,
    Double: double,
    Triple: triple,
}
"""Maps the type of a step to its meaning."""
