"""The sections of IMPLEMENTATIONS.md: runs, behaviours, quantities, contracts, differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, List, Mapping, Optional, Sequence, Tuple

from reports import cause_text, markdown
from reports.cause_text import Cause
from reports.causes import causes
from reports.divergence import Divergence
from reports.incidents import incidents_of
from reports.rows import (
    CONTRACT,
    DEFAULT_SUBJECT,
    FINDING,
    KNOWN_DEFECT,
    NOT_APPLICABLE,
    PASS,
    CaseRow,
    Header,
)
from reports.tally import by_frequency, counted, in_order, outcome_counts, percent, reach
from reports.visible import shortened

if TYPE_CHECKING:
    from reports.implementations import Column

SIGNS = ((PASS, "✓"), (CONTRACT, "§"), (KNOWN_DEFECT, "!"), (FINDING, "✗"), (NOT_APPLICABLE, "–"))
"""The outcomes and their signs, in the order of a cell."""

LEGEND = (
    "Each cell counts cases: ✓ pass, § within the contract, ! a known defect of torch, ✗ a finding, "
    "– not applicable."
)


MOST_REASONS = 6
"""The largest number of reasons that are named why cases of a column are not applicable."""


def title(header: Header) -> str:
    """Return the name and version of the subject."""
    if header.implementation is not None or header.subject == DEFAULT_SUBJECT:
        return header.implementation or f"torch {header.torch}"
    return f"{header.subject} (torch {header.torch})"


def cell(outcomes: Mapping[str, int]) -> str:
    """Return the counts of a cell: "12 ✓ 1 ✗", empty where there is no case."""
    return " ".join(f"{outcomes[name]} {sign}" for name, sign in SIGNS if outcomes.get(name))


def _names(columns: Sequence[Column]) -> List[str]:
    return [column.name for column in columns]


# --- runs -------------------------------------------------------------------------------


def runs(columns: Sequence[Column]) -> List[str]:
    """Return the section that says what was run, and how it ended."""
    head = ["column", "implementation", "path", "device", "promise", "tier", "cases"]
    head += ["✓ pass", "§ contract", "! known defect", "✗ finding", "– not applicable", "causes", "suite"]
    return [
        "## Runs",
        "",
        "A case is not applicable if one of its steps is not offered or promised; those before it agree.",
        "",
        *markdown.table(head, (_run(column) for column in columns)),
    ]


def _run(column: Column) -> List[str]:
    header, outcomes = column.header, column.tally.outcomes
    return [
        markdown.code(column.name),
        *map(markdown.plain, (title(header), header.path, header.device, header.promise, header.tier)),
        str(column.tally.cases),
        *(str(outcomes[name]) for name, _ in SIGNS),
        str(len(column.causes)),
        markdown.plain(header.suite),
    ]


# --- behaviours and quantities ----------------------------------------------------------


def behaviours(columns: Sequence[Column]) -> List[str]:
    """Return the section with a row for each behaviour."""
    names = sorted({name for column in columns for name in column.behaviours})
    rows = (
        [markdown.plain(name), *(cell(outcome_counts(each.behaviours.get(name, ()))) for each in columns)]
        for name in names
    )
    return ["## Behaviours", "", LEGEND, "", *markdown.table(["behaviour", *_names(columns)], rows)]


def quantities(columns: Sequence[Column]) -> List[str]:
    """Return the section with a row for each quantity that has a budget."""
    names = in_order({usage.quantity for column in columns for usage in column.tally.usage})
    rows = ([markdown.plain(name), *(_quantity(each.rows, name) for each in columns)] for name in names)
    return [
        "## Quantities",
        "",
        "Each cell counts the cases that compared the quantity, ✓ without and ✗ with a finding about it,",
        "and says how much of its budget the former used at most.",
        "",
        *markdown.table(["quantity", *_names(columns)], rows),
    ]


def _quantity(rows: Sequence[CaseRow], name: str) -> str:
    wrong = {row.id for row in rows if any(found.quantity == name for found in row.findings)}
    right = [row for row in rows if row.compared.get(name) and row.id not in wrong]
    # A case within the contract may exceed the budget, because its clause allows that.
    usual = [row for row in right if row.outcome != CONTRACT]
    shares = [reach(row.share[name]) for row in usual if name in row.share]
    used = f"{len(right)} ✓" + (f" ({percent(max(shares))})" if shares else "")
    return " ".join([used] * bool(right) + [f"{len(wrong)} ✗"] * bool(wrong))


# --- contracts --------------------------------------------------------------------------


def contracts(columns: Sequence[Column]) -> List[str]:
    """Return the section with the clauses of each contract, and the reasons why cases do not apply."""
    lines = [
        "## Contracts",
        "",
        "What an implementation legitimately does otherwise, clause by clause. In the circumstances of a",
        "clause exactly this deviation was seen, and outside of them none.",
    ]
    for column in columns:
        clauses, reasons = _clauses(column), _reasons(column)
        if clauses or reasons:
            heading = f"{markdown.code(column.name)}: {markdown.plain(title(column.header))}"
            lines += ["", f"### {heading}", "", *clauses, *reasons]
    return lines


def _clauses(column: Column) -> List[str]:
    """Return a line for each clause that applied, with its reason and source; the most frequent first."""
    counts = by_frequency(row.clause or "" for row in column.rows if row.outcome == CONTRACT)
    return [
        f"- § {markdown.code(name)}, {counted(count, 'case')}: "
        f"{markdown.plain(column.header.clauses.get(name, ''))}."
        for name, count in counts
    ]


def _reasons(column: Column) -> List[str]:
    """Return the line with the most frequent reasons why cases are not applicable."""
    ordered = by_frequency(row.reason for row in column.rows if row.outcome == NOT_APPLICABLE)
    named = [f"{markdown.plain(reason)} ({count})" for reason, count in ordered[:MOST_REASONS]]
    others = len(ordered) - len(named)
    named += [f"and {counted(others, 'other reason')}"] * bool(others)
    return [f"- – {'; '.join(named)}."] * bool(named)


# --- differences ------------------------------------------------------------------------


def differences(columns: Sequence[Column], notes: Sequence[Divergence]) -> List[str]:
    """Return the section on the findings: each divergence with its note, then what no note explains."""
    lines = ["## What differs", ""]
    if not any(column.tally.outcomes[FINDING] for column in columns):
        return [*lines, "Nothing: no implementation on this page has a finding."]
    lines += ["Each script runs in the environment of the implementation, without this suite.", ""]
    for note in notes:
        shown = [(column.name, _shown(column, note, notes)) for column in columns]
        if any(rows for _, rows in shown):
            lines += [*_divergence(note, shown), ""]
    left = [(column.name, causes(unexplained(column, notes))) for column in columns]
    if any(found for _, found in left):
        lines += ["### Not explained yet", ""]
        lines += [f"- {markdown.code(name)}, {in_words(each)}" for name, found in left for each in found]
        lines.append("")
    return lines[:-1]


def explanation(column: Column, row: CaseRow, notes: Sequence[Divergence]) -> Optional[Divergence]:
    """Return the first note that explains a case, None if there is none."""
    return next((note for note in notes if note.explains(column.name, row)), None)


def unexplained(column: Column, notes: Sequence[Divergence]) -> List[CaseRow]:
    """Return the rows of a column but for those with findings that a note explains."""
    return [
        row for row in column.rows if row.outcome != FINDING or explanation(column, row, notes) is None
    ]


def _shown(column: Column, note: Divergence, notes: Sequence[Divergence]) -> List[CaseRow]:
    found = (row for row in column.rows if row.outcome == FINDING)
    return [row for row in found if explanation(column, row, notes) is note]


def _divergence(note: Divergence, shown: Sequence[Tuple[str, List[CaseRow]]]) -> List[str]:
    return [
        f"### {note.title}",
        "",
        *(_example(name, rows) for name, rows in shown if rows),
        f"- Since: {note.since}.",
        f"- Source: {note.source}.",
        "",
        note.text,
    ]


def _example(name: str, rows: Sequence[CaseRow]) -> str:
    """Return how many cases of a column show a divergence, and the one with the shortest id."""
    row = min(rows, key=lambda each: (len(each.id), each.id))
    found = incidents_of(row)[0].findings[0]
    seen = f"{markdown.plain(found.quantity)} after {markdown.code(found.token)} "
    got, expected = (markdown.code(shortened(text, 60)) for text in (found.got, found.expected))
    seen += f"is {got}, not {expected}"
    return f"- {markdown.code(name)}, {counted(len(rows), 'case')}, as {markdown.code(row.id)}: {seen}."


def in_words(cause: Cause) -> str:
    """Return how many cases a cause has, what is wrong, and one of the cases."""
    about = markdown.plain(cause_text.description(cause))
    return f"{counted(cause.cases, 'case')}: {about}, as in {markdown.code(cause.id)}"
