"""The causes of findings, and the known defects, with the columns that show them."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, Sequence, Tuple

from oracle.defects import DEFECTS
from reports import cause_text
from reports.causes import causes
from reports.rows import CONTRACT, KNOWN_DEFECT, NOT_APPLICABLE, CaseRow
from reports.site.address import address
from reports.site.columns import Column
from reports.tally import counted
from reports.visible import visible

EXPLAINED: Dict[str, str] = {
    KNOWN_DEFECT: "Known defects",
    CONTRACT: "Within the contract",
    NOT_APPLICABLE: "Not applicable",
}
"""Maps the outcomes that have an explanation to the headings under which these stand."""

MOST = 40
"""The largest number of clauses and of reasons that are listed."""


def findings(given: Sequence[Column]) -> List[Dict[str, Any]]:
    """Return, for each column with findings, the causes that explain them."""
    found = []
    for column in given:
        explained = causes(column.record.rows)
        if explained:
            found.append({"title": column.title, "causes": [_cause(each, column) for each in explained]})
    return found


def _cause(cause: cause_text.Cause, column: Column) -> Dict[str, Any]:
    lines = cause_text.block(1, cause, "")[1:-1]
    return {
        "count": counted(cause.cases, "case"),
        "description": cause_text.description(cause),
        "lines": [line.strip() for line in lines],
        "id": cause.id,
        "address": address("cases", on=column.name, words=visible(cause.id), case=visible(cause.id)),
    }


def explained(given: Sequence[Column]) -> List[Dict[str, Any]]:
    """Return the known defects, clauses and reasons that explain cases, each with its columns."""
    groups = [_group(title, outcome, given) for outcome, title in EXPLAINED.items()]
    return [group for group in groups if group["entries"]]


def _group(title: str, outcome: str, given: Sequence[Column]) -> Dict[str, Any]:
    counts = [
        Counter(_explanation(row) for row in column.record.rows if row.outcome == outcome)
        for column in given
    ]
    names = sorted({name for each in counts for name in each})
    if outcome != KNOWN_DEFECT:  # there may be many, and those of most cases say most
        names = sorted(names, key=lambda name: -max(each[name] for each in counts))[:MOST]
    return {
        "title": title,
        "outcome": outcome,
        "entries": [
            {
                "name": name,
                "texts": _texts(name) if outcome == KNOWN_DEFECT else [],
                "runs": _runs(given, [each[name] for each in counts], outcome),
            }
            for name in names
        ],
    }


def _explanation(row: CaseRow) -> str:
    if row.outcome == KNOWN_DEFECT:
        return row.defect or ""
    return row.reason if row.clause is None else f"{row.clause}: {row.reason}"


def _texts(name: str) -> List[Tuple[str, str]]:
    """Return the sentences on a known defect; a name that the registry lacks has none."""
    return [
        pair
        for defect in DEFECTS
        if defect.name == name
        for pair in (
            ("When", defect.circumstances),
            ("Instead", defect.instead),
            ("To avoid it", defect.avoid),
            ("Source", defect.source),
        )
    ]


def _runs(given: Sequence[Column], counts: Sequence[int], outcome: str) -> List[Dict[str, Any]]:
    """Return neighbouring columns with one number of cases as one entry; those without are left out."""
    runs: List[List[int]] = []
    for place, count in enumerate(counts):
        same = bool(runs) and runs[-1][1] == place - 1 and counts[place - 1] == count
        if count and same and given[place].group == given[place - 1].group:
            runs[-1][1] = place
        elif count:
            runs.append([place, place])
    return [
        {
            "columns": given[first].name if first == last else f"{given[first].name}–{given[last].name}",
            "count": counted(counts[last], "case"),
            "address": address("cases", on=given[last].name, outcome=outcome),
        }
        for first, last in runs
    ]
