"""A failure as a bug report: the finding, how its budget was derived, and a script to paste."""

from __future__ import annotations

import dataclasses
from typing import List

from cases.case import Case
from cases.spelling import spell
from oracle.semantics import SWITCHES, Semantics
from tests.conformance.session import Session
from tests.failure.shrinking import script, shortest
from tests.subject.module import Factory
from tests.verdict.result import Finding, Result, run
from tests.verdict.verdict import Verdict

DERIVATIONS = {
    "output": "oracle/bounds.py: errors of mean and variance carried to the output, four roundings, "
    "and the a*x + c form",
    "running_mean": "oracle/bounds.py: gamma(k) * mean|x| for the sum, then the moving average",
    "running_var": "oracle/bounds.py: gamma(2k+4) * var + 2*d*sqrt(var) + d^2, then the moving "
    "average",
}
SHOWN = 3


def _numbers(finding: Finding) -> List[str]:
    mismatch = finding.mismatch
    if mismatch.error is None or mismatch.budget is None or mismatch.ulps is None:
        return []
    derived = DERIVATIONS.get(mismatch.quantity, "known numbers, no rounding")
    if mismatch.budget == 0:
        derived = "no operation rounds on this input, so the result must be exact"
    return [
        f"  error     {mismatch.error:+.6g} ({mismatch.ulps:+.3g} ulps), "
        f"{mismatch.count} element(s) beyond their budget",
        f"  budget    {mismatch.budget:.6g} ({derived})",
    ]


def _finding(finding: Finding) -> List[str]:
    mismatch = finding.mismatch
    index = f" at index {list(mismatch.index)}" if mismatch.index else ""
    regime = f", channel regime {finding.regime}" if finding.regime else ""
    return [
        f"{mismatch.quantity}{index}{regime}, after step {finding.step} ({finding.token})",
        f"  got       {mismatch.got}",
        f"  expected  {mismatch.expected}",
        *_numbers(finding),
    ]


def flipped(case: Case, factory: Factory, semantics: Semantics, name: str) -> bool:
    """Whether the case has no finding when the switch ``name`` is on its other side."""
    other = semantics.inside ^ {name}
    return not run(case, factory, dataclasses.replace(semantics, inside=other)).findings


def _blame(result: Result, factory: Factory, semantics: Semantics) -> List[str]:
    """Switches that decided the step, and whether the other side of one explains what was seen.

    A switch that decided an earlier step is named only when it explains what was seen.
    """
    lines = []
    release = ".".join(map(str, semantics.release))
    for switch in SWITCHES:
        if switch.name not in result.switches:
            continue
        here = switch.name in result.findings[0].switches
        explains = flipped(result.case, factory, semantics, switch.name)
        if not here and not explains:
            continue
        inside = switch.name in semantics.inside
        lines.append(
            f"decided by switch {switch.name!r}{'' if here else ' at an earlier step'}, which "
            f"{'holds' if inside else 'does not hold'} on {release}: "
            f"{switch.inside if inside else switch.outside} ({switch.source})"
        )
        if explains:
            lines.append(
                f"  the subject shows the other side of {switch.name!r}: if this is torch {release} "
                "itself, the switch's interval in oracle/semantics.py is wrong"
            )
    return lines


def report(verdict: Verdict, session: Session) -> str:
    """The text that a failing case prints."""
    lines = [verdict.result.case.id]
    if verdict.result.case.note:
        lines.append(verdict.result.case.note)
    lines += ["", verdict.explanation, ""]
    result = verdict.results[0]
    findings = result.findings
    for finding in findings[:SHOWN]:
        lines += _finding(finding)
    if len(findings) > SHOWN:
        lines.append(f"and {len(findings) - SHOWN} more findings at this step")
    if findings:
        lines += ["", *_blame(result, session.factory, session.semantics)]
        found = shortest(result, session.factory, session.semantics)
        if len(found.case.steps) < findings[0].step:
            lines += ["the shortest program that shows it: " + spell(found.case.steps)]
        lines += ["", "# a script that shows it with torch alone:"]
        lines += script(found, session.subject, session.threads).splitlines()
    lines += ["", f"run it again: pytest --case '{result.case.id}'{session.again}"]
    return "\n".join(lines)
