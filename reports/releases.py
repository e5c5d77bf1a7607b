"""RELEASES.md: how every release behaved, from the committed records.

The page is a pure function of the records and of the two registries, byte for byte. Both
registries are plain data: reading them needs no NumPy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from oracle.defects import DEFECTS, Defect
from oracle.semantics import SWITCHES
from oracle.switch import Release, Switch
from reports import markdown, sections
from reports.history import History
from reports.proofs import dotted

DIRECTORY = Path(__file__).parent / "records"
PAGE = Path(__file__).parent / "RELEASES.md"

COMMAND = "python -m reports releases"


def sentences(switches: Iterable[Switch] = SWITCHES) -> Dict[str, Tuple[str, str]]:
    """Return, for each switch, its inside and its outside behaviour in a sentence."""
    return {switch.name: (switch.inside, switch.outside) for switch in switches}


def page(
    history: History, switches: Sequence[Switch] = SWITCHES, defects: Sequence[Defect] = DEFECTS
) -> str:
    """Return the text of RELEASES.md; ``defects`` replaces the defects of the registry."""
    header, last = history.columns[0].header, history.columns[-1].header.release
    sources = {switch.name: switch.source for switch in switches}
    sources.update({defect.name: defect.source for defect in defects})
    parts = [
        [
            f"# {markdown.plain(header.subject)} from torch {header.release} to {last}",
            "",
            f"Generated from `reports/records` by `{COMMAND}`; do not edit.",
            f"Tier {markdown.plain(header.tier)}, seed {header.seed}, one record a release.",
        ],
        sections.runs(history),
        _switches(history, switches),
        _defects(history, defects),
        sections.behaviours(history, sources),
        sections.numerics(history),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


# --- switches ---------------------------------------------------------------------------


def _switches(history: History, switches: Sequence[Switch]) -> List[str]:
    recorded = {name for column in history.columns for name in column.header.semantics}
    names = [switch.name for switch in switches]
    names += sorted(recorded.difference(names))
    lines = [
        "## Behaviour that depends on the release",
        "",
        "● the first of the two sentences below the table was expected, and ○ the second, in",
        "the number of cases given; **bold** where that changed from the column before; ∅ where",
        "no case tells the two apart.",
        "",
        *markdown.table(
            ["switch", *sections.releases(history)],
            ([markdown.code(name), *_sides(history, name)] for name in names),
        ),
        "",
    ]
    for switch in switches:
        lines += [
            f"- `{switch.name}`, {_interval(switch.first, switch.last)}. "
            f"Source: {markdown.flat(switch.source)}.",
            f"  - ● {markdown.flat(switch.inside)}",
            f"  - ○ {markdown.flat(switch.outside)}",
        ]
    lines += [
        f"- {markdown.code(name)}: in a record, and no longer in the table of semantics."
        for name in names[len(switches) :]
    ]
    return lines


def _sides(history: History, name: str) -> List[str]:
    """Return the cells of one switch: its side on each release, as the records have it."""
    cells = []
    before: Optional[bool] = None
    for column in history.columns:
        holds = column.header.semantics.get(name)
        if holds is None:
            cells.append("")
            continue
        mark = "●" if holds else "○"
        changed = before is not None and holds != before
        count = column.exercised.get(name, 0)
        shown = f"**{mark}**" if changed else mark
        cells.append(f"{shown} {count or '∅'}")
        before = holds
    return cells


def _interval(first: Optional[Release], last: Optional[Release]) -> str:
    """Return an interval of releases in words."""
    if first is None and last is None:
        return "on every release"
    if first is None:
        assert last is not None
        return f"up to {dotted(last)}"
    if last is None:
        return f"from {dotted(first)}"
    return f"{dotted(first)} to {dotted(last)}"


# --- known defects ----------------------------------------------------------------------


def _defects(history: History, defects: Sequence[Defect]) -> List[str]:
    recorded = {name for column in history.columns for name in column.defects}
    names = [defect.name for defect in defects]
    names += sorted(recorded.difference(names))
    lines = ["## Known defects", ""]
    if not names:
        return [*lines, "None: no case showed one, and the registry names none."]
    lines += [
        "The oracle is right and the release is wrong, in the number of cases given.",
        "",
        *markdown.table(
            ["defect", *sections.releases(history)],
            (
                [markdown.code(name), *(str(column.defects.get(name, "")) for column in history.columns)]
                for name in names
            ),
        ),
        "",
    ]
    for defect in defects:
        lines += [
            f"- `{defect.name}`, {_interval(defect.first, defect.last)}, "
            f"{markdown.flat(defect.circumstances)}. Source: {markdown.flat(defect.source)}.",
            f"  - Instead: {markdown.flat(defect.instead)}",
            f"  - To avoid it: {markdown.flat(defect.avoid)}",
        ]
    lines += [
        f"- {markdown.code(name)}: in a record, and no longer in the registry."
        for name in names[len(defects) :]
    ]
    return lines
