"""The JSON form of the lines of a record.

Canonical: the same rows give the same text, on every machine and Python. Extremes are kept
to four significant digits, rounded outward, so that every bound computed from a record stays
a bound. Numbers that JSON lacks are the strings ``"inf"``, ``"-inf"`` and ``"nan"``.
"""

from __future__ import annotations

import decimal
import json
import math
import re
import sys
from dataclasses import fields as fields_of
from typing import Callable, Dict, List, Mapping, Optional, Tuple, TypeVar

from reports.rows import (
    FINDING,
    KNOWN_DEFECT,
    OUTCOMES,
    PASS,
    CaseRow,
    Extremes,
    Footer,
    Header,
)

FORMAT = 1
"""The number of this format; another number is another format."""

_HEADER_FIELDS = ("kind", "format", *(field.name for field in fields_of(Header)))
_CASE_FIELDS = ("kind", *(field.name for field in fields_of(CaseRow)))
_FOOTER_FIELDS = ("kind", *(field.name for field in fields_of(Footer)))
_NOT_FINITE = ("inf", "-inf", "nan")
_LARGEST = int(sys.float_info.max)
_RELEASE = re.compile(r"[0-9]+\.[0-9]+")
_DIGEST = re.compile(r"[0-9a-f]{16}")
_DOWN = decimal.Context(prec=4, rounding=decimal.ROUND_FLOOR)
_UP = decimal.Context(prec=4, rounding=decimal.ROUND_CEILING)

T = TypeVar("T")


class Malformed(ValueError):
    """A decoded line has a field that is missing, not known, or of the wrong kind."""


def encode_header(header: Header) -> str:
    """Return the line of ``header``, without a line end."""
    return _dumps({"kind": "header", "format": FORMAT, **_plain(header)})


def encode_case(row: CaseRow) -> str:
    """Return the line of ``row``, without a line end; extremes are rounded outward."""
    fields = _plain(row)
    fields["share"] = {name: _outward(pair) for name, pair in sorted(row.share.items())}
    fields["ulps"] = {name: _outward(pair) for name, pair in sorted(row.ulps.items())}
    fields["detectable"] = {
        name: _number(_rounded(value, _UP)) for name, value in sorted(row.detectable.items())
    }
    return _dumps({"kind": "case", **fields})


def encode_footer(footer: Footer) -> str:
    """Return the line of ``footer``, without a line end."""
    return _dumps({"kind": "footer", **_plain(footer)})


def _plain(line: object) -> Dict[str, object]:
    """Return the fields in the order of the class, mappings sorted by name."""
    return {
        name: dict(sorted(value.items())) if isinstance(value, Mapping) else value
        for name, value in vars(line).items()
    }


def _dumps(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, separators=(",", ":"), allow_nan=False)


def _outward(pair: Extremes) -> List[object]:
    return [_number(_rounded(pair[0], _DOWN)), _number(_rounded(pair[1], _UP))]


def _rounded(value: float, context: decimal.Context) -> float:
    """Round to the digits of ``context``; rounding twice changes nothing, -0.0 becomes 0.0."""
    if not math.isfinite(value):
        return float(value)
    return float(context.create_decimal(repr(float(value)))) + 0.0


def _number(value: float) -> object:
    """Return ``value`` as JSON has it: a number where finite, a string where not."""
    return value if math.isfinite(value) else repr(value)


# --- decoding ---------------------------------------------------------------------------


def decode_header(fields: Mapping[str, object]) -> Header:
    """Return the header that ``fields`` describe; raise ``Malformed`` where they do not."""
    taken = _Fields(fields, _HEADER_FIELDS)
    release = taken.text("release")
    if not _RELEASE.fullmatch(release):
        raise Malformed(f"field 'release' is {release!r}, not MAJOR.MINOR such as '2.13'")
    return Header(
        suite=taken.text("suite"),
        torch=taken.text("torch"),
        numpy=taken.text("numpy"),
        python=taken.text("python"),
        platform=taken.text("platform"),
        threads=taken.count("threads"),
        subject=taken.text("subject"),
        tier=taken.text("tier"),
        seed=taken.integer("seed"),
        selection=taken.optional_text("selection"),
        release=release,
        release_in_table=taken.flag("release_in_table"),
        semantics=taken.mapping("semantics", _as_flag),
    )


def decode_case(fields: Mapping[str, object]) -> CaseRow:
    """Return the row that ``fields`` describe; raise ``Malformed`` where they do not."""
    taken = _Fields(fields, _CASE_FIELDS)
    row = CaseRow(
        id=taken.text("id"),
        behaviour=taken.text("behaviour"),
        outcome=taken.text("outcome"),
        forwards=taken.count("forwards"),
        compared=taken.mapping("compared", _as_count),
        share=taken.mapping("share", _as_extremes),
        ulps=taken.mapping("ulps", _as_extremes),
        detectable=taken.mapping("detectable", _as_float),
        errors=taken.texts("errors"),
        switches=taken.texts("switches"),
        defect=taken.optional_text("defect"),
        finding=taken.optional_text("finding"),
        digest=taken.text("digest"),
    )
    if row.outcome not in OUTCOMES:
        raise Malformed(f"field 'outcome' is {row.outcome!r}, not one of {OUTCOMES}")
    if row.outcome == KNOWN_DEFECT and row.defect is None:
        raise Malformed("outcome 'known_defect' names no 'defect'")
    if row.outcome == FINDING and row.finding is None:
        raise Malformed("outcome 'finding' has no text in field 'finding'")
    if row.outcome == PASS and (row.defect is not None or row.finding is not None):
        raise Malformed("outcome 'pass' comes with a defect or a finding")
    if not _DIGEST.fullmatch(row.digest):
        raise Malformed(f"field 'digest' is {row.digest!r}, not 16 hex digits")
    return row


def decode_footer(fields: Mapping[str, object]) -> Footer:
    """Return the footer that ``fields`` describe; raise ``Malformed`` where they do not."""
    taken = _Fields(fields, _FOOTER_FIELDS)
    return Footer(
        cases=taken.count("cases"),
        outcomes=taken.mapping("outcomes", _as_count),
        forwards=taken.count("forwards"),
        compared=taken.count("compared"),
        unexercised=taken.texts("unexercised"),
        exit=taken.integer("exit"),
    )


class _Fields:
    """The fields of one line, which must be exactly those expected, each of its type."""

    def __init__(self, fields: Mapping[str, object], expected: Tuple[str, ...]) -> None:
        for name in expected:
            if name not in fields:
                raise Malformed(f"field {name!r} is missing")
        if len(fields) > len(expected):
            unknown = min(set(fields).difference(expected))
            raise Malformed(f"field {unknown!r} is not known")
        self._fields = fields

    def text(self, name: str) -> str:
        return self._as(name, _as_text)

    def optional_text(self, name: str) -> Optional[str]:
        return None if self._fields[name] is None else self._as(name, _as_text)

    def flag(self, name: str) -> bool:
        return self._as(name, _as_flag)

    def integer(self, name: str) -> int:
        return self._as(name, _as_integer)

    def count(self, name: str) -> int:
        return self._as(name, _as_count)

    def texts(self, name: str) -> Tuple[str, ...]:
        return self._as(name, _as_texts)

    def mapping(self, name: str, convert: Callable[[object], T]) -> Dict[str, T]:
        value = self._fields[name]
        if not isinstance(value, dict):
            raise Malformed(f"field {name!r} is {value!r}, not an object")
        try:
            return {key: convert(item) for key, item in value.items()}
        except TypeError as error:
            raise Malformed(f"field {name!r} holds {error}") from None

    def _as(self, name: str, convert: Callable[[object], T]) -> T:
        try:
            return convert(self._fields[name])
        except TypeError as error:
            raise Malformed(f"field {name!r} is {error}") from None


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r}, not a string")


def _as_flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(f"{value!r}, not true or false")


def _as_integer(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError(f"{value!r}, not an integer")


def _as_count(value: object) -> int:
    number = _as_integer(value)
    if number < 0:
        raise TypeError(f"{value!r}, not a count")
    return number


def _as_float(value: object) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, str) and value in _NOT_FINITE:
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return float(value)
    raise TypeError(f"{value!r}, not a number or one of {_NOT_FINITE}")


def _as_extremes(value: object) -> Extremes:
    if not isinstance(value, list) or len(value) != 2:
        raise TypeError(f"{value!r}, not a pair [smallest, largest]")
    low, high = _as_float(value[0]), _as_float(value[1])
    if low > high:
        raise TypeError(f"{value!r}, whose first is above its second")
    return low, high


def _as_texts(value: object) -> Tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r}, not a list of strings")
    return tuple(_as_text(item) for item in value)
