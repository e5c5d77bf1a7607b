"""What the oracle expects of the cases that come next, worked out for many of them at a time.

Nothing here looks at a subject: the expectations of a case are the same whenever they are worked out.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import Dict, Iterable, Iterator, Optional, Sequence, Tuple

from cases import catalogue
from cases.case import Case
from oracle.batch_norm import advance, begin
from oracle.quantity import settle
from oracle.semantics import Semantics
from oracle.state import Expected
from tests import arrays

Expectations = Sequence[Expected]
"""What construction and every step must show; construction alone where it must fail."""

CASES, STEPS = 256, 4096
"""So many cases are worked out together, or as many as have so many steps."""


def expectations(case: Case, semantics: Semantics) -> Expectations:
    """Of one case; numbers are computed when they are looked at."""
    now = begin(case.config, case.variant, semantics)
    expected = [now]
    if now.error is None:
        for step in case.steps:
            now = advance(now.state, step, case.variant, semantics)
            expected.append(now)
    return expected


def compute(expected: Iterable[Expected]) -> None:
    """Has all numbers computed that will be compared."""
    forwards = [each for each in expected if each.output is not None]
    states = [each.state for each in forwards]
    running = chain([each.running_mean for each in states], [each.running_var for each in states])
    settle([slot.quantity for slot in running if slot is not None])
    arrays.prepare([each.output for each in forwards if each.output is not None])


class Forecast:
    """Cases with their expectations on one release, ready before they run."""

    def __init__(self, semantics: Semantics) -> None:
        self._semantics = semantics
        self._ready: Dict[str, Tuple[Case, Expectations]] = {}

    def of(self, case_id: str, following: Iterable[str]) -> Tuple[Case, Expectations]:
        """The case and its expectations; ``following``: the ids of the cases that will run after it."""
        if case_id not in self._ready:
            try:
                self._ready = self._worked_out(chain((case_id,), following))
            except Exception:  # of any of them: each fails when its own turn comes, and no other
                self._ready = self._worked_out((case_id,))
        return self._ready.pop(case_id)

    def _worked_out(self, ids: Iterable[str]) -> Dict[str, Tuple[Case, Expectations]]:
        ready: Dict[str, Tuple[Case, Expectations]] = {}
        last: Optional[Case] = None
        expected: Expectations = ()
        for case in _together(ids):
            if last is None or not _one_program(last, case):
                expected = expectations(case, self._semantics)
            ready[case.id] = case, expected
            last = case
        compute(each for _, expected in ready.values() for each in expected)
        return ready


def _one_program(one: Case, other: Case) -> bool:
    """As claims about one experiment have."""
    same = one.steps is other.steps and one.variant == other.variant
    return same and repr(one.config) == repr(other.config)  # 1 and 1.0 differ


def _together(ids: Iterable[str]) -> Iterator[Case]:
    """As many of them as are worth it."""
    steps = 0
    for each in islice(ids, CASES):
        case = catalogue.find(each)
        yield case
        steps += len(case.steps)
        if steps > STEPS:
            return
