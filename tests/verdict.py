"""From a case to its outcome: pass, known defect or finding."""

from __future__ import annotations

import dataclasses
from typing import Dict, Hashable, List, NamedTuple, Optional, Tuple

from cases import claims
from cases.case import Case
from cases.spelling import spell
from oracle.defects import Defect, covering
from oracle.semantics import Semantics
from tests.claim_checks import Transcript, contradicted
from tests.forecast import Expectations
from tests.lockstep import Result, run
from tests.subject.module import Factory

PASS, KNOWN_DEFECT, FINDING = "pass", "known_defect", "finding"


class Verdict(NamedTuple):
    """The outcome of a case. ``explanation``: why it is not a pass, in one line."""

    outcome: str
    result: Result
    defect: Optional[Defect] = None
    explanation: str = ""


def _told(result: Result) -> str:
    finding = result.findings[0]
    mismatch = finding.mismatch
    place = f" at {list(mismatch.index)}" if mismatch.index else ""
    return (
        f"step {finding.step} {finding.token}: {mismatch.quantity}{place}: "
        f"got {mismatch.got}, expected {mismatch.expected}"
    )


_LAST_EXPERIMENT: Dict[Hashable, Tuple[Result, Transcript]] = {}


def _experiment(
    case: Case,
    factory: Factory,
    semantics: Semantics,
    record: bool,
    foreseen: Optional[Expectations],
) -> Tuple[Result, Transcript]:
    """What a claim's program gave; consecutive claims about one program share its run."""
    program = (repr(case.config), spell(case.steps), case.variant, factory, semantics, record)
    if program not in _LAST_EXPERIMENT:
        transcript = Transcript(case)
        result = run(case, factory, semantics, record, transcript.add, foreseen)
        _LAST_EXPERIMENT.clear()
        _LAST_EXPERIMENT[program] = (result, transcript)
    result, transcript = _LAST_EXPERIMENT[program]
    return dataclasses.replace(result, case=case), transcript


def _claim_verdict(
    case: Case,
    factory: Factory,
    semantics: Semantics,
    record: bool,
    foreseen: Optional[Expectations],
) -> Verdict:
    claim = claims.CASES[case.id]
    result, transcript = _experiment(case, factory, semantics, record, foreseen)
    if result.findings:
        return Verdict(FINDING, result, None, _told(result))
    wrong: List[str] = contradicted(claim, transcript)
    switch = claim.refuted_where
    if switch is not None and switch in semantics.inside:
        if wrong:
            return Verdict(PASS, result)
        text = f"the statement holds, though switch {switch!r} says that here it must not"
        return Verdict(FINDING, result, None, text)
    if wrong:
        return Verdict(FINDING, result, None, f"verdict {claim.verdict!r} is wrong: {wrong[0]}")
    return Verdict(PASS, result)


def adjudicate(
    case: Case,
    factory: Factory,
    semantics: Semantics,
    record: bool = False,
    strict_defects: bool = True,
    foreseen: Optional[Expectations] = None,
) -> Verdict:
    """Runs the case and decides.

    A case that a known defect of the release covers must show the defect, exactly: a second run in
    which the oracle shows it too must be without findings. ``strict_defects``: False for a subject
    other than torch's own, which may share torch's defects (a subclass does) or be right. ``foreseen``:
    what a Forecast says of the case.
    """
    if case.id in claims.CASES:
        return _claim_verdict(case, factory, semantics, record, foreseen)
    result = run(case, factory, semantics, record, foreseen=foreseen)
    defect = covering(case.id, semantics.release)
    if defect is None:
        if result.findings:
            return Verdict(FINDING, result, None, _told(result))
        return Verdict(PASS, result)
    if not result.findings:
        if not strict_defects:
            return Verdict(PASS, result)
        text = f"known defect {defect.name!r} is gone: correct oracle/defects.py"
        return Verdict(FINDING, result, defect, text)
    deviating = dataclasses.replace(semantics, defects=frozenset({defect.name}))
    shown = run(case, factory, deviating, record)
    shown.switches |= result.switches
    if shown.findings:
        text = f"known defect {defect.name!r} has changed: {_told(shown)}"
        return Verdict(FINDING, shown, defect, text)
    return Verdict(KNOWN_DEFECT, shown, defect, defect.instead)
