"""The board: behaviours by columns, each cell with its number of cases of each outcome."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence, Tuple

from reports.circumstances import family
from reports.rows import CONTRACT, FINDING, KNOWN_DEFECT, NOT_APPLICABLE, PASS
from reports.site.columns import Column
from reports.tally import counted
from reports.visible import visible

ABSENT = "absent"
"""The outcome of a cell without cases."""


class Look(NamedTuple):
    """The display of an outcome: a sign, a noun for one case and for several, a line of the legend."""

    sign: str
    noun: str
    plural: str
    meaning: str


LOOKS: Dict[str, Look] = {
    FINDING: Look("✗", "finding", "findings", "differs from the specification, and nothing explains it"),
    KNOWN_DEFECT: Look("◆", "known defect", "known defects", "shows exactly a defect that is described"),
    CONTRACT: Look(
        "§", "within the contract", "within the contract", "deviates exactly as its contract allows"
    ),
    PASS: Look("✓", "pass", "pass", "as specified"),
    NOT_APPLICABLE: Look(
        "–", "not applicable", "not applicable", "needs a step that is not offered or promised"
    ),
    ABSENT: Look("", "no case", "no cases", "the record has no such case"),
}
"""Maps each outcome to how it is shown, the one that a reader must know about most first. A cell shows
the first of which it has a case."""

FAMILIES: Dict[str, str] = {
    "matrix": "Matrix: a change of a live module",
    "edge": "Edges: situations outside of the matrix",
    "claim": "Claims of public texts",
    "state": "States and operations",
}
"""Maps the family of an id to the heading of its behaviours, in the order in which they are shown."""

OTHER = "Other cases"


class Cell(NamedTuple):
    """One cell: its outcome, its short text, and the same in words.

    ``share``: the share of its cases that have the outcome, 0 where nothing is out of the ordinary.
    """

    outcome: str
    text: str
    words: str
    share: float = 0.0


class Run(NamedTuple):
    """Neighbouring columns of one group whose cells are alike."""

    first: int
    last: int
    cell: Cell


class Line(NamedTuple):
    """A behaviour: its number, its name, a cell for each column, and the runs of cells that are alike."""

    number: int
    name: str
    cells: Tuple[Cell, ...]
    runs: Tuple[Run, ...]


class Part(NamedTuple):
    """The behaviours of one family."""

    title: str
    lines: Tuple[Line, ...]


def behaviours(given: Sequence[Column]) -> List[str]:
    """Return the names of all behaviours, in the order in which the page numbers them."""
    return sorted({row.behaviour for column in given for row in column.record.rows})


def board(given: Sequence[Column]) -> Tuple[Part, ...]:
    """Return the behaviours of each family, with their cells."""
    counts: Dict[Tuple[str, int], Dict[str, int]] = {}
    titles: Dict[str, str] = {}
    for place, column in enumerate(given):
        for row in column.record.rows:
            cell = counts.setdefault((row.behaviour, place), {})
            cell[row.outcome] = cell.get(row.outcome, 0) + 1
            titles.setdefault(row.behaviour, FAMILIES.get(family(row.id), OTHER))
    parts: Dict[str, List[Line]] = {title: [] for title in (*FAMILIES.values(), OTHER)}
    for number, name in enumerate(behaviours(given)):
        cells = tuple(cell_of(counts.get((name, place), {})) for place in range(len(given)))
        parts[titles[name]].append(Line(number, visible(name), cells, _runs(given, cells)))
    return tuple(Part(title, tuple(lines)) for title, lines in parts.items() if lines)


def legend(parts: Sequence[Part]) -> List[str]:
    """Return the outcomes that the legend explains: a finding, a pass, and those on the board."""
    there = {cell.outcome for part in parts for line in part.lines for cell in line.cells}
    return [outcome for outcome in LOOKS if outcome in {FINDING, PASS, *there} - {ABSENT}]


def cell_of(counts: Dict[str, int]) -> Cell:
    """Return the cell that has these numbers of cases."""
    outcome = next((each for each in LOOKS if counts.get(each)), ABSENT)
    words = ", ".join(
        counted(counts[each], look.noun, look.plural) for each, look in LOOKS.items() if counts.get(each)
    )
    total = sum(counts.values())
    bare = outcome in UNCOUNTED and counts.get(outcome, 0) == total
    number = "" if bare else str(counts[outcome])
    share = counts.get(outcome, 0) / total if total and outcome not in UNCOUNTED else 0.0
    return Cell(outcome, LOOKS[outcome].sign + number, words or LOOKS[ABSENT].noun, share)


UNCOUNTED = (PASS, NOT_APPLICABLE, ABSENT)
"""The outcomes whose number is left out where all cases of a cell have them."""


def _runs(given: Sequence[Column], cells: Sequence[Cell]) -> Tuple[Run, ...]:
    runs: List[Run] = []
    for place, cell in enumerate(cells):
        before = runs[-1] if runs else None
        same = before is not None and given[before.last].group == given[place].group
        if before is not None and same and before.cell == cell:
            runs[-1] = before._replace(last=place)
        else:
            runs.append(Run(place, place, cell))
    return tuple(runs)
