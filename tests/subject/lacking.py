"""The attributes and methods that a class lacks, and the steps that it does not offer for that reason.

The promise of values asks for numbers alone, so a class may keep them without a counter, flags or resets.
"""

from __future__ import annotations

from typing import Any, FrozenSet, Optional, Tuple

from cases.attributes import COUNTER, FLAGS, TENSORS
from cases.case import Case
from cases.steps import RESETS, Alias, Attach, Copy, Count, Drop, LoadStateDict, Reset, SetAttribute, Step
from tests.subject.subject import Unoffered


def lacking(module: Any) -> FrozenSet[str]:
    """Return the names of BatchNorm2d's attributes and resets that the module has not."""
    return frozenset(name for name in (*TENSORS, *FLAGS, *RESETS) if not hasattr(module, name))


def unoffered(case: Case, lacks: FrozenSet[str]) -> Optional[Unoffered]:
    """Return the first step that needs something which the class lacks."""
    for number, step in enumerate(case.steps, 1):
        for name in _needed(step):
            if name in lacks:
                return Unoffered(number, f"the class has no {name}")
    return None


def _needed(step: Step) -> Tuple[str, ...]:
    """Return the names without which a step cannot be performed, or would do nothing."""
    if isinstance(step, (SetAttribute, Drop, Attach)):
        return (step.name,)
    if isinstance(step, Alias):
        return (step.name, step.source)
    if isinstance(step, Reset):
        return (step.method,)
    by_state_dict = isinstance(step, Copy) and step.how == "state_dict"
    return (COUNTER,) if by_state_dict or isinstance(step, (Count, LoadStateDict)) else ()
