"""The autograd steps: those that differentiate the output of a forward or clear ``.grad``."""

from __future__ import annotations

from typing import Dict, Type

from cases.steps import Accumulate, Backward, Double, Step, ZeroGrad
from oracle.accumulation import accumulate, zero_grad
from oracle.backward import backward
from oracle.second_derivatives import double
from oracle.state import Meaning

AUTOGRAD_STEPS: Dict[Type[Step], Meaning] = {
    Backward: backward,
    Accumulate: accumulate,
    ZeroGrad: zero_grad,
    Double: double,
}
"""Maps the type of a step to its meaning."""
