"""The decision on a case: pass, known defect or finding."""

from __future__ import annotations

from itertools import combinations
from typing import Callable, NamedTuple, Optional, Sequence, Tuple

from cases import claims, states
from cases.case import Case
from oracle.defects import DEFECTS, Defect
from oracle.expectations import Expectations, deviating, expectations
from oracle.semantics import Semantics
from reports.rows import FINDING, KNOWN_DEFECT, PASS
from tests.comparison.distinction import distinguishable
from tests.subject.module import Factory, observe
from tests.subject.observation import Observation
from tests.verdict.claims import contradicted
from tests.verdict.result import Result, compared


class Verdict(NamedTuple):
    """The outcome of a case. ``explanation``: why it is not a pass, in one line.

    ``parts``: the results of the parts of a case that have findings of their own; empty for most cases.
    """

    outcome: str
    result: Result
    defect: Optional[Defect] = None
    explanation: str = ""
    parts: Tuple[Result, ...] = ()

    @property
    def results(self) -> Tuple[Result, ...]:
        """The results whose findings are to be reported."""
        return self.parts or (self.result,)


def described(result: Result) -> str:
    """Return the first finding of a result in one line."""
    finding = result.findings[0]
    mismatch = finding.mismatch
    place = f" at {list(mismatch.index)}" if mismatch.index else ""
    return (
        f"step {finding.step} {finding.token}: {mismatch.quantity}{place}: "
        f"got {mismatch.got}, expected {mismatch.expected}"
    )


def adjudicate(
    case: Case,
    factory: Factory,
    semantics: Semantics,
    threads: int = 1,
    strict_defects: bool = True,
    defects: Sequence[Defect] = DEFECTS,
) -> Verdict:
    """Run the case and decide.

    In the circumstances of a known defect of the release the case must show the defect, exactly.
    ``strict_defects``: False for a subject other than torch's own, which may share the defects of
    torch (a subclass does) or be right. ``threads``: torch's number of threads.
    """
    expected = expectations(case, semantics)
    observations = observe(case, factory)
    result = compared(case, expected, observations)

    def seen_with(defects: Sequence[Defect]) -> Optional[Expectations]:
        return deviating(case, expected, semantics, defects, threads)

    present = [each for each in defects if each.on(semantics.release) and seen_with([each])]
    if result.findings:
        explained = _explained(result, expected, present, seen_with, observations, strict_defects)
        return explained or _finding(case, result, factory, semantics)
    for defect in present if strict_defects else ():
        if _distinct(expected, seen_with([defect])):
            return _gone(result, defect)
    if case.id in claims.CASES:
        return _claim_verdict(case, expected, observations, result, semantics)
    return Verdict(PASS, result)


SeenWith = Callable[[Sequence[Defect]], Optional[Expectations]]
"""A function from defects to what is seen with all of them; None where none shows."""


def _distinct(one: Expectations, other: Optional[Expectations]) -> bool:
    return other is not None and distinguishable(one, other)


def _gone(result: Result, defect: Defect) -> Verdict:
    text = f"known defect {defect.name!r} is gone: correct oracle/defects.py"
    return Verdict(FINDING, result, defect, text)


def _explained(
    result: Result,
    expected: Expectations,
    present: Sequence[Defect],
    seen_with: SeenWith,
    observations: Sequence[Observation],
    strict: bool,
) -> Optional[Verdict]:
    """Return the verdict on findings in the circumstances of known defects; None where there are none.

    ``result``: the comparison with what is right. ``present``: the defects in whose circumstances the
    program is. The smallest set of them that explains the findings is taken. ``strict``: each of the
    others is reported as gone if it would have been seen beside them.
    """
    changed: Optional[Verdict] = None
    furthest = result
    for number in range(1, len(present) + 1):
        for defects in combinations(present, number):
            deviation = seen_with(defects)
            assert deviation is not None
            shown = compared(result.case, deviation, observations)
            if not shown.findings:
                for other in present if strict else ():
                    both = [each for each in present if each is other or each in defects]
                    alone = other not in defects and _distinct(expected, seen_with([other]))
                    if alone and _distinct(deviation, seen_with(both)):
                        return _gone(shown, other)
                text = " ".join(each.instead for each in defects)
                return Verdict(KNOWN_DEFECT, shown, defects[0], text)
            if shown.findings[0].step > furthest.findings[0].step:
                furthest = shown
            if distinguishable(expected, deviation):  # the defect had to show
                names = " and ".join(repr(each.name) for each in defects)
                text = f"known defect {names} has changed: {described(shown)}"
                changed = Verdict(FINDING, shown, defects[0], text)
    if changed is None and furthest is not result:  # the defect shows, and then something else is wrong
        return Verdict(FINDING, furthest, None, described(furthest))
    return changed


def _finding(case: Case, result: Result, factory: Factory, semantics: Semantics) -> Verdict:
    """Return a finding; a case of many operations is run again, one operation at a time.

    So an operation that fails does not hide failures of the others.
    """
    parts = []
    for part in states.parts_of(case):
        found = compared(part, expectations(part, semantics), observe(part, factory))
        if found.findings:
            parts.append(found)
    return Verdict(FINDING, result, None, described(parts[0] if parts else result), tuple(parts))


def _claim_verdict(
    case: Case,
    expected: Expectations,
    observations: Sequence[Observation],
    result: Result,
    semantics: Semantics,
) -> Verdict:
    """Return the verdict on a public text's statement: its checks must agree with the observations."""
    claim = claims.CASES[case.id]
    wrong = contradicted(claim, expected, observations)
    if claim.refuted_where is None or claim.refuted_where not in semantics.inside:
        if not wrong:
            return Verdict(PASS, result)
        text = f"verdict {claim.verdict!r} is wrong: {wrong[0]}"
        return Verdict(FINDING, result, None, text)
    if wrong:
        return Verdict(PASS, result)
    text = f"the statement holds, though switch {claim.refuted_where!r} says that here it must not"
    return Verdict(FINDING, result, None, text)
