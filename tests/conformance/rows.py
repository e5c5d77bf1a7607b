"""Converts verdicts to the rows of a record, and makes its header."""

from __future__ import annotations

import math
import platform
from typing import TYPE_CHECKING, Any, Dict, Iterator, Mapping, Optional, Tuple

import numpy as np

from oracle.semantics import Semantics
from reports.rows import CONTRACT, FINDING, NOT_APPLICABLE, CaseRow, Found, Header
from tests.comparison.judgement import BUDGETED, Margins
from tests.failure import blame
from tests.subject.loading import Environment
from tests.subject.subject import Subject
from tests.verdict.result import Finding
from tests.verdict.verdict import Verdict

if TYPE_CHECKING:
    from tests.conformance.session import Session


def row(verdict: Verdict, session: Session) -> CaseRow:
    """Return the row of one case; its findings name the switches that explain them."""
    result = verdict.result
    case = result.case
    return CaseRow(
        id=case.id,
        behaviour=case.behaviour,
        outcome=verdict.outcome,
        forwards=result.forwards,
        compared=_by_quantity(result.compared),
        **_margins(result.margins),
        errors=result.errors,
        switches=result.switches,
        defect=None if verdict.defect is None else verdict.defect.name,
        finding=None if verdict.outcome != FINDING else verdict.explanation,
        digest=result.digest,
        findings=tuple(_findings(verdict, session)),
        reason=verdict.explanation if verdict.outcome in (NOT_APPLICABLE, CONTRACT) else "",
        clause=None if verdict.clause is None else verdict.clause.name,
    )


def _findings(verdict: Verdict, session: Session) -> Iterator[Found]:
    for result in verdict.results if verdict.outcome == FINDING else ():
        switches = blame.explaining(result, session.subject, session.semantics)
        for finding in result.findings:
            yield found(finding, switches)


def found(finding: Finding, switches: Tuple[str, ...] = ()) -> Found:
    """Return a finding as data of a record; ``switches``: those whose other side explains it."""
    mismatch = finding.mismatch
    return Found(
        step=finding.step,
        token=finding.token,
        quantity=mismatch.quantity,
        index=mismatch.index,
        regime=finding.regime,
        got=mismatch.got,
        expected=mismatch.expected,
        error=mismatch.error,
        budget=mismatch.budget,
        ulps=mismatch.ulps,
        switches=switches,
    )


def _margins(margins: Mapping[str, Margins]) -> Dict[str, Any]:
    """Return the fields of a row that say how close the budgeted quantities came to their budgets."""
    found = {name: margins[name] for name in BUDGETED if name in margins}
    return {
        "share": {name: each.share for name, each in found.items()},
        "ulps": {name: each.ulps for name, each in found.items()},
        "detectable": {
            name: each.detectable for name, each in found.items() if math.isfinite(each.detectable)
        },
    }


_MAIN = (*BUDGETED, "num_batches_tracked", "weight", "bias", "exception")


def _by_quantity(compared: Mapping[str, int]) -> Dict[str, int]:
    """Count the main quantities one by one, and all others (dtypes, identities, flags) together."""
    counts = {name: compared[name] for name in _MAIN if compared.get(name)}
    counts["attributes"] = sum(compared.values()) - sum(counts.values())
    return counts


def header(
    environment: Environment,
    subject: Subject,
    option: Any,
    semantics: Semantics,
    selection: Optional[str],
    suite: str,
) -> Header:
    """Return the first line of the record of this run; ``option``: pytest's options."""
    return Header(
        suite=suite,
        torch=environment.version,
        numpy=np.__version__,
        python=platform.python_version(),
        platform=" ".join([f"{platform.system()}-{platform.machine()}", *subject.models]),
        threads=environment.threads,
        subject=subject.name,
        tier=option.tier,
        seed=option.seed,
        selection=selection,
        release=".".join(map(str, semantics.release)),
        release_in_table=semantics.in_table,
        semantics=semantics.values(),
        promise=subject.promise,
        path=subject.path,
        device=subject.device,
        implementation=subject.implementation,
        clauses={each.name: f"{each.reason} ({each.source})" for each in subject.contract},
    )
