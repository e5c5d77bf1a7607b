"""The expectations: what construction and every step of a program must show."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

from cases.case import Case
from cases.steps import Accumulate, Backward, Double, Forward, Forwards, LoadStateDict, forwards
from cases.variants import Variant
from oracle.accumulation import accumulated
from oracle.batch_norm import advance, begin
from oracle.defects import Defect
from oracle.deviations import DEVIATIONS, Situation
from oracle.semantics import Semantics
from oracle.state import Expected, State

DEVIATING = (Forward, Backward, Accumulate, Double, LoadStateDict)
"""The types of the steps in which a known defect may show, in addition to ``Forwards``."""

Expectations = Tuple[Expected, ...]
"""The expectations of construction and of every step; only construction's where it must fail."""


def expectations(case: Case, semantics: Semantics) -> Expectations:
    """Compute what is right on the release."""
    expected = [begin(case.config, case.variant.module_dtype, semantics)]
    if expected[0].error is None:
        for step in case.steps:
            expected.append(advance(expected[-1].state, step, case.variant, semantics))
    return tuple(expected)


def deviating(
    case: Case,
    expected: Expectations,
    semantics: Semantics,
    defects: Sequence[Defect],
    threads: int,
) -> Optional[Expectations]:
    """Compute what is seen with all of the defects; None where no step is in their circumstances.

    ``expected``: what is right. ``threads``: torch's number of threads. Where several defects show at one
    step, each is applied to the result of the one before it.
    """
    seen: List[Expected] = [expected[0]]
    deviates = False
    for step, right in zip(case.steps, expected[1:]):
        before = seen[-1].state
        if deviates:
            right = advance(before, step, case.variant, semantics)
        found = right
        if isinstance(step, Forwards):
            found = _series(right, before, step, case.variant, semantics, defects, threads)
        elif isinstance(step, DEVIATING):
            found = _shown(right, Situation(before, step, case.variant, semantics, threads), defects)
        deviates = deviates or found is not right
        seen.append(found)
    return tuple(seen) if deviates else None


def _shown(right: Expected, situation: Situation, defects: Sequence[Defect]) -> Expected:
    """Return what one step shows with the defects; outside of their circumstances, ``right`` itself."""
    step = situation.step
    if isinstance(step, Accumulate):
        before, variant, semantics = situation.before, situation.variant, situation.semantics
        returned = advance(before, step.backward, variant, semantics)
        wrong = _shown(returned, situation._replace(step=step.backward), defects)
        return right if wrong is returned else accumulated(right, wrong)
    found = right
    for defect in defects:
        found = DEVIATIONS[defect.name](found, situation)
    return found


def _series(
    right: Expected,
    before: State,
    step: Forwards,
    variant: Variant,
    semantics: Semantics,
    defects: Sequence[Defect],
    threads: int,
) -> Expected:
    """Return what a series of forwards shows, up to the first that raises."""
    shown, deviates = Expected(before), False
    for each in forwards(step):
        situation = Situation(shown.state, each, variant, semantics, threads)
        alone = advance(shown.state, each, variant, semantics)
        shown = _shown(alone, situation, defects)
        deviates = deviates or shown is not alone
        if shown.error is not None:
            break
    return shown if deviates else right
