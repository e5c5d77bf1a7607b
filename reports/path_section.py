"""The section of IMPLEMENTATIONS.md on paths: torch's own module, its forward reached in another way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, List, Optional, Sequence

from reports import markdown
from reports.implementation_sections import SIGNS, in_words, title
from reports.rows import CONTRACT, FINDING, KNOWN_DEFECT, CaseRow
from reports.tally import by_frequency

if TYPE_CHECKING:
    from reports.implementations import Column

LEGEND = (
    "torch's own module, its forward reached in another way: [what each path does, and each clause",
    "with its reason and source](../tests/subject/paths/README.md). The records are in",
    "`reports/records/paths`; `nox -s paths` makes them. Paths that take long ran every n-th case.",
)


def paths(columns: Sequence[Column]) -> List[str]:
    """Return the section with a row for each path; nothing where no path is recorded."""
    if not columns:
        return []
    head = ["path", "torch", "tier", "cases", *(f"{sign} {name}" for name, sign in _signs()), "suite"]
    lines = ["## Paths", "", *LEGEND, "", *markdown.table(head, map(_run, columns)), ""]
    lines += ["Which clauses of the contract, known defects and findings these are, in cases:", ""]
    return lines + [_details(column) for column in columns]


def _signs() -> List[List[str]]:
    return [[name.replace("_", " "), sign] for name, sign in SIGNS]


def _run(column: Column) -> List[str]:
    header, outcomes = column.header, column.tally.outcomes
    return [
        markdown.code(header.path),
        *map(markdown.plain, (title(header), header.tier, str(column.tally.cases))),
        *(str(outcomes[name]) for name, _ in SIGNS),
        markdown.plain(header.suite),
    ]


def _details(column: Column) -> str:
    """Return the line with what the cases of a path showed that did not pass."""
    parts = [
        _counts(column, "§", CONTRACT, lambda row: row.clause),
        _counts(column, "!", KNOWN_DEFECT, lambda row: row.defect),
    ]
    if column.tally.outcomes[FINDING]:
        parts.append(f"✗ {'; '.join(map(in_words, column.causes))}")
    text = "; ".join(part for part in parts if part) or "none"
    return f"- {markdown.code(column.header.path)}: {text}."


def _counts(column: Column, sign: str, outcome: str, name: Callable[[CaseRow], Optional[str]]) -> str:
    """Return how many cases of an outcome have each name, the most frequent first."""
    ordered = by_frequency(name(row) or "" for row in column.rows if row.outcome == outcome)
    text = ", ".join(f"{markdown.code(each)} {count}" for each, count in ordered)
    return f"{sign} {text}" if text else ""
