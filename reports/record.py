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
from dataclasses import fields as fields_of
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Tuple, TypeVar

from reports import destination, reading
from reports.encoding import (
    FORMAT,
    decode_case,
    decode_footer,
    decode_header,
    encode_case,
    encode_footer,
    encode_header,
)
from reports.errors import (
    DuplicateCase,
    EmptyRecord,
    InvalidField,
    LineAfterFooter,
    MissingFooter,
    MissingHeader,
    NotJson,
    PathLike,
    RecordTooLarge,
    RepeatedHeader,
    UnknownKind,
    UnsortedCase,
    UnsupportedFormat,
    WrongFooter,
)
from reports.fields import Malformed, described
from reports.rows import CaseRow, Footer, Header, footer_for
from reports.visible import shortened

CASES = 1_000_000
"""The largest number of cases of a record, twice as many as the full tier has."""

Line = TypeVar("Line")


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
    destination.write(path, _compressed(content) if reading.is_compressed(path) else content)


def read(path: PathLike) -> Record:
    """Return the record at ``path``; every line must stand in its place.

    Raises:
        RecordError: the file is not a whole and consistent record; each fault has its own
            class in ``reports.errors``.
    """
    header: Optional[Header] = None
    footer: Optional[Footer] = None
    rows: List[CaseRow] = []
    for number, line in reading.lines(path):
        if number == 1 and not line.strip():
            raise EmptyRecord(path, "the first line is empty")
        if not line.endswith("\n"):
            raise MissingFooter(path, "the last line is cut off", number)
        values = _object(path, line, number)
        kind = values.get("kind")
        if footer is not None:
            raise LineAfterFooter(path, "a line follows the footer", number)
        if header is None:
            header = _header(path, values, number)
        elif kind == "case":
            if len(rows) == CASES:
                raise RecordTooLarge(path, f"has more than {CASES} cases", number)
            row = _decoded(path, decode_case, values, number)
            _require_order(path, rows, row, number)
            rows.append(row)
        elif kind == "footer":
            footer = _decoded(path, decode_footer, values, number)
            _require_sum(path, footer, footer_for(header, rows, footer.exit), number)
        elif kind == "header":
            raise RepeatedHeader(path, "a second header", number)
        else:
            raise UnknownKind(path, f"kind {described(kind)} is not 'header', 'case' or 'footer'", number)
    if header is None and footer is None:
        raise EmptyRecord(path, "the record is empty")
    if header is None or footer is None:
        raise MissingFooter(path, f"ends before the footer, after {len(rows)} cases")
    return Record(header, tuple(rows), footer, os.fspath(path))


# --- bytes ------------------------------------------------------------------------------


def _compressed(content: bytes) -> bytes:
    """Compress without the file name and the time that gzip would store."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as stream:
        stream.write(content)
    return buffer.getvalue()


# --- lines ------------------------------------------------------------------------------


def _object(path: PathLike, line: str, number: int) -> Dict[str, object]:
    try:
        values = reading.parsed(line)
    except ValueError as error:
        raise NotJson(path, f"is not a line of JSON ({error})", number) from None
    if not isinstance(values, dict):
        raise NotJson(path, f"is JSON but not an object: {shortened(line, 40)}", number)
    return values


def _header(path: PathLike, values: Mapping[str, object], number: int) -> Header:
    if values.get("kind") != "header":
        raise MissingHeader(
            path, f"the first line is of kind {described(values.get('kind'))}, not 'header'", number
        )
    if values.get("format") != FORMAT:
        raise UnsupportedFormat(
            path,
            f"is of format {described(values.get('format'))}; this suite reads {FORMAT}",
            number,
        )
    return _decoded(path, decode_header, values, number)


def _decoded(
    path: PathLike,
    decode: Callable[[Mapping[str, object]], Line],
    values: Mapping[str, object],
    number: int,
) -> Line:
    try:
        return decode(values)
    except Malformed as error:
        raise InvalidField(path, str(error), number) from None


def _require_order(path: PathLike, rows: List[CaseRow], row: CaseRow, number: int) -> None:
    if rows and row.id == rows[-1].id:
        raise DuplicateCase(path, f"case {row.id} appears twice", number)
    if rows and row.id < rows[-1].id:
        raise UnsortedCase(path, f"case {row.id} is out of order", number)


def _require_sum(path: PathLike, footer: Footer, expected: Footer, number: int) -> None:
    for name in (each.name for each in fields_of(Footer)):
        given, counted = getattr(footer, name), getattr(expected, name)
        if given != counted:
            problem = f"the footer says {name} {described(given)}, the rows say {counted}"
            raise WrongFooter(path, problem, number)
