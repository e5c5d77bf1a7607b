"""Where a step takes place, as far as a known defect may depend on it."""

from __future__ import annotations

from typing import Callable, NamedTuple

from cases.steps import Step
from cases.variants import Variant
from oracle.semantics import Semantics
from oracle.state import Expected, State


class Situation(NamedTuple):
    """Where a step takes place: the module before it, the step, and what runs it."""

    before: State
    step: Step
    variant: Variant
    semantics: Semantics
    threads: int


Deviation = Callable[[Expected, Situation], Expected]
"""What is right to what is seen; the argument itself outside of the circumstances."""
