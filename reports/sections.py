"""The sections of RELEASES.md that need nothing but the records: runs, behaviours, numerics."""

from __future__ import annotations

from typing import Callable, List, Mapping, Optional, Set, Tuple

from reports import markdown
from reports.comparison import CaseChange, Comparison
from reports.history import Column, History
from reports.rows import CONTRACT, FINDING, KNOWN_DEFECT, NOT_APPLICABLE, PASS
from reports.tally import FIRST, Peak, counted, percent, short


def releases(history: History) -> List[str]:
    """Return the names of the releases, the columns of every table."""
    return [column.header.release for column in history.columns]


def _steps(history: History) -> List[Tuple[str, str, Comparison]]:
    names = releases(history)
    return list(zip(names, names[1:], history.steps))


# --- runs -------------------------------------------------------------------------------


def runs(history: History) -> List[str]:
    """Return the section on the runs: what was run, where, and how much budget it used."""
    head = ["torch", "python", "numpy", "suite", "cases", "forwards", "compared"]
    head += ["findings", "known-defect cases"]
    head += [f"{name}: budget used" for name in FIRST]
    return [
        "## Runs",
        "",
        "Budget used is the largest, and in brackets the median, share over the cases of what",
        "rounding may do to a correct implementation.",
        "",
        *markdown.table(head, (_run(column) for column in history.columns)),
    ]


def _run(column: Column) -> List[str]:
    header, total = column.header, column.tally
    in_table = "" if header.release_in_table else " (not in the table of semantics)"
    return [
        markdown.plain(header.torch) + in_table,
        markdown.plain(header.python),
        markdown.plain(header.numpy),
        markdown.plain(header.suite),
        str(total.cases),
        str(total.forwards),
        str(column.footer.compared),
        str(total.outcomes[FINDING]),
        str(total.outcomes[KNOWN_DEFECT]),
        *(_share(column, quantity) for quantity in FIRST),
    ]


def _share(column: Column, quantity: str) -> str:
    for usage in column.tally.usage:
        if usage.quantity == quantity and usage.largest is not None and usage.median is not None:
            return f"{percent(usage.largest.value)} ({percent(usage.median)})"
    return "–"


# --- behaviours -------------------------------------------------------------------------


def behaviours(history: History, sources: Mapping[str, str]) -> List[str]:
    """Return the section on behaviours, with the reason and its source for every change.

    ``sources`` gives the source of each switch and known defect.
    """
    names = sorted({name for column in history.columns for name in column.behaviours})
    marked: List[Set[str]] = [set()]
    marked += [_changed_behaviours(step) for step in history.steps]
    rows = (
        [
            markdown.code(name),
            *(
                _outcomes(column.behaviours.get(name), name in changed)
                for column, changed in zip(history.columns, marked)
            ),
        ]
        for name in names
    )
    return [
        "## Behaviours",
        "",
        "Cases that pass, then with *d* those that show a known defect, *c* within the contract, *n* not",
        "applicable and *f* findings.",
        "≠ where a verdict, an exception or the expected values of a case changed from the column",
        "before; the list below the table says why.",
        "",
        *markdown.table(["behaviour", *releases(history)], rows),
        "",
        *_reasons(history, sources),
    ]


LETTERS = {PASS: "", KNOWN_DEFECT: "d", CONTRACT: "c", NOT_APPLICABLE: "n", FINDING: "f"}
"""Maps an outcome to the letter that follows its number of cases."""


def _outcomes(counts: Optional[Mapping[str, int]], changed: bool) -> str:
    if counts is None:
        return ""
    parts = [f"{counts[outcome]}{letter}" for outcome, letter in LETTERS.items() if counts[outcome]]
    return "{}{}".format("≠ " if changed else "", "+".join(parts))


def _case_changes(step: Comparison) -> Tuple[Tuple[str, Tuple[CaseChange, ...]], ...]:
    return (
        ("another verdict", step.verdicts),
        ("other exceptions", step.exceptions),
        ("other expected values", step.respecified),
    )


def _changed_behaviours(step: Comparison) -> Set[str]:
    return {change.behaviour for _, changes in _case_changes(step) for change in changes}


def _reasons(history: History, sources: Mapping[str, str]) -> List[str]:
    """Return, for each step with changes, what changed and which entries explain it."""
    lines = []
    for old, new, step in _steps(history):
        reasons = [_reason(name, step, sources) for name in sorted(_changed_behaviours(step))]
        reasons += [
            "{} only in {}".format(counted(len(rows), "case"), release)
            for release, rows in ((old, step.only_old), (new, step.only_new))
            if rows
        ]
        if reasons:
            lines.append(f"- {old} → {new}")
            lines += [f"  - {reason}." for reason in reasons]
    return lines or ["Nothing changed between neighbouring releases."]


def _reason(behaviour: str, step: Comparison, sources: Mapping[str, str]) -> str:
    parts = []
    causes: List[str] = []
    unexplained: Set[str] = set()
    reworded: Set[str] = set()
    for what, changes in _case_changes(step):
        mine = [change for change in changes if change.behaviour == behaviour]
        if mine:
            parts.append("{} in {}".format(what, counted(len(mine), "case")))
        causes += [cause for change in mine for cause in change.causes]
        for change in mine:
            if not change.causes:
                (reworded if _is_rewording(change) else unexplained).add(change.case)
    named = [
        "{} ({})".format(
            markdown.code(cause), markdown.flat(sources.get(cause, "no longer in the registries"))
        )
        for cause in sorted(set(causes))
    ]
    if reworded:
        named.append("only other words in the messages of {}".format(counted(len(reworded), "case")))
    if unexplained:
        named.append("**{} unexplained**".format(counted(len(unexplained), "case")))
    return "{}: {}; {}".format(markdown.code(behaviour), ", ".join(parts), ", ".join(named))


def _is_rewording(change: CaseChange) -> bool:
    """Whether the same steps raise the same classes before and after, so that only messages differ."""
    old, new = ([error.split(" ", 3)[:3] for error in side] for side in (change.old, change.new))
    return bool(old) and old == new


# --- numerics ---------------------------------------------------------------------------


def numerics(history: History) -> List[str]:
    """Return the section on changes of bytes between neighbouring releases."""
    head = ["releases", "cases compared", "changed bitwise"]
    head += [f"{name}: ulps, budget" for name in FIRST]
    return [
        "## Numerics",
        "",
        "Among the cases that have the same expected values on both releases: how many returned",
        "other bytes, by how many units in the last place a value changed at most, and by how much",
        "the largest share of the budget used by a case changed. Units in the last place are not",
        "counted in cases with an element near 0, where they say nothing.",
        "",
        *markdown.table(head, (_moved(old, new, step) for old, new, step in _steps(history))),
    ]


def _moved(old: str, new: str, step: Comparison) -> List[str]:
    drifts = {drift.quantity: drift for drift in step.numerics.drifts}
    return [
        f"{old} → {new}",
        str(step.numerics.comparable),
        str(step.numerics.changed),
        *(
            f"{_peak(drifts[name].ulps, short)}, {_peak(drifts[name].share, percent)}"
            if name in drifts
            else "–"
            for name in FIRST
        ),
    ]


def _peak(peak: Optional[Peak], text: Callable[[float], str]) -> str:
    return "–" if peak is None else text(peak.value)
