"""The history: one record for each release, in order, with the changes from each to the next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Mapping, Sequence, Tuple

from reports.comparison import Comparison, compare, defect_counts, require_whole
from reports.errors import (
    DifferentSeeds,
    DifferentSubjects,
    DifferentTiers,
    DuplicateRelease,
    NoRecords,
)
from reports.record import Record, read
from reports.rows import Footer, Header
from reports.tally import Tally, by_behaviour, outcome_counts, tally

PATTERN = "*.jsonl.gz"


@dataclass(frozen=True)
class Column:
    """The summary of the record of one release.

    ``behaviours`` counts the outcomes of every behaviour, ``exercised`` the cases that exercise each
    switch, ``defects`` the cases that show each known defect.
    """

    header: Header
    footer: Footer
    tally: Tally
    behaviours: Mapping[str, Mapping[str, int]]
    exercised: Mapping[str, int]
    defects: Mapping[str, int]


@dataclass(frozen=True)
class History:
    """The releases in order; ``steps[i]`` is what changed from column i to column i + 1."""

    columns: Tuple[Column, ...]
    steps: Tuple[Comparison, ...]


def record_paths(directory: Path) -> List[Path]:
    """Return the records in ``directory``, by name."""
    return sorted(directory.glob(PATTERN))


def read_history(directory: Path) -> History:
    """Return the history in the records of ``directory``, one for each release.

    Raises:
        NoRecords: the directory contains no record.
        RecordError: a file is not a usable record.
        DuplicateRelease, IncomparableRecords: the records do not belong on one page.
    """
    paths = record_paths(directory)
    if not paths:
        raise NoRecords(
            f"{directory}: holds no record ({PATTERN}); "
            f"record a run into it: pytest --report={directory / 'torch-2.13.jsonl.gz'}"
        )
    return history([read(path) for path in paths])


def history(records: Sequence[Record]) -> History:
    """Return the history of ``records``, given in any order."""
    ordered = sorted(records, key=lambda record: record.header.release_key)
    for record in ordered:
        _require_alike(ordered[0], record)
    for old, new in zip(ordered, ordered[1:]):
        if old.header.release_key == new.header.release_key:
            raise DuplicateRelease(
                f"{old.source} and {new.source}: are both of release {old.header.release}; "
                "keep one record a release"
            )
    return History(
        columns=tuple(_column(record) for record in ordered),
        steps=tuple(compare(old, new) for old, new in zip(ordered, ordered[1:])),
    )


def _require_alike(first: Record, record: Record) -> None:
    """Raise unless ``record`` is a whole, finished run like ``first``."""
    require_whole(record)
    for name, error in (
        ("seed", DifferentSeeds),
        ("tier", DifferentTiers),
        ("subject", DifferentSubjects),
    ):
        a, b = getattr(first.header, name), getattr(record.header, name)
        if a != b:
            raise error(
                f"{first.source} and {record.source}: have different {name}s ({a} and {b}); "
                "a page needs one for all"
            )


def _column(record: Record) -> Column:
    exercised: Dict[str, int] = {}
    for row in record.rows:
        for name in row.switches:
            exercised[name] = exercised.get(name, 0) + 1
    return Column(
        header=record.header,
        footer=record.footer,
        tally=tally(record.rows),
        behaviours={name: outcome_counts(rows) for name, rows in by_behaviour(record.rows).items()},
        exercised=exercised,
        defects=defect_counts(record.rows),
    )
