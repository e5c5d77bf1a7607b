"""The comparison of two records, case by case.

Changes that a user must know about are kept apart from numerics. A case whose expected values are not the
same on both sides (a switch that it exercises changed, or other exceptions were raised) says nothing
about rounding and takes no part in the numerics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Optional, Set, Tuple

from reports.errors import DifferentSeeds, DifferentTiers, PartialRecord, UnfinishedRun
from reports.record import Record
from reports.rows import CONTRACT, FINISHED, KNOWN_DEFECT, NOT_APPLICABLE, CaseRow, Extremes
from reports.tally import Peak, in_order, peak, reach

FLOAT32_EPSILON, FLOAT64_EPSILON = 2.0**-23, 2.0**-52
"""The distance from 1 to the next number. A row does not give its dtype, but no case in float32 can
detect a relative error of less than half of its epsilon."""

Pair = Tuple[CaseRow, CaseRow]


@dataclass(frozen=True)
class CaseChange:
    """A case that does not show the same on both sides.

    ``causes`` names the changed switches that the case exercises, and the known defects that it shows on
    one side only. If it is empty, nothing in the registries explains the change.
    """

    case: str
    behaviour: str
    old: Tuple[str, ...]
    new: Tuple[str, ...]
    causes: Tuple[str, ...]


@dataclass(frozen=True)
class SwitchChange:
    """A switch whose inside behaviour is expected on one side only; None if the record does not say."""

    name: str
    old: Optional[bool]
    new: Optional[bool]


@dataclass(frozen=True)
class DefectChange:
    """A known defect that appeared or is gone, with the number of cases that show it."""

    name: str
    old: int
    new: int


@dataclass(frozen=True)
class Drift:
    """The change of one quantity, over the cases with the same expected values.

    ``ulps`` bounds from above the change of any element, from the signed extremes of its error;
    ``uncounted`` is the number of cases whose ulps say nothing and are left out. ``share`` is the largest
    change of the largest |error| / budget of a case.
    """

    quantity: str
    ulps: Optional[Peak]
    share: Optional[Peak]
    uncounted: int = 0


@dataclass(frozen=True)
class Numerics:
    """Changes of bytes and of errors; ``comparable`` cases have the same expected values."""

    comparable: int
    changed: int
    drifts: Tuple[Drift, ...]


@dataclass(frozen=True)
class Comparison:
    """Everything that differs between two records.

    ``respecified`` holds the cases that exercise a changed switch, so that their expected values
    may differ; their ``old`` and ``new`` are empty.
    """

    verdicts: Tuple[CaseChange, ...]
    switches: Tuple[SwitchChange, ...]
    exceptions: Tuple[CaseChange, ...]
    defects: Tuple[DefectChange, ...]
    only_old: Tuple[CaseRow, ...]
    only_new: Tuple[CaseRow, ...]
    respecified: Tuple[CaseChange, ...]
    numerics: Numerics

    @property
    def matters(self) -> bool:
        """Whether anything changed that a user must know about; numerics are not counted."""
        return bool(
            self.verdicts
            or self.switches
            or self.exceptions
            or self.defects
            or self.only_old
            or self.only_new
        )


def compare(old: Record, new: Record) -> Comparison:
    """Return what changed from ``old`` to ``new``.

    Raises:
        IncomparableRecords: the inputs differ, a run was interrupted, or the case sets differ
            for a reason other than the release.
    """
    before = {row.id: row for row in old.rows}
    after = {row.id: row for row in new.rows}
    _require_comparable(old, new, before.keys() == after.keys())
    pairs = [(row, after[row.id]) for row in old.rows if row.id in after]
    switches = _switch_changes(old, new)
    changed = {change.name for change in switches}
    exceptions = _changes(pairs, lambda row: row.errors, changed)
    respecified = _respecified(pairs, changed)
    moved = {change.case for change in (*exceptions, *respecified)}
    return Comparison(
        verdicts=_changes(pairs, lambda row: (verdict(row),), changed),
        switches=switches,
        exceptions=exceptions,
        defects=_defect_changes(old, new),
        only_old=tuple(row for row in old.rows if row.id not in after),
        only_new=tuple(row for row in new.rows if row.id not in before),
        respecified=respecified,
        numerics=_numerics([(a, b) for a, b in pairs if a.id not in moved]),
    )


def verdict(row: CaseRow) -> str:
    """Return the verdict on a case: its outcome, with the known defect, the clause or the reason."""
    if row.outcome == KNOWN_DEFECT:
        return f"{row.outcome} {row.defect}"
    if row.outcome == CONTRACT:
        return f"{row.outcome} {row.clause}"
    if row.outcome == NOT_APPLICABLE:
        return f"{row.outcome}: {row.reason}"
    return row.outcome


def _require_comparable(old: Record, new: Record, same_cases: bool) -> None:
    """Raise the exception that says why a comparison would say nothing about torch."""
    require_finished(old)
    require_finished(new)
    sources = f"{old.source} and {new.source}"
    a, b = old.header, new.header
    if a.seed != b.seed:
        raise DifferentSeeds(
            f"{sources}: have different inputs (seeds {a.seed} and {b.seed}); "
            "record both with the same --seed"
        )
    if same_cases:
        return
    if a.tier != b.tier:
        raise DifferentTiers(
            f"{sources}: are of different tiers ({a.tier} and {b.tier}); "
            "record both with the same --tier"
        )
    for record in (old, new):
        if record.header.selection is not None:
            raise PartialRecord(
                f"{record.source}: is a selection ({record.header.selection}), "
                "and the other record has different cases; "
                "record the whole tier, or both with the same selection"
            )


def require_finished(record: Record) -> None:
    """Raise ``UnfinishedRun`` where the run of ``record`` may have left out cases."""
    if record.footer.exit not in FINISHED:
        raise UnfinishedRun(
            f"{record.source}: the run did not finish "
            f"(pytest exit status {record.footer.exit}); record it again"
        )


def require_whole(record: Record) -> None:
    """Raise UnfinishedRun or PartialRecord unless a record is of a finished run of a whole tier."""
    require_finished(record)
    if record.header.selection is not None:
        raise PartialRecord(
            f"{record.source}: is a selection ({record.header.selection}); record the whole tier"
        )


def _switch_changes(old: Record, new: Record) -> Tuple[SwitchChange, ...]:
    a, b = old.header.semantics, new.header.semantics
    return tuple(
        SwitchChange(name, a.get(name), b.get(name))
        for name in sorted({*a, *b})
        if a.get(name) != b.get(name)
    )


def _changes(
    pairs: Iterable[Pair], shown: Callable[[CaseRow], Tuple[str, ...]], switches: Set[str]
) -> Tuple[CaseChange, ...]:
    """Return the cases that do not show the same before and after a change of ``switches``."""
    return tuple(
        CaseChange(a.id, b.behaviour, shown(a), shown(b), _causes(a, b, switches))
        for a, b in pairs
        if shown(a) != shown(b)
    )


def _respecified(pairs: Iterable[Pair], switches: Set[str]) -> Tuple[CaseChange, ...]:
    """Return the cases that exercise one of ``switches``, whose expected values may differ."""
    return tuple(
        CaseChange(a.id, b.behaviour, (), (), _causes(a, b, switches))
        for a, b in pairs
        if switches.intersection((*a.switches, *b.switches))
    )


def _causes(a: CaseRow, b: CaseRow, switches: Set[str]) -> Tuple[str, ...]:
    """Return the changed switches and defects that explain why ``a`` and ``b`` differ."""
    causes = switches.intersection((*a.switches, *b.switches))
    if a.defect != b.defect:
        causes.update(name for name in (a.defect, b.defect) if name is not None)
    return tuple(sorted(causes))


def _defect_changes(old: Record, new: Record) -> Tuple[DefectChange, ...]:
    a, b = defect_counts(old.rows), defect_counts(new.rows)
    return tuple(
        DefectChange(name, a.get(name, 0), b.get(name, 0))
        for name in sorted({*a, *b})
        if (name in a) != (name in b)
    )


def defect_counts(rows: Iterable[CaseRow]) -> Dict[str, int]:
    """Return the number of cases that show each known defect."""
    counts: Dict[str, int] = {}
    for row in rows:
        if row.outcome == KNOWN_DEFECT and row.defect is not None:
            counts[row.defect] = counts.get(row.defect, 0) + 1
    return counts


# --- numerics ---------------------------------------------------------------------------


def _numerics(pairs: List[Pair]) -> Numerics:
    changed = [(a, b) for a, b in pairs if a.digest != b.digest]
    quantities = {name for pair in changed for row in pair for name in (*row.share, *row.ulps)}
    return Numerics(
        comparable=len(pairs),
        changed=len(changed),
        drifts=tuple(_drift(name, changed) for name in in_order(quantities)),
    )


def _drift(name: str, changed: List[Pair]) -> Drift:
    measured = [(a, b) for a, b in changed if name in a.ulps and name in b.ulps]
    counted = [(a, b) for a, b in measured if _tells(a, name) and _tells(b, name)]
    return Drift(
        name,
        ulps=peak((_farthest(a.ulps[name], b.ulps[name]), a.id) for a, b in counted),
        share=peak(
            (_distance(reach(a.share[name]), reach(b.share[name])), a.id)
            for a, b in changed
            if name in a.share and name in b.share
        ),
        uncounted=len(measured) - len(counted),
    )


def _tells(row: CaseRow, name: str) -> bool:
    """Return whether the error in ulps says something about the arithmetic.

    It says nothing if it comes from an element whose expected value is 0 or far smaller than the others.
    Such an error is within the budget, but relative to its element it is larger than the smallest
    relative error that the case can detect, which is what the budget allows for an element of full size.
    """
    ulps, detectable = reach(row.ulps[name]), row.detectable.get(name, 0.0)
    epsilon = FLOAT64_EPSILON if detectable < FLOAT32_EPSILON / 2 else FLOAT32_EPSILON
    return ulps * epsilon <= detectable or ulps == 0.0


def _farthest(a: Extremes, b: Extremes) -> float:
    """Return the largest distance between a point of ``a`` and a point of ``b``."""
    return reach((a[0] - b[1], a[1] - b[0]))


def _distance(a: float, b: float) -> float:
    return 0.0 if a == b else abs(a - b)
