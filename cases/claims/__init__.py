"""The statements of five public texts about BatchNorm2d, each as a case with a verdict.

Each text has one module. ``python -m cases.claims`` prints the table of ``cases/claims/README.md``.
"""

from __future__ import annotations

from typing import Dict, Iterator, Tuple

from cases.case import Case
from cases.claims import feature_map, group_norm, notebook, parameters, question
from cases.claims.claim import TEXTS, VERDICTS, Claim
from cases.errors import CaseError, nearest

__all__ = ["CASES", "CLAIMS", "TEXTS", "VERDICTS", "Claim", "find", "ids", "table", "verdict"]

CLAIMS: Tuple[Claim, ...] = (
    question.CLAIMS + parameters.CLAIMS + notebook.CLAIMS + feature_map.CLAIMS + group_norm.CLAIMS
)
"""Every statement, text by text."""

CASES: Dict[str, Claim] = {claim.id: claim for claim in CLAIMS}
"""Maps the id of a claim to the claim."""


def verdict(claim: Claim, holding: Dict[str, bool]) -> str:
    """Return the verdict on a release. ``holding`` says for each switch whether it holds there."""
    if claim.refuted_where is not None and holding.get(claim.refuted_where, False):
        return "refuted"
    return claim.verdict


def ids(tier: str) -> Iterator[str]:
    """Return the ids of a tier: none for smoke, every claim for the others."""
    return iter(() if tier == "smoke" else CASES)


def find(case_id: str) -> Case:
    """Return the case with this id; raises CaseError."""
    if case_id not in CASES:
        raise CaseError(f"no such claim; {nearest(case_id, CASES)}")
    return CASES[case_id].case


def table() -> str:
    """Return all statements and verdicts as a Markdown table."""
    lines = ["| text | line | statement | verdict | what the verdict adds |", "|---|---|---|---|---|"]
    for claim in CLAIMS:
        remark = claim.note
        if claim.refuted_where is not None:
            remark = f"{remark} Refuted where `{claim.refuted_where}` holds.".strip()
        statement = claim.statement.replace("|", "\\|").replace("*", "\\*")
        lines.append(
            f"| {claim.text} | {claim.line} | {statement} | {claim.verdict} | {remark} |"
        )
    return "\n".join(lines)
