"""The records as the columns of one board: their names, their groups, their order."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath
from typing import Dict, List, NamedTuple, Sequence, Tuple

from reports.record import Record
from reports.rows import CPU, DEFAULT_SUBJECT, EAGER, FINISHED, MODULE, Header
from reports.tally import claim
from reports.visible import shortened, visible

RELEASES, IMPLEMENTATIONS, PATHS = "torch releases", "implementations", "paths and devices"
GROUPS = (RELEASES, IMPLEMENTATIONS, PATHS)
"""The groups of columns, in the order in which they are shown."""

LONGEST = 40
"""The largest number of characters of the name of a column."""


class Column(NamedTuple):
    """One record on the board.

    ``name``: a short name, which no other column has. ``title``: the whole name. ``group``: one of
    GROUPS.
    """

    name: str
    title: str
    group: str
    record: Record

    @property
    def finished(self) -> bool:
        """Whether the run came to its end, so that no case is missing."""
        return self.record.footer.exit in FINISHED


def columns(records: Sequence[Record]) -> Tuple[Column, ...]:
    """Return the records as columns: releases in order, then implementations, then paths.

    Columns that would have the same name get that of their file as well, or else a number.
    """
    places = {name: place for place, name in enumerate(GROUPS)}
    ordered = sorted(records, key=lambda each: _order(each.header, places))
    names = _distinct([_name(each.header) for each in ordered], [each.source for each in ordered])
    return tuple(
        Column(name, _title(each.header), group_of(each.header), each)
        for name, each in zip(names, ordered)
    )


def series(given: Sequence[Column]) -> List[Tuple[Column, Column]]:
    """Return each column of a release with the one after it that differs only in its release."""
    releases = [column for column in given if column.group == RELEASES]
    return [
        (old, new)
        for old, new in zip(releases, releases[1:])
        if _run_alike(old.record.header) == _run_alike(new.record.header)
    ]


def group_of(header: Header) -> str:
    """Return the group of a record."""
    if (header.path, header.device) != (EAGER, CPU):
        return PATHS
    torchs = header.implementation is None and header.subject == DEFAULT_SUBJECT
    return RELEASES if torchs else IMPLEMENTATIONS


def _run_alike(header: Header) -> Tuple[object, ...]:
    return header.subject, header.promise, header.tier, header.seed, header.selection


def _order(header: Header, places: Dict[str, int]) -> Tuple[object, ...]:
    group = places[group_of(header)]
    who = "" if group == places[RELEASES] else _tested(header)
    return group, who, header.path, header.device, header.release_key


def _tested(header: Header) -> str:
    """Return what was tested in short: the implementation, the release, or the class on the release."""
    if header.implementation is not None:
        return shortened(header.implementation, LONGEST)
    if header.subject == DEFAULT_SUBJECT:
        return header.release
    subject = header.subject.rpartition(":")[2] or header.subject
    return f"{shortened(subject, LONGEST)} {header.release}"


def _name(header: Header) -> str:
    own = [(header.path, EAGER), (header.device, CPU)]
    if header.implementation is None:
        own.append((header.promise, MODULE))
    return " ".join(
        [_tested(header), *(shortened(value, LONGEST) for value, usual in own if value != usual)]
    )


def _title(header: Header) -> str:
    torch = f"torch {header.torch}"
    tested = torch if header.subject == DEFAULT_SUBJECT else f"{header.subject} on {torch}"
    if header.implementation is not None:  # the claim begins with it
        tested = ""
    return visible(", ".join(filter(None, (tested, claim(header).replace(" | ", ", ")))))


def _distinct(names: List[str], sources: List[str]) -> List[str]:
    """Return the names, those that several columns would have with the name of the file, or a number."""
    counts = Counter(names)
    files = [shortened(PurePath(source).name.partition(".jsonl")[0], LONGEST) for source in sources]
    longer = [f"{name} {file}" if counts[name] > 1 else name for name, file in zip(names, files)]
    counts = Counter(longer)
    seen: Dict[str, int] = {}
    for place, name in enumerate(longer):
        seen[name] = seen.get(name, 0) + 1
        if counts[name] > 1:
            longer[place] = f"{name} #{seen[name]}"
    return longer
