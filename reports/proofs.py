"""Finds the releases that prove a sentence: those on which it is expected and all its cases passed."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterable, List, Mapping, NamedTuple, Sequence, Tuple

from oracle.switch import Release
from reports.errors import NoRecords
from reports.history import PATTERN, record_paths
from reports.record import Record, read
from reports.rows import PASS

Outcomes = Mapping[Release, Mapping[str, str]]
"""Maps a release, oldest first, to the outcome of each case."""


def read_outcomes(directory: Path) -> Outcomes:
    """Return the outcomes in the records of a directory.

    Raises:
        NoRecords: the directory contains no record.
        RecordError: a file is not a usable record.
    """
    paths = record_paths(directory)
    if not paths:
        raise NoRecords(
            f"{directory}: holds no record ({PATTERN}); name the folder of the committed records"
        )
    return outcomes(read(path) for path in paths)


def outcomes(records: Iterable[Record]) -> Outcomes:
    """Return the outcomes of the cases of records."""
    found: Dict[Release, Mapping[str, str]] = {
        record.header.release_key: {row.id: row.outcome for row in record.rows} for record in records
    }
    return dict(sorted(found.items()))


def passing(known: Outcomes, cases: Sequence[str], among: Iterable[Release]) -> List[Release]:
    """Return those of the releases on which every case passed."""
    return [
        release
        for release in among
        if release in known and all(known[release].get(case) == PASS for case in cases)
    ]


class Span(NamedTuple):
    """Consecutive recorded releases."""

    first: Release
    last: Release


def spans(known: Outcomes, proving: Sequence[Release]) -> List[Span]:
    """Return the releases as few spans, oldest first."""
    found: List[Span] = []
    before = None
    for release in known:
        if release in proving:
            if found and before == found[-1].last:
                found[-1] = found[-1]._replace(last=release)
            else:
                found.append(Span(release, release))
        before = release
    return found


def dotted(release: Release) -> str:
    """Return the number of a release."""
    return f"{release[0]}.{release[1]}"


def in_words(known: Outcomes, proving: Sequence[Release]) -> str:
    """Return the releases in words: ``since 1.6``, ``up to 1.5``, ``2.10 to 2.11``; all: empty."""
    oldest, newest = next(iter(known)), next(reversed(list(known)))
    return ", ".join(filter(None, (_words(span, oldest, newest) for span in spans(known, proving))))


def _words(span: Tuple[Release, Release], oldest: Release, newest: Release) -> str:
    first, last = span
    if (first, last) == (oldest, newest):
        return ""
    if last == newest:
        return f"since {dotted(first)}"
    if first == oldest:
        return f"up to {dotted(last)}"
    return dotted(first) if first == last else f"{dotted(first)} to {dotted(last)}"
