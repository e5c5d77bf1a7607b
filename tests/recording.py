"""From verdicts to the rows of a record, and its header."""

from __future__ import annotations

import math
import platform
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional

import numpy as np

from oracle.semantics import Semantics
from reports.rows import CaseRow, Header
from tests.judgement import BUDGETED, Judgement, margins

if TYPE_CHECKING:  # which imports torch
    from tests.verdict import Verdict


def row(verdict: Verdict) -> CaseRow:
    """The row of one case."""
    result, tally = verdict.result, verdict.result.tally
    case = result.case
    return CaseRow(
        id=case.id,
        behaviour=case.behaviour,
        outcome=verdict.outcome,
        forwards=result.forwards,
        compared=_by_quantity(result.compared),
        **_margins(tally.agreeing()),
        errors=tuple(result.errors),
        switches=tuple(sorted(result.switches)),
        defect=None if verdict.defect is None else verdict.defect.name,
        finding=None if verdict.outcome != "finding" else verdict.explanation,
        digest=result.digest,
    )


def _margins(agreeing: Dict[str, List[Judgement]]) -> Dict[str, Any]:
    """The fields of a row that say how close the budgeted quantities came to their budgets."""
    found = {name: margins(agreeing[name]) for name in BUDGETED if name in agreeing}
    return {
        "share": {name: each.share for name, each in found.items()},
        "ulps": {name: each.ulps for name, each in found.items()},
        "detectable": {
            name: each.detectable for name, each in found.items() if math.isfinite(each.detectable)
        },
    }


_MAIN = (
    "output",
    "running_mean",
    "running_var",
    "num_batches_tracked",
    "weight",
    "bias",
    "exception",
)


def _by_quantity(compared: Mapping[str, int]) -> Dict[str, int]:
    """Counts of the main quantities; everything else (dtypes, identities, flags) in one number."""
    counts = {name: compared[name] for name in _MAIN if compared.get(name)}
    counts["attributes"] = sum(compared.values()) - sum(counts.values())
    return counts


def header(
    torch_version: str,
    threads: int,
    subject: str,
    semantics: Semantics,
    tier: str,
    seed: int,
    selection: Optional[str],
    suite: str,
) -> Header:
    """The first line of the record of this run."""
    return Header(
        suite=suite,
        torch=torch_version,
        numpy=np.__version__,
        python=platform.python_version(),
        platform=f"{platform.system()}-{platform.machine()}",
        threads=threads,
        subject=subject,
        tier=tier,
        seed=seed,
        selection=selection,
        release=".".join(map(str, semantics.release)),
        release_in_table=semantics.in_table,
        semantics=semantics.values(),
    )
