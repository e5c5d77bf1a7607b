"""The changes that a user sees between two records, grouped by change.

A case is compared up to the first step whose exceptions differ: later steps start from different states.
Cases whose step, old words and new words agree are one group, whatever their axes.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence, Tuple

from reports.comparison import CaseChange, Comparison
from reports.incidents import incidents_of
from reports.record import Record
from reports.rows import FINDING, CaseRow
from reports.symptoms import EXCEPTION, NOTHING_RAISED, generalised, verb

VERDICTS = "another verdict"
RAISES, OTHER_CLASS = "raises where it did not", "raises another class"
RESULTS = "gives other results"
OTHER_WORDS, RAISES_NO_MORE = "raises with other words", "raises no more"
DEFECTS = "shows another known defect, or none"
KINDS = (VERDICTS, RAISES, OTHER_CLASS, RESULTS, OTHER_WORDS, RAISES_NO_MORE, DEFECTS)
"""The kinds of change. Those that break a user's program come first."""


class Shift(NamedTuple):
    """A change, and the cases that show it.

    ``where`` names the steps, or what is wrong in a case that is a finding; ``old`` and ``new`` are the
    words on either side. ``because`` names the changed switches and known defects that each explain every
    case; if there are none, it names those that together explain all cases. It is empty if the registries
    leave a case unexplained.
    """

    kind: str
    where: str
    old: str
    new: str
    because: Tuple[str, ...]
    cases: Tuple[str, ...]


def shifts(old: Record, new: Record, comparison: Comparison) -> Tuple[Shift, ...]:
    """Return all changes of verdicts, exceptions and results, in the order in which they are shown.

    The kinds come in the order of KINDS; within one kind, changes of most cases come first.
    """
    rows = {row.id: row for row in new.rows}
    groups: Dict[Tuple[str, ...], List[Difference]] = {}
    for change in comparison.verdicts:
        each = Difference(finding_in_words(rows[change.case]), *_sides(change), change)
        kind = VERDICTS if FINDING in (*change.old, *change.new) else DEFECTS
        key = (kind, *map(generalised, (each.old, each.new, each.where)))
        groups.setdefault(key, []).append(each)
    for change in comparison.exceptions:
        each = first_difference(change)
        key = (_kind(each.old, each.new), *map(generalised, (each.old, each.new)))
        groups.setdefault(key, []).append(each)
    for change in _silent(old, rows, comparison):
        groups.setdefault((RESULTS, *change.causes), []).append(Difference("", "", "", change))
    found = [_shift(key[0], members) for key, members in groups.items()]
    return tuple(sorted(found, key=lambda each: (KINDS.index(each.kind), -len(each.cases), each)))


class Difference(NamedTuple):
    """The change of one case, in the words of a Shift."""

    where: str
    old: str
    new: str
    change: CaseChange


def _shift(kind: str, members: List[Difference]) -> Shift:
    changes = [each.change for each in members]
    return Shift(
        kind,
        ", ".join(dict.fromkeys(each.where for each in members)),
        members[0].old,
        members[0].new,
        _because(changes),
        tuple(change.case for change in changes),
    )


def _because(changes: Sequence[CaseChange]) -> Tuple[str, ...]:
    sets = [frozenset(change.causes) for change in changes]
    every, some = frozenset.intersection(*sets), frozenset().union(*sets)
    if not all(sets):
        return ()
    return tuple(sorted(every or some))


def _sides(change: CaseChange) -> Tuple[str, str]:
    return ", ".join(change.old), ", ".join(change.new)


def finding_in_words(row: CaseRow) -> str:
    """Return what is wrong in a case that is a finding, "" for another case."""
    if row.outcome != FINDING:
        return ""
    found = incidents_of(row)[0].findings[0]
    if not row.findings:
        return found.got
    if found.quantity == EXCEPTION:
        return f"{verb(found.token)}: {found.got}, expected {found.expected}"
    return f"{found.quantity} after {verb(found.token)}"


def first_difference(change: CaseChange) -> Difference:
    """Return the first step whose exceptions differ, and the words on either side.

    Each error reads ``STEP TOKEN CLASS MESSAGE``.
    """
    before, after = _by_step(change.old), _by_step(change.new)
    step = min(key for key in {*before, *after} if before.get(key) != after.get(key))
    token = (before.get(step) or after[step])[0]
    old, new = (each[step][1] if step in each else NOTHING_RAISED for each in (before, after))
    return Difference(verb(token), old, new, change)


def _by_step(errors: Sequence[str]) -> Dict[int, Tuple[str, str]]:
    """Return the token and the words of each error, by the number of its step."""
    parts = [(error.split(" ", 2) + ["", ""])[:3] for error in errors]
    return {int(step) if step.isdecimal() else 0: (token, words) for step, token, words in parts}


def _kind(old: str, new: str) -> str:
    if old == NOTHING_RAISED:
        return RAISES
    if new == NOTHING_RAISED:
        return RAISES_NO_MORE
    return OTHER_WORDS if old.split(" ")[0] == new.split(" ")[0] else OTHER_CLASS


def _silent(old: Record, rows: Dict[str, CaseRow], comparison: Comparison) -> List[CaseChange]:
    """Return the cases to which a changed switch gives other results without other exceptions."""
    digests = {row.id: row.digest for row in old.rows}
    loud = {change.case for change in (*comparison.exceptions, *comparison.verdicts)}
    return [
        change
        for change in comparison.respecified
        if change.case not in loud and digests[change.case] != rows[change.case].digest
    ]
