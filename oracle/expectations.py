"""What construction and every step of a program must show."""

from __future__ import annotations

from typing import List, Optional, Tuple

from cases.case import Case
from cases.steps import Accumulate, Backward, Double, Forward, Step
from oracle.accumulation import accumulated
from oracle.batch_norm import advance, begin
from oracle.defects import Defect
from oracle.deviations import DEVIATIONS, Situation
from oracle.semantics import Semantics
from oracle.state import Expected, State

Expectations = Tuple[Expected, ...]
"""What construction and every step must show; construction alone where it must fail."""


def expectations(case: Case, semantics: Semantics) -> Expectations:
    """Compute what is right on the release."""
    expected = [begin(case.config, case.variant.module_dtype, semantics)]
    if expected[0].error is None:
        for step in case.steps:
            expected.append(advance(expected[-1].state, step, case.variant, semantics))
    return tuple(expected)


def deviating(
    case: Case, expected: Expectations, semantics: Semantics, defect: Defect, threads: int
) -> Optional[Expectations]:
    """Compute what is seen with the defect; None where no step is in its circumstances.

    ``expected``: what is right. ``threads``: torch's number of threads.
    """

    def seen(before: State, step: Step, right: Expected) -> Expected:
        if isinstance(step, Accumulate):
            returned = advance(before, step.backward, case.variant, semantics)
            wrong = seen(before, step.backward, returned)
            return right if wrong is returned else accumulated(right, wrong)
        if not isinstance(step, (Forward, Backward, Double)):
            return right
        situation = Situation(before, step, case.variant, semantics, threads)
        return DEVIATIONS[defect.name](right, situation)

    steps = zip(case.steps, expected, expected[1:])
    if all(seen(before.state, step, right) is right for step, before, right in steps):
        return None
    deviated: List[Expected] = [expected[0]]
    for step in case.steps:
        before = deviated[-1].state
        deviated.append(seen(before, step, advance(before, step, case.variant, semantics)))
    return tuple(deviated)
