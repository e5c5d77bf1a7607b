"""Everything that the scripts of the page need, as data for JSON.

Lists stand in columns and hold indices into tables, because most of the 10^5 rows of a page are alike.
``reports/templates/records.js`` reads this form; the names of the fields are those of ``reports.rows``.
"""

from __future__ import annotations

import math
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from oracle.defects import DEFECTS
from oracle.semantics import SWITCHES
from reports.rows import CONTRACT, KNOWN_DEFECT, CaseRow, Found
from reports.shifts import finding_in_words
from reports.site import programs
from reports.site.board import LOOKS, behaviours
from reports.site.columns import Column, series
from reports.site.tables import Table, fronts, repeats
from reports.symptoms import generalised, verb
from reports.tally import in_order, reach
from reports.visible import visible

Json = Dict[str, object]

ABSENT = -1
"""The result of a case in a column that lacks it."""

Measure = Tuple[Tuple[str, object, object, object], ...]
"""Per quantity: the largest error in shares of its budget and in ulps, the smallest detectable error."""


class _Result(NamedTuple):
    """The result of one case in one column; a part that other cases may share is an index into a table.

    ``version``: a number for the bytes that were returned, which other cases do not share.
    """

    case: int
    outcome: str
    forwards: int
    defect: str
    finding: str
    reason: str
    version: int
    errors: int
    switches: int
    measure: int
    compared: int
    findings: Tuple[int, ...]


class _Tables:
    """The tables that the results of all columns share."""

    def __init__(self) -> None:
        self.errors: Table[str] = Table()
        self.raised: Table[Tuple[int, ...]] = Table()
        self.switches: Table[Tuple[str, ...]] = Table()
        self.measures: Table[Measure] = Table()
        self.compared: Table[Tuple[Tuple[str, int], ...]] = Table()
        self.findings: Table[Tuple[object, ...]] = Table()
        self.results: Table[_Result] = Table()
        self._bytes: Dict[Tuple[int, str], int] = {}
        self._counts: Dict[int, int] = {}

    def place(self, case: int, row: CaseRow) -> int:
        """Return the place of the result of a case among the results."""
        return self.results.place(
            _Result(
                case,
                row.outcome,
                row.forwards,
                visible(_named(row)),
                visible(finding_in_words(row)),
                visible(row.reason),
                self._version(case, row.digest),
                self.raised.place(tuple(map(self.errors.place, row.errors))),
                self.switches.place(tuple(map(visible, row.switches))),
                self.measures.place(_measure(row)),
                self.compared.place(
                    tuple((visible(name), row.compared[name]) for name in in_order(row.compared))
                ),
                tuple(self.findings.place(_found(each)) for each in row.findings),
            )
        )

    def _version(self, case: int, digest: str) -> int:
        """Return the number of these bytes among all that the case returned: a digest in short."""
        if (case, digest) not in self._bytes:
            self._bytes[case, digest] = self._counts[case] = self._counts.get(case, -1) + 1
        return self._bytes[case, digest]


def contents(given: Sequence[Column]) -> Json:
    """Return the data of a page with these columns."""
    cases = sorted({(row.id, row.behaviour) for column in given for row in column.record.rows})
    following = [new for _, new in series(given)]
    tables = _Tables()
    shown = _shown(given, {case: place for place, (case, _) in enumerate(cases)}, tables)
    return {
        "columns": [_column(each, each in following) for each in given],
        "looks": [[name, *look] for name, look in LOOKS.items()],
        "behaviours": [visible(name) for name in behaviours(given)],
        "switches": _switches(given),
        "defects": [
            [each.name, each.circumstances, each.instead, each.avoid, each.source] for each in DEFECTS
        ],
        "cases": _cases(given, cases),
        "shown": shown,
        **_results(tables),
    }


def _column(column: Column, follows: bool) -> Json:
    """Return the data of a column; ``follows``: it is the next release after the column before it."""
    header = column.record.header
    return {
        "name": column.name,
        "title": column.title,
        "group": column.group,
        "follows": follows,
        "options": visible(header.options),
        "semantics": {visible(name): holds for name, holds in header.semantics.items()},
    }


def _switches(given: Sequence[Column]) -> Dict[str, List[str]]:
    """Return the sentences of each switch that a record names, and its source."""
    known = {each.name: [each.inside, each.outside, each.source] for each in SWITCHES}
    named = sorted({name for column in given for name in column.record.header.semantics})
    unknown = ["(this version of the suite does not know this switch)"] * 2 + [""]
    return {visible(name): known.get(name, unknown) for name in named}


def _cases(given: Sequence[Column], cases: Sequence[Tuple[str, str]]) -> Json:
    ids = [case for case, _ in cases]
    numbers = {name: number for number, name in enumerate(behaviours(given))}
    axes = programs.axes(ids)
    tokens: Table[str] = Table()
    sequences: Table[Tuple[int, ...]] = Table()
    texts: Table[str] = Table()
    columns: List[List[int]] = [[], [], [], []]
    for case in ids:
        known = programs.program(case)
        columns[0].append(sequences.place(tuple(map(tokens.place, known.steps))))
        for column, text in zip(columns[1:], (known.construction, known.inputs, known.note)):
            column.append(texts.place(text))
    return {
        "ids": fronts([visible(case) for case in ids]),
        "behaviour": [numbers[behaviour] for _, behaviour in cases],
        "axes": [
            [axis.name, list(map(visible, axis.words)), repeats(words)]
            for axis, words in _words(axes, ids)
        ],
        "tokens": tokens.values,
        "meanings": programs.meanings(tokens.values),
        "programs": sequences.values,
        "texts": texts.values,
        **dict(zip(("program", "construction", "inputs", "note"), columns)),
    }


def _words(axes: Sequence[programs.Axis], ids: Sequence[str]) -> List[Tuple[programs.Axis, List[int]]]:
    """Return each axis with the place of the word of every case, ABSENT where it has none."""
    rows = [programs.words(case) for case in ids]
    found = []
    for place, axis in enumerate(axes):
        places = {word: number for number, word in enumerate(axis.words)}
        found.append(
            (axis, [places.get(row[place], ABSENT) if place < len(row) else ABSENT for row in rows])
        )
    return found


def _shown(given: Sequence[Column], places: Mapping[str, int], tables: _Tables) -> List[int]:
    """Return for each case its result in every column, one case after the other, as repeats."""
    columns: List[Dict[int, CaseRow]] = [
        {places[row.id]: row for row in column.record.rows} for column in given
    ]
    found: List[int] = []
    for case in range(len(places)):
        before: Optional[CaseRow] = None
        for rows in columns:
            row = rows.get(case)
            if row is None:
                found.append(ABSENT)
            elif row == before:
                found.append(found[-1])
            else:
                found.append(tables.place(case, row))
            before = row
    return repeats(found)


def _results(tables: _Tables) -> Json:
    """Return the tables, and the results as one list for each field."""
    results = tables.results.values
    outcomes = list(LOOKS)
    texts: Table[str] = Table()
    return {
        "outcome": repeats([outcomes.index(each.outcome) for each in results]),
        "forwards": repeats([each.forwards for each in results]),
        "defect": repeats([texts.place(each.defect) for each in results]),
        "finding": repeats([texts.place(each.finding) for each in results]),
        "reason": repeats([texts.place(each.reason) for each in results]),
        "version": repeats([each.version for each in results]),
        "raised": repeats([each.errors for each in results]),
        "exercised": repeats([each.switches for each in results]),
        "measure": [each.measure for each in results],
        "compared": repeats([each.compared for each in results]),
        "found": {place: each.findings for place, each in enumerate(results) if each.findings},
        "tables": {
            "texts": texts.values,
            "errors": [_error(each) for each in tables.errors.values],
            "raised": tables.raised.values,
            "exercised": tables.switches.values,
            "measures": [
                [part for quantity in each for part in quantity] for each in tables.measures.values
            ],
            "compared": [[part for pair in each for part in pair] for each in tables.compared.values],
            "findings": tables.findings.values,
        },
    }


def _named(row: CaseRow) -> str:
    """Return the name of the defect or clause by which the outcome of a case is explained, if any."""
    if row.outcome == KNOWN_DEFECT:
        return row.defect or ""
    return (row.clause or "") if row.outcome == CONTRACT else ""


def _measure(row: CaseRow) -> Measure:
    return tuple(
        (
            visible(name),
            _short(reach(row.share[name])) if name in row.share else None,
            _short(reach(row.ulps[name])) if name in row.ulps else None,
            _short(row.detectable[name]) if name in row.detectable else None,
        )
        for name in in_order({*row.share, *row.ulps, *row.detectable})
    )


def _error(text: str) -> List[object]:
    """Return an error of a row: the number of the step, its verb, the words, and the words in general."""
    step, token, words = (text.split(" ", 2) + ["", ""])[:3]
    return [
        int(step) if step.isdecimal() and step.isascii() else 0,
        visible(verb(token)),
        visible(words),
        visible(generalised(words)),
    ]


def _found(found: Found) -> Tuple[object, ...]:
    return (
        found.step,
        *map(visible, (found.token, found.quantity, found.got, found.expected)),
        str(list(found.index)) if found.index else "",
        visible(found.regime),
        *(None if each is None else _short(each) for each in (found.error, found.budget, found.ulps)),
        ", ".join(map(visible, found.switches)),
    )


def _short(value: float) -> object:
    """Return three digits of a number; JSON has no infinity, and gets its name."""
    return float(f"{value:.3g}") if math.isfinite(value) else repr(value)
