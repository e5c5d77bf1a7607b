"""The part of a case that a subject is judged by, what it must show, and the clauses that apply.

A program is judged up to the first step that the subject does not offer, or of which its promise says
nothing. All steps before it must agree; the case is then *not applicable*, never a pass.
"""

from __future__ import annotations

import dataclasses
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from cases.case import Case
from cases.steps import Step
from oracle.expectations import Expectations, expectations
from oracle.paths import stepping
from oracle.semantics import Semantics
from oracle.state import Expected
from reports.rows import VALUES
from tests.comparison.distinction import distinguishable
from tests.comparison.promises import promised
from tests.subject.contract import Circumstances, Clause
from tests.subject.subject import Subject, Unoffered

Met = Mapping[int, Tuple[Clause, ...]]
"""Maps the number of a step to the clauses in whose circumstances it is; other steps are missing."""

NONE_MET: Met = {}

UNPROMISED = "torch raises here, of which the promise of values says nothing"
"""The reason why a case is not applicable that must raise, with the promise of values."""


class Program(NamedTuple):
    """The part of a case that is judged.

    ``case``: the case with the steps that are judged, under its own id. ``expected``: what these must
    show. ``met``: the clauses that apply. ``rest``: why the other steps are not judged, None where all
    are. ``subject``: whose promise and contract these are. ``right``: what the steps must show without
    the contract.
    """

    case: Case
    expected: Expectations
    met: Met
    rest: Optional[Unoffered]
    subject: Subject
    right: Expectations

    @property
    def promise(self) -> str:
        """The promise that says what is compared, one of PROMISES."""
        return self.subject.promise

    @property
    def deviates(self) -> bool:
        """Whether the expectations under the contract can be distinguished from the right ones.

        The expectations on a path already contain the deviations of its contract, and name the clauses.
        """
        clauses = [each for here in self.met.values() for each in here]
        if any(each.instead is None for each in clauses) or any(each.clauses for each in self.right):
            return True
        return bool(clauses) and distinguishable(self.right, self.expected)

    def met_by(self, seen: Expectations) -> Met:
        """Return the clauses that apply, with those that a path names only where defects show.

        ``seen``: what the steps show, with these defects.
        """
        met = dict(self.met)
        steps = zip(self.case.steps, self.expected[1:], seen[1:])
        for number, (step, right, each) in enumerate(steps, 1):
            if not {*each.clauses} <= {*right.clauses}:
                there = Circumstances(self.case, number, step, seen[number - 1].state, each)
                more = [one for one in self.subject.contract if one.instead is None and one.when(there)]
                before = met.get(number, ())
                met[number] = (*before, *(one for one in more if one not in before))
        return met

    @property
    def empty(self) -> bool:
        """Whether not even construction is judged."""
        return self.rest is not None and self.rest.step == 0


def program(case: Case, subject: Subject, semantics: Semantics) -> Program:
    """Return the part of a case that is judged."""
    expected = expectations(case, semantics)
    rest = _rest(case, expected, subject)
    if rest is not None:
        steps = case.steps[: max(rest.step - 1, 0)]
        case, expected = dataclasses.replace(case, steps=steps), expected[: len(steps) + 1]
    met, seen = _under_contract(case, expected, subject, semantics)
    return Program(case, seen, met, rest, subject, expected)


def _rest(case: Case, expected: Expectations, subject: Subject) -> Optional[Unoffered]:
    """Return the first step that is not judged, None where all are."""
    found = subject.offers(case)
    if subject.promise != VALUES:
        return found
    raising = (number for number, each in enumerate(expected) if each.error is not None)
    first = next(raising, None)
    if first is not None and (found is None or first < found.step):
        return Unoffered(first, UNPROMISED)
    return found


def _under_contract(
    case: Case, expected: Expectations, subject: Subject, semantics: Semantics
) -> Tuple[Met, Expectations]:
    """Return the clauses that apply, and what the steps must show with those that have an ``instead``."""
    clauses = [each for each in subject.contract if _is_promised(each, subject.promise)]
    if not clauses:
        return NONE_MET, expected
    met: Dict[int, Tuple[Clause, ...]] = {}
    seen: List[Expected] = []
    deviates = False
    steps: Sequence[Optional[Step]] = (None, *case.steps)
    for number, (step, right) in enumerate(zip(steps, expected)):
        before = seen[-1].state if seen else None
        if deviates and step is not None and before is not None:
            right = stepping(case.path)(before, step, case.variant, semantics)
        there = Circumstances(case, number, step, before, right)
        here = tuple(each for each in clauses if each.when(there))
        if here:
            met[number] = here
        for clause in here:
            if clause.instead is not None:
                instead = clause.instead(right, there)
                right, deviates = instead, deviates or instead is not right
        seen.append(right)
        if any(clause.raises is not None for clause in here):
            break
    return met, (*seen, *expected[len(seen) :])


def _is_promised(clause: Clause, promise: str) -> bool:
    """Whether the promise includes a quantity in which the deviation of a clause can be observed."""
    names = [name for name in clause.quantities if not set(name) & set("*?[")]
    return not names or len(names) < len(clause.quantities) or any(promised(n, promise) for n in names)
