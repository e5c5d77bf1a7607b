"""The lines of a record in their order: each is decoded and checked against the lines before it."""

from __future__ import annotations

from dataclasses import fields as fields_of
from typing import Callable, Dict, Iterator, Mapping, Optional, Tuple, TypeVar, Union

from reports import reading
from reports.encoding import FORMAT, decode_case, decode_footer, decode_header
from reports.errors import (
    DuplicateCase,
    EmptyRecord,
    InvalidField,
    LineAfterFooter,
    MissingFooter,
    MissingHeader,
    NotJson,
    PathLike,
    RecordError,
    RecordTooLarge,
    RepeatedHeader,
    UnknownKind,
    UnsortedCase,
    UnsupportedFormat,
    WrongFooter,
)
from reports.fields import Malformed, described
from reports.rows import FINISHED, CaseRow, Footer, Header, Sum
from reports.visible import shortened

CASES = 1_000_000
"""The largest number of cases of a record; the full tier is recorded in shards."""

Line = TypeVar("Line")


def objects(path: PathLike) -> Iterator[Tuple[int, Dict[str, object]]]:
    """Yield the number and the object of each line of a file, from 1.

    Raises:
        RecordError: the file cannot be read, or a line is not a whole line of JSON with an object.
    """
    for number, line in reading.lines(path):
        yield number, _object(path, number, line)


def _object(path: PathLike, number: int, line: str) -> Dict[str, object]:
    if number == 1 and not line.strip():
        raise EmptyRecord(path, "the first line is empty")
    if not line.endswith("\n"):
        raise MissingFooter(path, "the last line is cut off", number)
    try:
        values = reading.parsed(line)
    except ValueError as error:
        raise NotJson(path, f"is not a line of JSON ({error})", number) from None
    if not isinstance(values, dict):
        raise NotJson(path, f"is JSON but not an object: {shortened(line, 40)}", number)
    return values


def ends(path: PathLike) -> Tuple[Header, Footer]:
    """Return the header and the footer of the record at ``path``, without a look at its rows.

    A record is written whole or not at all, so the two lines say which run it was and how it ended.

    Raises:
        RecordError: the first line is no header, or the last one no footer.
    """
    first = last = (0, "")
    for each in reading.lines(path):
        first, last = (first if first[0] else each), each
    if not first[0]:
        raise EmptyRecord(path, "the record is empty")
    header = Order(path).take(first[0], _object(path, *first))
    values = _object(path, *last)
    if values.get("kind") != "footer":
        raise MissingFooter(path, "the last line is not a footer", last[0])
    assert isinstance(header, Header)  # the first line that an order takes can be nothing else
    return header, decoded(path, decode_footer, values, last[0])


def finished(path: PathLike) -> Optional[Header]:
    """Return the header of a record whose run has judged all of its cases; None without such a record."""
    try:
        header, footer = ends(path)
    except RecordError:
        return None
    return header if footer.exit in FINISHED else None


Decode = Callable[[Mapping[str, object]], Line]


def decoded(path: PathLike, decode: Decode[Line], values: Mapping[str, object], number: int) -> Line:
    """Return line ``number``, decoded; raise InvalidField where a field is not as it must be."""
    try:
        return decode(values)
    except Malformed as error:
        raise InvalidField(path, str(error), number) from None


class Order:
    """Takes the lines of one record, one after the other; it remembers no row but the last."""

    def __init__(self, path: PathLike) -> None:
        self._path = path
        self._header: Optional[Header] = None
        self._footer: Optional[Footer] = None
        self._last: Optional[CaseRow] = None
        self._sum = Sum()

    def take(self, number: int, values: Mapping[str, object]) -> Union[Header, CaseRow, Footer]:
        """Return line ``number``, decoded.

        Raises:
            RecordError: a field is not what it must be, or the line does not belong in this place.
        """
        kind = values.get("kind")
        if self._footer is not None:
            raise LineAfterFooter(self._path, "a line follows the footer", number)
        if self._header is None:
            self._header = self._as_header(values, number)
            return self._header
        if kind == "case":
            return self._case(values, number)
        if kind == "footer":
            footer = decoded(self._path, decode_footer, values, number)
            self._require_sum(footer, self._sum.footer(self._header, footer.exit), number)
            self._footer = footer
            return footer
        if kind == "header":
            raise RepeatedHeader(self._path, "a second header", number)
        raise UnknownKind(
            self._path, f"kind {described(kind)} is not 'header', 'case' or 'footer'", number
        )

    def ends(self) -> Tuple[Header, Footer]:
        """Return the first and the last line; raise RecordError where one is missing."""
        if self._header is None:
            raise EmptyRecord(self._path, "the record is empty")
        if self._footer is None:
            raise MissingFooter(self._path, f"ends before the footer, after {self._sum.cases} cases")
        return self._header, self._footer

    def _as_header(self, values: Mapping[str, object], number: int) -> Header:
        if values.get("kind") != "header":
            kind = described(values.get("kind"))
            raise MissingHeader(self._path, f"the first line is of kind {kind}, not 'header'", number)
        if values.get("format") != FORMAT or values["format"] is True:
            given = described(values.get("format"))
            raise UnsupportedFormat(
                self._path, f"is of format {given}; this suite reads {FORMAT}", number
            )
        return decoded(self._path, decode_header, values, number)

    def _case(self, values: Mapping[str, object], number: int) -> CaseRow:
        if self._sum.cases == CASES:
            raise RecordTooLarge(self._path, f"has more than {CASES} cases", number)
        row = decoded(self._path, decode_case, values, number)
        if self._last is not None and row.id == self._last.id:
            raise DuplicateCase(self._path, f"case {row.id} appears twice", number)
        if self._last is not None and row.id < self._last.id:
            raise UnsortedCase(self._path, f"case {row.id} is out of order", number)
        self._last = row
        self._sum.add(row)
        return row

    def _require_sum(self, footer: Footer, expected: Footer, number: int) -> None:
        for name in (each.name for each in fields_of(Footer)):
            given, counted = getattr(footer, name), getattr(expected, name)
            if given != counted:
                problem = f"the footer says {name} {described(given)}, the rows say {counted}"
                raise WrongFooter(self._path, problem, number)
