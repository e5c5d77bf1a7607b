"""The text of ``python -m reports diff``."""

from __future__ import annotations

from collections import Counter
from typing import List, Mapping, Optional, Sequence, Tuple

from reports.comparison import Comparison, Drift, SwitchChange
from reports.record import Record
from reports.shifts import KINDS, RAISES, RAISES_NO_MORE, RESULTS, Shift, shifts
from reports.tally import by_behaviour, counted, listed, percent, short
from reports.visible import LONGEST, shortened, visible

ID = 7
"""The number of columns before an id."""

GROUPS = 3
"""The number of groups of a kind that are shown unless all are asked for."""

QUANTITIES = 2
"""The number of quantities with other numbers that are shown unless all are asked for."""

NOTED = (
    ("suite", "subject", "implementation", "promise", "path", "device")
    + ("tier", "numpy", "python", "platform", "threads")
)
"""The fields of two headers whose difference is noted."""

Sentences = Mapping[str, Tuple[str, str]]
"""Maps a switch to its inside and its outside behaviour, each in a sentence."""


def diff_lines(
    old: Record, new: Record, comparison: Comparison, sentences: Sentences, show_all: bool = False
) -> List[str]:
    """Return the text that says what changed from ``old`` to ``new``.

    Changes that break a user's program come first. Unless ``show_all``, a group is shown by its shortest
    case, long lists and long lines are cut, and a line says how much was left out.
    """
    limit = None if show_all else GROUPS
    sections = [
        _provenance(old, new),
        _shifts(shifts(old, new, comparison), limit),
        _switches(comparison, sentences, limit),
        _defects(comparison),
        _sets(comparison, limit),
        _numerics(comparison, None if show_all else QUANTITIES),
        _conclusion(comparison),
    ]
    lines = [line for section in sections for line in section]
    return [visible(line) if show_all else _cut(line) for line in lines]


def _cut(line: str) -> str:
    """Return a line, cut where it is long; ids are kept whole, so that they can be pasted."""
    indent = len(line) - len(line.lstrip(" "))
    return " " * indent + shortened(line, LONGEST if indent < ID else 4 * LONGEST)


# --- sections ---------------------------------------------------------------------------


def _provenance(old: Record, new: Record) -> List[str]:
    lines = [
        f"{label}: torch {record.header.torch}, {counted(len(record.rows), 'case')} ({record.source})"
        for label, record in (("old", old), ("new", new))
    ]
    for name in NOTED:
        a, b = getattr(old.header, name), getattr(new.header, name)
        if a != b:
            lines.append(f"note: {name} differs too: {a} -> {b}")
    lines.append("")
    return lines


def _shifts(found: Sequence[Shift], limit: Optional[int]) -> List[str]:
    lines = []
    for kind in KINDS:
        mine = [shift for shift in found if shift.kind == kind]
        if mine:
            count = counted(sum(len(shift.cases) for shift in mine), "case")
            lines.append(f"{kind}: {count}")
            for number, shift in enumerate(mine[:limit]):
                lines += _shift(shift, limit) if limit is None or not number else _shift(shift, limit)[:1]
            lines += _left(mine[limit:] if limit else [], "group")
    return lines


def _shift(shift: Shift, limit: Optional[int]) -> List[str]:
    because = listed(shift.because, most=2 if limit else len(shift.because))
    reason = f"because of {because}" if because else "nothing in the registries explains it"
    line = f"  {counted(len(shift.cases), 'case')}: {_words(shift)}"
    if limit is None:
        return [line, f"    {reason}", *_ids(shift.cases, limit)]
    shortest = min(shift.cases, key=lambda case: (len(case), case))
    return [line, f"{' ' * ID}{shortest} ({reason})"]


def _words(shift: Shift) -> str:
    """Return the change in words, without the words of the heading."""
    words = {
        RAISES: shift.new,
        RAISES_NO_MORE: shift.old,
        RESULTS: "other outputs, buffers or parameters",
    }.get(shift.kind, f"{shift.old} -> {shift.new}")
    return f"{shift.where}: {words}" if shift.where else words


def _switches(comparison: Comparison, sentences: Sentences, limit: Optional[int]) -> List[str]:
    """Return the switches that changed, those that most cases exercise first."""
    if not comparison.switches:
        return []
    counts = Counter(name for change in comparison.respecified for name in change.causes)
    lines = [f"semantics: {counted(len(comparison.switches), 'switch', 'switches')} changed"]
    ordered = sorted(comparison.switches, key=lambda each: (-counts[each.name], each.name))
    for change in ordered[:limit]:
        lines.append(f"  {change.name}: {_sentence(change, change.old, sentences)}")
        lines.append(f"    -> {_sentence(change, change.new, sentences)}")
    return lines + _left(ordered[limit:] if limit else [], "switch", "switches")


def _sentence(change: SwitchChange, holds: Optional[bool], sentences: Sentences) -> str:
    if holds is None:
        return "the suite that wrote the record did not know this switch"
    if change.name not in sentences:
        return "(this suite no longer knows this switch)"
    inside, outside = sentences[change.name]
    return inside if holds else outside


def _defects(comparison: Comparison) -> List[str]:
    return [
        f"known defect {change.name}: appeared, in {counted(change.new, 'case')}"
        if change.new
        else f"known defect {change.name}: gone, was in {counted(change.old, 'case')}"
        for change in comparison.defects
    ]


def _sets(comparison: Comparison, limit: Optional[int]) -> List[str]:
    lines = []
    for side, rows in (("old", comparison.only_old), ("new", comparison.only_new)):
        if rows:
            groups = sorted(by_behaviour(rows).items(), key=lambda group: (-len(group[1]), group[0]))
            lines.append(f"only in the {side} record: {counted(len(rows), 'case')}")
            for behaviour, group in groups[:limit]:
                lines.append(f"  {behaviour}: {counted(len(group), 'case')}")
                lines += _ids([row.id for row in group], limit)
            lines += _left(groups[limit:] if limit else [], "behaviour")
    return lines


def _numerics(comparison: Comparison, limit: Optional[int]) -> List[str]:
    numerics = comparison.numerics
    left_out = ""
    if comparison.respecified:
        left_out = f" (left out: {len(comparison.respecified)} with a switch that changed)"
    lines = [
        f"numerics: {numerics.changed} of {numerics.comparable} cases "
        f"with the same expected values changed bitwise{left_out}"
    ]
    drifts = numerics.drifts
    lines.extend(f"  {drift.quantity}: {_drift(drift)}" for drift in drifts[:limit])
    lines += _left(drifts[limit:] if limit else [], "quantity", "quantities")
    return lines


def _drift(drift: Drift) -> str:
    parts = []
    if drift.ulps is not None:
        parts.append(f"at most {short(drift.ulps.value)} ulps, in {drift.ulps.case}")
    if drift.uncounted:
        parts.append(f"ulps say nothing in {counted(drift.uncounted, 'case')} with elements near 0")
    if drift.share is not None:
        parts.append(f"budget use changed by at most {percent(drift.share.value)}, in {drift.share.case}")
    return "; ".join(parts)


def _parts(comparison: Comparison) -> Tuple[Tuple[str, bool], ...]:
    """Return the parts that a user must know about, each with whether it changed."""
    return (
        ("semantics", bool(comparison.switches)),
        ("verdicts", bool(comparison.verdicts)),
        ("exceptions", bool(comparison.exceptions)),
        ("the set of known defects", bool(comparison.defects)),
        ("the set of cases", bool(comparison.only_old or comparison.only_new)),
    )


def _conclusion(comparison: Comparison) -> List[str]:
    """Return the last lines: what did not change, and what changed."""
    alike, changed = (
        ", ".join(name for name, changes in _parts(comparison) if changes is wanted)
        for wanted in (False, True)
    )
    same = f"the same: {alike}"
    if not comparison.matters:
        return [same, "nothing that a user must know about changed"]
    return [f"changed: {changed}; {same}" if alike else f"changed: {changed}"]


# --- parts of sections ------------------------------------------------------------------


def _ids(cases: Sequence[str], limit: Optional[int]) -> List[str]:
    """Return the lines of the ids of a group: the first one, or all where there is no limit."""
    return [" " * ID + case for case in (cases if limit is None else cases[:1])]


def _left(groups: Sequence[object], noun: str, plural: str = "") -> List[str]:
    """Return a line that says how many are not shown, if there are any."""
    if not groups:
        return []
    count = counted(len(groups), f"more {noun}", plural and f"more {plural}")
    return [f"  ... and {count} (--all shows them)"]
