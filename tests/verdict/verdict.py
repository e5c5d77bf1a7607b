"""The decision on a case: pass, not applicable, within the contract, known defect or finding."""

from __future__ import annotations

from itertools import combinations
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

from cases import claims, states
from cases.case import Case
from oracle.defects import DEFECTS, Defect
from oracle.expectations import Expectations, deviating, in_circumstances
from oracle.semantics import Semantics
from reports.rows import CONTRACT, FINDING, KNOWN_DEFECT, MODULE, NOT_APPLICABLE, PASS
from tests.comparison.distinction import distinguishable
from tests.subject.contract import Clause
from tests.subject.observation import Observation
from tests.subject.subject import Subject
from tests.verdict.claims import contradicted
from tests.verdict.program import Program, program
from tests.verdict.result import Result, observed, result_of, run


class Verdict(NamedTuple):
    """The outcome of a case. ``explanation``: why it is not a pass, in one line.

    ``parts``: the results of the parts of a case that have findings of their own; empty for most cases.
    ``clause``: the clause of the contract whose deviation was seen, or should have been.
    """

    outcome: str
    result: Result
    defect: Optional[Defect] = None
    explanation: str = ""
    parts: Tuple[Result, ...] = ()
    clause: Optional[Clause] = None

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
    subject: Subject,
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
    judged = program(case, subject, semantics)
    observations = observed(judged)
    result = result_of(judged, observations)
    if result.lapsed is not None:
        return _lapsed(result, result.lapsed)
    expected = judged.expected

    def seen_with(defects: Sequence[Defect]) -> Optional[Expectations]:
        return deviating(judged.case, expected, semantics, defects, threads)

    known = defects if subject.shares_defects else ()
    present = _present([each for each in known if each.on(semantics.release)], judged, semantics, threads)
    if result.findings:
        explained = _explained(result, judged, present, seen_with, observations, strict_defects)
        return explained or _finding(case, result, subject, semantics)
    roughly = any(each.quantities for here in judged.met.values() for each in here)
    for defect in present if strict_defects and not roughly else ():
        if _distinct(expected, seen_with([defect])):
            return _gone(result, defect)
    return _without_findings(judged, observations, result, semantics)


def _without_findings(
    judged: Program, observations: Sequence[Observation], result: Result, semantics: Semantics
) -> Verdict:
    """Return the verdict on a case that has no findings, and shows no defect of the module itself."""
    if judged.rest is not None:
        return Verdict(NOT_APPLICABLE, result, None, judged.rest.reason)
    if result.clause is not None and result.clause.defect:
        return Verdict(KNOWN_DEFECT, result, _as_defect(result.clause), result.clause.reason)
    if result.clause is not None and judged.deviates:
        return Verdict(CONTRACT, result, None, result.clause.reason, clause=result.clause)
    if judged.case.plain_id in claims.CASES:
        return _claim_verdict(judged, observations, result, semantics)
    return Verdict(PASS, result)


def _as_defect(clause: Clause) -> Defect:
    """Return the known defect that a clause describes."""
    return Defect(clause.name, None, None, clause.reason, clause.reason, clause.source, "")


def _lapsed(result: Result, clause: Clause) -> Verdict:
    text = (
        f"clause {clause.name!r} of the contract has lapsed: the case is in its circumstances, and no "
        f"quantity differs of {', '.join(clause.quantities)}"
    )
    return Verdict(FINDING, result, None, text, clause=clause)


SeenWith = Callable[[Sequence[Defect]], Optional[Expectations]]
"""A function from defects to what is seen with all of them; None where none shows."""


def _distinct(one: Expectations, other: Optional[Expectations]) -> bool:
    return other is not None and distinguishable(one, other)


def _present(
    known: Sequence[Defect], judged: Program, semantics: Semantics, threads: int
) -> List[Defect]:
    """Return the defects in whose circumstances the program is, with the defects before them applied."""
    case, expected = judged.case, judged.expected
    present: List[Defect] = []
    if not in_circumstances(case, expected, semantics, known, threads):  # most cases are in those of none
        return present
    for each in known:
        beside: Optional[Expectations] = None
        if any(one.opens for one in present):
            beside = deviating(case, expected, semantics, present, threads)
        paths = (expected,) if beside is None else (beside, expected)
        if any(in_circumstances(case, path, semantics, [each], threads) for path in paths):
            present.append(each)
    return present


def _gone(result: Result, defect: Defect) -> Verdict:
    text = f"known defect {defect.name!r} is gone: correct oracle/defects.py"
    return Verdict(FINDING, result, defect, text)


def _explained(
    result: Result,
    judged: Program,
    present: Sequence[Defect],
    seen_with: SeenWith,
    observations: Sequence[Observation],
    strict: bool,
) -> Optional[Verdict]:
    """Return the verdict on findings if known defects explain or change them; None if they do not.

    ``result``: the comparison with what is right. ``present``: the defects in whose circumstances the
    program is. The smallest set of them that explains the findings is taken. ``strict``: each of the
    others is reported as gone if it would have been seen beside them.
    """
    changed: Optional[Verdict] = None
    expected = judged.expected
    furthest = result
    for number in range(1, len(present) + 1):
        for defects in combinations(present, number):
            deviation = seen_with(defects)
            if deviation is None:  # these defects show only together with others
                continue
            shown = result_of(judged, observations, deviation)
            if not shown.findings:
                for other in present if strict else ():
                    both = [each for each in present if each is other or each in defects]
                    alone = other not in defects and _distinct(expected, seen_with([other]))
                    if alone and _distinct(deviation, seen_with(both)):
                        return _gone(shown, other)
                text = " ".join(each.instead for each in defects)
                return Verdict(KNOWN_DEFECT, shown, defects[0], text)
            furthest = max(furthest, shown, key=_agreement)
            if strict and distinguishable(expected, deviation):  # the defect had to show
                names = " and ".join(repr(each.name) for each in defects)
                text = f"known defect {names} has changed: {described(shown)}"
                changed = Verdict(FINDING, shown, defects[0], text)
    if changed is None and furthest is not result:  # the defect shows, and then something else is wrong
        return Verdict(FINDING, furthest, None, described(furthest))
    return changed


def _agreement(result: Result) -> Tuple[int, int]:
    """Return the sort key of results with findings: the later and fewer they are, the greater it is."""
    return result.findings[0].step, -len(result.findings)


def _finding(case: Case, result: Result, subject: Subject, semantics: Semantics) -> Verdict:
    """Return a finding; a case of many operations is run again, one operation at a time.

    So an operation that fails does not hide failures of the others.
    """
    parts = []
    for part in states.parts_of(case):
        found = run(part, subject, semantics)
        if found.findings:
            parts.append(found)
    text = described(parts[0] if parts else result)
    if result.clause is not None:
        text += f" (clause {result.clause.name!r} of the contract applies)"
    return Verdict(FINDING, result, None, text, tuple(parts), result.clause)


def _claim_verdict(
    judged: Program, observations: Sequence[Observation], result: Result, semantics: Semantics
) -> Verdict:
    """Return the verdict on a public text's statement: its checks must agree with the observations."""
    claim = claims.CASES[judged.case.plain_id]
    wrong = contradicted(claim, judged.expected, observations, judged.promise)
    if claim.refuted_where is None or claim.refuted_where not in semantics.holding:
        if not wrong:
            return Verdict(PASS, result)
        text = f"verdict {claim.verdict!r} is wrong: {wrong[0]}"
        return Verdict(FINDING, result, None, text)
    if wrong or judged.promise != MODULE:  # what refutes it may not be promised
        return Verdict(PASS, result)
    text = f"the statement holds, though switch {claim.refuted_where!r} says that here it must not"
    return Verdict(FINDING, result, None, text)
