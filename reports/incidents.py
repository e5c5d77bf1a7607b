"""The incidents of a run: its findings without those that only follow from others."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence, Tuple

from reports.circumstances import family
from reports.rows import FINDING, CaseRow, Found
from reports.symptoms import EXCEPTION, UNTOLD

PARTED = "state"
"""The family of ids whose cases are run in parts: each operation is run by itself."""


class Incident(NamedTuple):
    """The findings at one step of one case, without those that only follow from others."""

    row: CaseRow
    findings: Tuple[Found, ...]


def incidents_of(row: CaseRow) -> Tuple[Incident, ...]:
    """Return the incidents of a case: one, or in the family ``state`` one for every part that fails."""
    if row.outcome != FINDING:
        return ()
    if not row.findings:
        return (Incident(row, (Found(0, "", UNTOLD, row.finding or "", ""),)),)
    if family(row.id) == PARTED:
        return tuple(Incident(row, _telling(part)) for part in _parts(row.findings))
    first = min(found.step for found in row.findings)
    here = [found for found in row.findings if found.step == first]
    return (Incident(row, _telling(here)),)


def _telling(findings: Sequence[Found]) -> Tuple[Found, ...]:
    """Return the findings of one step; where some are about exceptions, only those.

    A step that raises, or fails to raise, does not do what the other findings are about.
    """
    raising = tuple(found for found in findings if found.quantity == EXCEPTION)
    return raising or tuple(findings)


def _parts(findings: Sequence[Found]) -> List[List[Found]]:
    """Split the findings into parts, which follow each other.

    A part has findings at one step, each of another quantity, with that of an exception first.
    """
    parts: List[List[Found]] = []
    for found in findings:
        part = parts[-1] if parts else []
        same = bool(part) and (found.step, found.token) == (part[0].step, part[0].token)
        if not same or found.quantity in (EXCEPTION, *(each.quantity for each in part)):
            parts.append([])
        parts[-1].append(found)
    return parts
