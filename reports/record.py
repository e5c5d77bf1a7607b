"""The record of a run: JSON Lines, compressed where the name ends in .gz.

``read`` is strict. A record that was cut, edited, concatenated or written by another format
is refused with the exception that names its fault, because a comparison with half a record
would report half of the changes as none.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import zlib
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Tuple, TypeVar

from reports import destination
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
    DamagedGzip,
    DuplicateCase,
    EmptyRecord,
    InvalidField,
    LineAfterFooter,
    MissingFooter,
    MissingHeader,
    MissingRecord,
    NotJson,
    NotText,
    PathLike,
    RecordIsDirectory,
    RepeatedHeader,
    TruncatedGzip,
    UnknownKind,
    UnreadableRecord,
    UnsortedCase,
    UnsupportedFormat,
    WrongFooter,
)
from reports.fields import Malformed
from reports.rows import CaseRow, Footer, Header, footer_for

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
    destination.write(path, _compressed(content) if _is_compressed(path) else content)


def read(path: PathLike) -> Record:
    """Return the record at ``path``.

    Raises:
        RecordError: the file is not a whole and consistent record; each fault has its own
            class in ``reports.errors``.
    """
    text = _text(path, _content(path))
    if not text.strip():
        raise EmptyRecord(path, "the record is empty")
    return _assembled(path, text)


# --- bytes and text ---------------------------------------------------------------------


def _is_compressed(path: PathLike) -> bool:
    return os.fspath(path).endswith(".gz")


def _compressed(content: bytes) -> bytes:
    """Compress without the name and the time that gzip would put in."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as stream:
        stream.write(content)
    return buffer.getvalue()


def _content(path: PathLike) -> bytes:
    """Return the bytes of the record, decompressed."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise MissingRecord(path, "there is no such file") from None
    except OSError as error:
        if os.path.isdir(os.fspath(path) or os.curdir):
            raise RecordIsDirectory(path, "is a directory, not a record") from None
        raise UnreadableRecord(path, f"cannot be read ({error.strerror})") from error
    if not _is_compressed(path):
        return content
    try:
        return gzip.decompress(content)
    except EOFError:
        raise TruncatedGzip(path, "the compressed record ends early") from None
    except (OSError, zlib.error) as error:
        raise DamagedGzip(path, f"is not gzip, or damaged ({error})") from None


def _text(path: PathLike, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise NotText(path, f"is not UTF-8 text ({error.reason})", line) from None


# --- lines ------------------------------------------------------------------------------


def _assembled(path: PathLike, text: str) -> Record:
    """Return the record in ``text``, whose lines are read in order, each in its place."""
    header: Optional[Header] = None
    footer: Optional[Footer] = None
    rows: List[CaseRow] = []
    lines = text.split("\n")
    unended = lines.pop()
    for number, line in enumerate(lines, start=1):
        values = _object(path, line, number)
        kind = values.get("kind")
        if footer is not None:
            raise LineAfterFooter(path, "a line follows the footer", number)
        if header is None:
            header = _header(path, values, number)
        elif kind == "case":
            row = _decoded(path, decode_case, values, number)
            _require_order(path, rows, row, number)
            rows.append(row)
        elif kind == "footer":
            footer = _decoded(path, decode_footer, values, number)
            _require_sum(path, footer, footer_for(header, rows, footer.exit), number)
        elif kind == "header":
            raise RepeatedHeader(path, "a second header", number)
        else:
            raise UnknownKind(path, f"kind {kind!r} is not 'header', 'case' or 'footer'", number)
    if unended:
        raise MissingFooter(path, "the last line is cut off", len(lines) + 1)
    if header is None or footer is None:
        raise MissingFooter(path, f"ends before the footer, after {len(rows)} cases")
    return Record(header, tuple(rows), footer, os.fspath(path))


def _object(path: PathLike, line: str, number: int) -> Dict[str, object]:
    try:
        values = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotJson(path, f"is not a line of JSON ({error})", number) from None
    if not isinstance(values, dict):
        raise NotJson(path, f"is JSON but not an object: {line:.40}", number)
    return values


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _header(path: PathLike, values: Mapping[str, object], number: int) -> Header:
    if values.get("kind") != "header":
        raise MissingHeader(
            path, "the first line is of kind {!r}, not 'header'".format(values.get("kind")), number
        )
    if values.get("format") != FORMAT:
        raise UnsupportedFormat(
            path,
            "is of format {!r}; this suite reads {}".format(values.get("format"), FORMAT),
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
            problem = f"the footer says {name} {given}, the rows say {counted}"
            raise WrongFooter(path, problem, number)
