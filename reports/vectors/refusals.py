"""The exceptions of torch that a port must raise as well, each under the flag that names its reason."""

from __future__ import annotations

from typing import Optional, Tuple

from cases.steps import Forward, Reset, Step
from oracle.state import ExpectedError

_FORWARD: Tuple[Tuple[str, str], ...] = (
    ("^expected 4D input", "WrongRank"),
    ("^Expected more than 1 value per channel", "OneValuePerChannel"),
    ("^batch_norm eps must be", "RefusedEps"),
    (" should contain ", "WrongChannels"),
    ("must be defined in evaluation mode", "OneStatisticMissing"),
    ("^running_mean and running_var must either", "OneStatisticMissing"),
    ("division by zero", "CounterAtZero"),
)
"""Pairs of a text in the pattern of the message of a forward, and the flag of the reason."""


def flag(step: Step, error: ExpectedError) -> Optional[str]:
    """Return the flag of a refusal that has a meaning outside of torch.

    None for the others: those of Python's types, of autograd, and of the memory of a tensor.
    """
    if isinstance(step, Reset):
        return "ResetWithoutTensor" if error.kind == "AttributeError" else None
    if not isinstance(step, Forward):
        return None
    return next((name for text, name in _FORWARD if text in error.pattern), None)
