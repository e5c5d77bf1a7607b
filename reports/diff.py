"""The text of ``python -m reports diff``."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from reports.comparison import CaseChange, Comparison, Drift, SwitchChange
from reports.record import Record
from reports.rows import CaseRow
from reports.tally import by_behaviour, counted, percent, short

GROUPS = 10
"""How many groups of a section are shown unless all are asked for."""

CASES = 5
"""How many cases of a group are shown unless all are asked for."""

Sentences = Mapping[str, Tuple[str, str]]
"""For each switch, its inside and its outside behaviour in a sentence."""


def diff_lines(
    old: Record, new: Record, comparison: Comparison, sentences: Sentences, show_all: bool = False
) -> List[str]:
    """Return the text that says what changed from ``old`` to ``new``.

    Long lists are grouped by behaviour and cut, with a line that says how much was left out,
    unless ``show_all``.
    """
    groups, cases = (None, None) if show_all else (GROUPS, CASES)
    sections = [
        _provenance(old, new),
        _switches(comparison, sentences),
        _section(
            _heading("verdicts", len(comparison.verdicts)),
            _change_groups(comparison.verdicts, cases),
            groups,
        ),
        _section(
            _heading("exceptions", len(comparison.exceptions)),
            _change_groups(comparison.exceptions, cases),
            groups,
        ),
        _defects(comparison),
        _section(
            "cases only in the old record: {}".format(len(comparison.only_old) or "none"),
            _row_groups(comparison.only_old, cases),
            groups,
        ),
        _section(
            "cases only in the new record: {}".format(len(comparison.only_new) or "none"),
            _row_groups(comparison.only_new, cases),
            groups,
        ),
        _numerics(comparison),
        [_conclusion(comparison)],
    ]
    return [line for section in sections for line in section]


# --- sections ---------------------------------------------------------------------------


def _provenance(old: Record, new: Record) -> List[str]:
    lines = [
        "{}  torch {}, {} ({})".format(
            label, record.header.torch, counted(len(record.rows), "case"), record.source
        )
        for label, record in (("old", old), ("new", new))
    ]
    for name in ("suite", "subject", "tier", "numpy", "python", "platform", "threads"):
        a, b = getattr(old.header, name), getattr(new.header, name)
        if a != b:
            lines.append(f"note: {name} differs too: {a} -> {b}")
    lines.append("")
    return lines


def _switches(comparison: Comparison, sentences: Sentences) -> List[str]:
    lines = [_heading("semantics", len(comparison.switches))]
    for change in comparison.switches:
        lines.append(f"  {change.name}: {_side(change.old)} -> {_side(change.new)}")
        for label, holds in (("old", change.old), ("new", change.new)):
            lines.append(f"    {label}: {_sentence(change, holds, sentences)}")
    return lines


def _side(holds: Optional[bool]) -> str:
    return {None: "not recorded", True: "inside", False: "outside"}[holds]


def _sentence(change: SwitchChange, holds: Optional[bool], sentences: Sentences) -> str:
    if holds is None:
        return "the suite that wrote the record did not know this switch"
    if change.name not in sentences:
        return "(this suite no longer knows this switch)"
    inside, outside = sentences[change.name]
    return inside if holds else outside


def _defects(comparison: Comparison) -> List[str]:
    return [
        _heading("known defects", len(comparison.defects)),
        *(
            "  {}: appeared, in {}".format(change.name, counted(change.new, "case"))
            if change.new
            else "  {}: gone, was in {}".format(change.name, counted(change.old, "case"))
            for change in comparison.defects
        ),
    ]


def _numerics(comparison: Comparison) -> List[str]:
    numerics = comparison.numerics
    lines = [
        f"numerics: {numerics.changed} of {numerics.comparable} cases "
        "with the same expected values changed bitwise"
    ]
    lines.extend(f"  {drift.quantity}: {_drift(drift)}" for drift in numerics.drifts)
    if comparison.respecified:
        lines.append(
            "  (left out, as a switch they exercise changed: {})".format(
                counted(len(comparison.respecified), "case")
            )
        )
    return lines


def _drift(drift: Drift) -> str:
    parts = []
    if drift.ulps is not None:
        parts.append(f"at most {short(drift.ulps.value)} ulps, in {drift.ulps.case}")
    if drift.share is not None:
        parts.append(
            f"budget use changed by at most {percent(drift.share.value)}, in {drift.share.case}"
        )
    return "; ".join(parts)


def _conclusion(comparison: Comparison) -> str:
    if not comparison.matters:
        return "nothing that a user must know about changed"
    named = (
        ("semantics", comparison.switches),
        ("verdicts", comparison.verdicts),
        ("exceptions", comparison.exceptions),
        ("known defects", comparison.defects),
        ("the set of cases", comparison.only_old or comparison.only_new),
    )
    return "changed: {}".format(", ".join(name for name, changes in named if changes))


# --- groups -----------------------------------------------------------------------------


def _heading(title: str, count: int) -> str:
    return "{}: {}".format(title, f"{count} changed" if count else "the same")


Group = Tuple[int, List[str]]
"""The number of cases of a group, and its lines."""


def _section(heading: str, groups: Sequence[Group], limit: Optional[int]) -> List[str]:
    """Return the groups under a heading, the largest first, at most ``limit`` of them."""
    ordered = sorted(groups, key=lambda group: -group[0])
    shown = ordered[:limit]
    lines = [heading, *(line for _, text in shown for line in text)]
    left = ordered[len(shown) :]
    if left:
        lines.append(
            "  ... and {} with {} (--all shows them)".format(
                counted(len(left), "more group"), counted(sum(size for size, _ in left), "case")
            )
        )
    return lines


def _change_groups(changes: Sequence[CaseChange], limit: Optional[int]) -> List[Group]:
    """Group changes that are the same change to the same behaviour."""
    groups: Dict[CaseChange, List[str]] = {}
    for change in changes:
        key = CaseChange("", change.behaviour, change.old, change.new, change.causes)
        groups.setdefault(key, []).append(change.case)
    return [(len(cases), _change_text(key, cases, limit)) for key, cases in groups.items()]


def _change_text(change: CaseChange, cases: List[str], limit: Optional[int]) -> List[str]:
    because = ", ".join(change.causes) or "nothing in the registries explains it"
    return [
        "  {} ({}; {})".format(change.behaviour, counted(len(cases), "case"), because),
        *(f"    - {_flat(text)}" for text in change.old or ("no exception",)),
        *(f"    + {_flat(text)}" for text in change.new or ("no exception",)),
        *_ids(cases, limit),
    ]


def _row_groups(rows: Sequence[CaseRow], limit: Optional[int]) -> List[Group]:
    return [
        (
            len(group),
            [
                "  {} ({})".format(behaviour, counted(len(group), "case")),
                *_ids([row.id for row in group], limit),
            ],
        )
        for behaviour, group in by_behaviour(rows).items()
    ]


def _ids(cases: Sequence[str], limit: Optional[int]) -> List[str]:
    lines = [f"      {case}" for case in cases[:limit]]
    left = len(cases) - len(lines)
    if left:
        lines.append(f"      ... and {left} more (--all shows them)")
    return lines


def _flat(text: str) -> str:
    return " ".join(text.split())
