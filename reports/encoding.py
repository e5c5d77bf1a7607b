"""The JSON form of the lines of a record.

The form is canonical: the same rows give the same text on every machine and Python. Extremes are kept to
four significant digits, rounded outward, so that every bound computed from a record stays a bound.
Numbers that JSON lacks are the strings ``"inf"``, ``"-inf"`` and ``"nan"``.

The rule by which records stay readable: a field that a later version of the suite added (``ADDED``) is
written only where it differs from its default, and its default is read where it is missing. So an older
record stays readable, and writing it again gives the same text. A field that this version does not know
is ignored. A change of which an older reader must know, because it alters what the known fields mean,
raises ``FORMAT``, and another format is refused; so is an outcome that this version does not know.
``record.schema.json`` is this form as a JSON Schema.

Texts that a subject gives (messages, values) and the number of findings of a case are limited when they
are written, so that every line is short enough to be read back.
"""

from __future__ import annotations

import decimal
import json
import math
import re
from dataclasses import fields as fields_of
from typing import Dict, FrozenSet, List, Mapping

from reports.fields import (
    Fields,
    Malformed,
    as_count,
    as_extremes,
    as_flag,
    as_float,
    as_integer,
    as_text,
)
from reports.rows import (
    CONTRACT,
    CPU,
    EAGER,
    FINDING,
    KNOWN_DEFECT,
    MODULE,
    NOT_APPLICABLE,
    OUTCOMES,
    PASS,
    PROMISES,
    CaseRow,
    Extremes,
    Footer,
    Found,
    Header,
)

FORMAT = 1
"""The number of this format. Every other format has another number."""

_HEADER_FIELDS = ("kind", "format", *(field.name for field in fields_of(Header)))
_CASE_FIELDS = ("kind", *(field.name for field in fields_of(CaseRow)))
_FOOTER_FIELDS = ("kind", *(field.name for field in fields_of(Footer)))
_FOUND_FIELDS = tuple(field.name for field in fields_of(Found))

ADDED: FrozenSet[str] = frozenset({"findings", "reason", "clause"})
"""The fields of a case that some records of this format do not have; each is empty by default."""

ADDED_TO_HEADER: Dict[str, object] = {
    "promise": MODULE,
    "path": EAGER,
    "device": CPU,
    "implementation": None,
    "clauses": {},
}
"""Maps the fields of a header that some records of this format do not have to their defaults."""

TEXT = 1000
"""The largest number of characters of a text that a subject gives; a longer one is cut and ends in
"..."."""

FINDINGS = 400
"""The largest number of findings of one case that are kept, the first ones."""

_RELEASE = re.compile(r"[0-9]+\.[0-9]+")
_DIGEST = re.compile(r"[0-9a-f]{16}")
_DOWN = decimal.Context(prec=4, rounding=decimal.ROUND_FLOOR)
_UP = decimal.Context(prec=4, rounding=decimal.ROUND_CEILING)


def encode_header(header: Header) -> str:
    """Return the line of ``header``, without a line end."""
    fields = _plain(header)
    for name, default in ADDED_TO_HEADER.items():
        if fields[name] == default:
            del fields[name]
    return _dumps({"kind": "header", "format": FORMAT, **fields})


def encode_case(row: CaseRow) -> str:
    """Return the line of ``row``, without a line end; extremes are rounded outward."""
    fields = _plain(row)
    fields["share"] = {name: _outward(pair) for name, pair in sorted(row.share.items())}
    fields["ulps"] = {name: _outward(pair) for name, pair in sorted(row.ulps.items())}
    fields["detectable"] = {
        name: _number(_rounded(value, _UP)) for name, value in sorted(row.detectable.items())
    }
    fields["errors"] = [_cut(error) for error in row.errors]
    fields["finding"] = None if row.finding is None else _cut(row.finding)
    fields["reason"] = _cut(row.reason)
    fields["findings"] = [_plain_found(found) for found in row.findings[:FINDINGS]]
    for name in ADDED:
        if not fields[name]:
            del fields[name]
    return _dumps({"kind": "case", **fields})


def _plain_found(found: Found) -> Dict[str, object]:
    """Return the fields of one finding, with numbers as JSON has them."""
    plain = {
        name: _number(value) if isinstance(value, float) else value
        for name, value in vars(found).items()
    }
    return {**plain, "got": _cut(found.got), "expected": _cut(found.expected)}


def _cut(text: str) -> str:
    return text if len(text) <= TEXT else text[: TEXT - 3] + "..."


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
    taken = Fields({**ADDED_TO_HEADER, **fields}, _HEADER_FIELDS)
    release = taken.text("release")
    if not _RELEASE.fullmatch(release):
        raise Malformed(f"field 'release' is {release!r}, not MAJOR.MINOR such as '2.13'")
    header = Header(
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
        semantics=taken.mapping("semantics", as_flag),
        promise=taken.text("promise"),
        path=taken.text("path"),
        device=taken.text("device"),
        implementation=taken.optional_text("implementation"),
        clauses=taken.mapping("clauses", as_text),
    )
    if header.promise not in PROMISES:
        raise Malformed(f"field 'promise' is {header.promise!r}, not one of {PROMISES}")
    return header


def decode_case(fields: Mapping[str, object]) -> CaseRow:
    """Return the row that ``fields`` describe; raise ``Malformed`` where they do not."""
    taken = Fields({"reason": "", "clause": None, **fields}, _CASE_FIELDS, optional=ADDED)
    row = CaseRow(
        id=taken.text("id"),
        behaviour=taken.text("behaviour"),
        outcome=taken.text("outcome"),
        forwards=taken.count("forwards"),
        compared=taken.mapping("compared", as_count),
        share=taken.mapping("share", as_extremes),
        ulps=taken.mapping("ulps", as_extremes),
        detectable=taken.mapping("detectable", as_float),
        errors=taken.texts("errors"),
        switches=taken.texts("switches"),
        defect=taken.optional_text("defect"),
        finding=taken.optional_text("finding"),
        digest=taken.text("digest"),
        findings=taken.objects("findings", decode_found),
        reason=taken.text("reason"),
        clause=taken.optional_text("clause"),
    )
    _require_consistent(row)
    return row


def _require_consistent(row: CaseRow) -> None:
    """Raise Malformed where a row's outcome does not go with its other fields."""
    if row.outcome not in OUTCOMES:
        raise Malformed(f"field 'outcome' is {row.outcome!r}, not one of {OUTCOMES}")
    if row.outcome == KNOWN_DEFECT and row.defect is None:
        raise Malformed("outcome 'known_defect' names no 'defect'")
    if row.outcome == FINDING and row.finding is None:
        raise Malformed("outcome 'finding' has no text in field 'finding'")
    agrees = row.outcome in (PASS, NOT_APPLICABLE, CONTRACT)
    if agrees and (row.defect is not None or row.finding is not None or row.findings):
        raise Malformed(f"outcome {row.outcome!r} comes with a defect or a finding")
    if row.outcome in (NOT_APPLICABLE, CONTRACT) and not row.reason:
        raise Malformed(f"outcome {row.outcome!r} has no text in field 'reason'")
    if row.outcome == CONTRACT and row.clause is None:
        raise Malformed("outcome 'contract' names no 'clause'")
    if not _DIGEST.fullmatch(row.digest):
        raise Malformed(f"field 'digest' is {row.digest!r}, not 16 hex digits")


def decode_found(fields: Mapping[str, object]) -> Found:
    """Return the finding that ``fields`` describe; raise ``Malformed`` where they do not."""
    taken = Fields(fields, _FOUND_FIELDS)
    return Found(
        step=taken.count("step"),
        token=taken.text("token"),
        quantity=taken.text("quantity"),
        got=taken.text("got"),
        expected=taken.text("expected"),
        index=taken.listed("index", as_integer),
        regime=taken.text("regime"),
        error=taken.optional_number("error"),
        budget=taken.optional_number("budget"),
        ulps=taken.optional_number("ulps"),
        switches=taken.texts("switches"),
    )


def decode_footer(fields: Mapping[str, object]) -> Footer:
    """Return the footer that ``fields`` describe; raise ``Malformed`` where they do not."""
    taken = Fields(fields, _FOOTER_FIELDS)
    return Footer(
        cases=taken.count("cases"),
        outcomes=taken.mapping("outcomes", as_count),
        forwards=taken.count("forwards"),
        compared=taken.count("compared"),
        unexercised=taken.texts("unexercised"),
        exit=taken.integer("exit"),
    )
