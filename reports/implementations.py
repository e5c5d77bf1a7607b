"""IMPLEMENTATIONS.md: what every recorded implementation, path and device does, from the records.

The page is a pure function of the records in ``reports/records/implementations``, one for each column,
of those in ``reports/records/paths``, one for each row of the table of paths, and of the notes in
``reports/divergences``, byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import List, Mapping, Optional, Sequence, Tuple

from reports import destination, divergence, implementation_sections, path_section
from reports.cause_text import Cause
from reports.causes import causes
from reports.comparison import require_whole
from reports.errors import NoRecords, ReportError
from reports.reading import is_compressed
from reports.record import Record, compressed, read
from reports.rows import CPU, EAGER, CaseRow, Header
from reports.tally import Tally, by_behaviour, tally

DIRECTORY = Path(__file__).parent / "records" / "implementations"
PATHS = DIRECTORY.parent / "paths"
PAGE = Path(__file__).parent / "IMPLEMENTATIONS.md"
COMMAND = "python -m reports implementations"
ENDING = ".jsonl.gz"


class UnusableName(ReportError):
    """A name of a column that cannot be the name of a file."""


@dataclass(frozen=True)
class Column:
    """One record. ``name``: the name of its file, without the ending, which heads the column."""

    name: str
    header: Header
    tally: Tally
    rows: Tuple[CaseRow, ...]
    behaviours: Mapping[str, Sequence[CaseRow]]
    causes: Tuple[Cause, ...]


def column(name: str, record: Record) -> Column:
    """Return the column of a record.

    Raises:
        ReportError: the run did not finish, or is a selection of its tier.
    """
    require_whole(record)
    return Column(
        name=name,
        header=record.header,
        tally=tally(record.rows),
        rows=record.rows,
        behaviours=by_behaviour(record.rows),
        causes=causes(record.rows),
    )


def columns(directory: Path = DIRECTORY) -> Tuple[Column, ...]:
    """Return the columns of all records in a directory, by name.

    Raises:
        NoRecords: there is none.
        ReportError: a file is not a usable record.
    """
    found = of_paths(directory)
    if not found:
        raise NoRecords(
            f"{directory}: holds no record (*{ENDING}); add one: {COMMAND} --add mine{ENDING}"
        )
    return found


def of_paths(directory: Path = PATHS) -> Tuple[Column, ...]:
    """Return the columns of all records in a directory, by name; () where there are none.

    Raises:
        ReportError: a file is not a usable record.
    """
    found = sorted(directory.glob(f"*{ENDING}"))
    return tuple(column(path.name[: -len(ENDING)], read(path)) for path in found)


def page(
    shown: Sequence[Column], notes: Sequence[divergence.Divergence], paths: Sequence[Column] = ()
) -> str:
    """Return the text of IMPLEMENTATIONS.md. ``paths``: the records of paths."""
    parts: List[List[str]] = [
        [
            "# Implementations, paths and devices",
            "",
            f"Generated from `reports/records/implementations` by `{COMMAND}`; do not edit.",
            "`python -m reports implementations --add FILE` adds the record of another implementation as",
            "a column. [tests/subject/README.md](../tests/subject/README.md) says how one is run.",
        ],
        implementation_sections.runs(shown),
        path_section.paths(paths),
        implementation_sections.behaviours(shown),
        implementation_sections.quantities(shown),
        implementation_sections.contracts(shown),
        implementation_sections.differences(shown, notes),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def name_of(header: Header) -> str:
    """Return the name of a record's column: implementation, path and device, without versions."""
    text = header.implementation or f"torch {'.'.join(header.torch.split('.')[:2])}"
    words = [text if header.implementation is None else _without_versions(text)]
    words += [value for value, usual in ((header.path, EAGER), (header.device, CPU)) if value != usual]
    return re.sub(r"[^a-z0-9.]+", "-", " ".join(words).lower()).strip("-.")


def _without_versions(text: str) -> str:
    return " ".join(word for word in text.split() if not word[:1].isdigit())


def add(path: Path, name: Optional[str], directory: Path = DIRECTORY) -> Path:
    """Copy a record into the directory, in place of one with the same name; return where it is now.

    Raises:
        ReportError: the record cannot be a column, the name is not the name of a file, or it cannot be
            written.
    """
    record = read(path)
    column("", record)
    name = name or name_of(record.header)
    if re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,60}", name) is None:
        raise UnusableName(
            f"--name {name}: the name of a column has small letters, digits, '.', '-' and '_'"
        )
    target = directory / f"{name}{ENDING}"
    content = path.read_bytes()
    destination.write(target, content if is_compressed(path) else compressed(content))
    return target
