"""Writes a failure as a bug report: the finding, how its budget was derived, and a script to paste."""

from __future__ import annotations

import math
from typing import List, Sequence

from cases.spelling import spell
from reports.tally import counted
from reports.visible import visible
from tests.conformance.session import Session
from tests.failure import SCRIPT, blame
from tests.failure.reproduction import reproduce
from tests.failure.runner import Runner
from tests.verdict.result import Finding, Result
from tests.verdict.verdict import Verdict, described

DERIVATIONS = {
    "output": "errors of mean and variance carried to the output, four roundings, and the a*x + c form",
    "running_mean": "gamma(k) * mean|x| for the sum, then the moving average",
    "running_var": "gamma(2k+4) * var + 2*d*sqrt(var) + d^2, then the moving average",
    "bias gradient": "gamma(k) * sum|g|",
    "weight gradient": "gamma(k+2) * sum|g*(x - m)| / s, and the errors of mean and inverse root",
    "input gradient": "errors of mean, inverse root and both sums carried over, gamma(4) of each term",
}
"""Maps a quantity to how ``oracle.numerics.bounds`` derives its budget."""

SHOWN = 3
"""The number of findings at one step, and of parts of a state's case, that are described in full."""


def short(verdict: Verdict, session: Session) -> str:
    """Return the report on one of many failures that look alike: the finding in a line."""
    case_id = verdict.result.case.id
    return "\n".join([case_id, visible(verdict.explanation), _again(case_id, session, " -v")])


def report(verdict: Verdict, session: Session) -> str:
    """Return the whole text that a failing case prints."""
    result = verdict.results[0]
    case = verdict.result.case
    lines = [case.id]
    if case.note and not verdict.parts:
        lines.append(case.note)
    if not result.findings or verdict.defect is not None:
        lines += ["", verdict.explanation]
    lines += ["", *_findings(result), *_parts(verdict)]
    if result.findings and verdict.defect is None:
        names = blame.explaining(result, session.subject, session.semantics)
        lines += blame.described(names, session.semantics)
        lines += _shown_again(result, session)
    return "\n".join([*map(visible, lines), "", _again(result.case.id, session)])


def _again(case_id: str, session: Session, more: str = "") -> str:
    return f"run it again: pytest --case '{case_id}'{session.again}{more}"


def _findings(result: Result) -> List[str]:
    lines: List[str] = []
    for finding in result.findings[:SHOWN]:
        lines += _finding(finding)
    if len(result.findings) > SHOWN:
        lines.append(f"and {counted(len(result.findings) - SHOWN, 'more finding')} at this step")
    return lines


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


def _numbers(finding: Finding) -> List[str]:
    mismatch = finding.mismatch
    if mismatch.error is None or mismatch.budget is None or mismatch.ulps is None:
        return []
    derived = DERIVATIONS.get(mismatch.quantity, "derived step by step: oracle/numerics/propagation.py")
    if mismatch.budget == 0:
        derived = "no operation has to round on this input, so the result must be exact"
    return [
        f"  error     {_error(mismatch.error, mismatch.ulps)}, "
        f"{mismatch.count} element(s) beyond their budget",
        f"  budget    {mismatch.budget:.6g} ({derived})",
    ]


def _error(error: float, ulps: float) -> str:
    """Return the error, and how many units in the last place it is if it is finite."""
    return f"{error:+.6g} ({ulps:+.3g} ulps)" if math.isfinite(error) else f"{error:.6g}"


def _parts(verdict: Verdict) -> List[str]:
    """Return a line for each of the other operations of a state's case that have a finding."""
    others: Sequence[Result] = verdict.parts[1:]
    if not others:
        return []
    lines = [f"and {len(others)} more operation(s) in this state, run each by itself:"]
    lines += [f"  {described(each)}" for each in others[:SHOWN]]
    if len(others) > SHOWN:
        lines.append(f"  and {len(others) - SHOWN} more, which are in the record")
    return lines


def _shown_again(result: Result, session: Session) -> List[str]:
    """Return the shortest program, and the script or why there is none."""
    fresh = session.allowance.fresh
    again = reproduce(result, Runner(session.subject, session.semantics, session.threads, fresh))
    lines = []
    if again.program is not None and len(again.program.case.steps) < result.findings[0].step:
        lines.append(f"the shortest program that shows it: {spell(again.program.case.steps)}")
    if again.script is None:
        return [*lines, again.remark]
    needs = "torch and NumPy" if "import numpy" in again.script else "torch"
    if session.subject.adapts:
        needs = "NumPy and the adapter"
    where = "in a fresh process" if fresh else "in this process"
    head = f"{SCRIPT} (it needs {needs}, and was tried {where}):"
    return [*lines, "", head, *again.script.splitlines()]
