"""What construction and every step of a program must show."""

from __future__ import annotations

from typing import List, Optional, Tuple

from cases.case import Case
from oracle.batch_norm import advance, begin
from oracle.defects import Defect, Situation
from oracle.semantics import Semantics
from oracle.state import Expected

Expectations = Tuple[Expected, ...]
"""What construction and every step must show; construction alone where it must fail."""


def expectations(case: Case, semantics: Semantics) -> Expectations:
    """What is right on the release."""
    expected = [begin(case.config, case.variant.dtype, semantics)]
    if expected[0].error is None:
        for step in case.steps:
            expected.append(advance(expected[-1].state, step, case.variant, semantics))
    return tuple(expected)


def deviating(
    case: Case, semantics: Semantics, defect: Defect, threads: int
) -> Optional[Expectations]:
    """What is seen where the release has the defect; None where no step is in its circumstances.

    ``threads``: torch's number of threads.
    """
    expected: List[Expected] = [begin(case.config, case.variant.dtype, semantics)]
    covered = False
    for step in case.steps if expected[0].error is None else ():
        before = expected[-1].state
        right = advance(before, step, case.variant, semantics)
        situation = Situation(before, step, case.variant, semantics, threads)
        expected.append(defect.deviation(right, situation))
        covered = covered or expected[-1] is not right
    return tuple(expected) if covered else None
