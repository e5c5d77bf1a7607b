"""The record of a run: JSON Lines, compressed where the name ends in .gz.

``read`` is strict. A record that was cut, edited, concatenated or written by another format
is refused with the exception that names its fault, because a comparison with half a record
would report half of the changes as none.
"""

from __future__ import annotations

import gzip
import io
import os
from dataclasses import dataclass, field
from typing import Iterable, List, Tuple

from reports import destination, reading
from reports.encoding import encode_case, encode_footer, encode_header
from reports.errors import DuplicateCase, PathLike
from reports.order import Order, objects
from reports.rows import CaseRow, Footer, Header, footer_for


@dataclass(frozen=True)
class Record:
    """A whole run: header, rows sorted by case id, footer.

    ``source`` is the file that it was read from; it takes no part in equality.
    """

    header: Header
    rows: Tuple[CaseRow, ...]
    footer: Footer
    source: str = field(compare=False)


def write(path: PathLike, header: Header, rows: Iterable[CaseRow], exit_status: int) -> None:
    """Write the record of a run that ended with ``exit_status`` to ``path``.

    The same run gives the same bytes, whatever the order of ``rows``, compressed or not.

    Raises:
        DuplicateCase: two rows have the same id.
        UnwritableOutput: the file cannot be written.
    """
    ordered = sorted(rows, key=lambda row: row.id)
    for before, row in zip(ordered, ordered[1:]):
        if before.id == row.id:
            raise DuplicateCase(path, f"not written, as two rows are of case {row.id}")
    lines = [encode_header(header)]
    lines.extend(encode_case(row) for row in ordered)
    lines.append(encode_footer(footer_for(header, ordered, exit_status)))
    content = "".join(line + "\n" for line in lines).encode("utf-8")
    destination.write(path, compressed(content) if reading.is_compressed(path) else content)


def read(path: PathLike) -> Record:
    """Return the record at ``path``; every line must stand in its place.

    Raises:
        RecordError: the file is not a whole and consistent record; each fault has its own
            class in ``reports.errors``.
    """
    order = Order(path)
    rows: List[CaseRow] = []
    for number, values in objects(path):
        line = order.take(number, values)
        if isinstance(line, CaseRow):
            rows.append(line)
    header, footer = order.ends()
    return Record(header, tuple(rows), footer, os.fspath(path))


# --- bytes ------------------------------------------------------------------------------


def compressed(content: bytes) -> bytes:
    """Return bytes compressed, without the file name and the time that gzip would store."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as stream:
        stream.write(content)
    return buffer.getvalue()
