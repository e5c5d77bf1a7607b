"""The incidents of a run: what its findings are, without those that only follow from others."""

from __future__ import annotations

from typing import NamedTuple, Sequence, Tuple

from reports.circumstances import family
from reports.rows import FINDING, CaseRow, Found
from reports.symptoms import EXCEPTION, UNTOLD

INDEPENDENT = "state"
"""The family of ids whose cases put the module back between their operations."""


class Incident(NamedTuple):
    """The findings at one step of one case, without those that only follow from others."""

    row: CaseRow
    findings: Tuple[Found, ...]


def incidents_of(row: CaseRow) -> Tuple[Incident, ...]:
    """Return the incidents of a case: one, or one a step in the family ``state``."""
    if row.outcome != FINDING:
        return ()
    if not row.findings:
        text = row.finding or ""
        return (Incident(row, (Found(0, "", UNTOLD, text, ""),)),)
    steps = sorted({found.step for found in row.findings})
    if family(row.id) != INDEPENDENT:
        steps = steps[:1]
    return tuple(Incident(row, telling(row.findings, step)) for step in steps)


def telling(findings: Sequence[Found], step: int) -> Tuple[Found, ...]:
    """Return the findings at ``step``; where some are about exceptions, those alone."""
    here = tuple(found for found in findings if found.step == step)
    raising = tuple(found for found in here if found.quantity == EXCEPTION)
    return raising or here
