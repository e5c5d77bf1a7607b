"""The published schema of a record: it says what the reader reads, of every committed record, too."""

from __future__ import annotations

import gzip
import json
import re
import sys
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest

from reports import encoding, record
from reports.__main__ import main
from reports.encoding import encode_case, encode_footer, encode_header
from reports.errors import RecordError
from reports.rows import OUTCOMES, CaseRow, Footer, Found, Header, footer_for
from reports.schema import MOST, SCHEMA, Validator
from tests.meta import handmade
from tests.meta.sources import ROOT

jsonschema = pytest.importorskip("jsonschema", reason="records are validated by jsonschema: pip install jsonschema")
RECORDS = sorted((ROOT / "reports" / "records").glob("*.jsonl.gz"))
DEFINITIONS = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]
VALIDATOR = Validator()

HEAD = handmade.header(
    semantics={"s": True}, promise="values", path="compile", device="cuda", implementation="flax 1.0", clauses={"c": "why"}
)
ROWS = [
    *handmade.varied_rows(),
    handmade.row("case-g", outcome="not_applicable", reason="has no backward"),
    handmade.row("case-h", outcome="contract", reason="sums in another order", clause="c"),
]
ADDED = {*encoding.ADDED, *encoding.ADDED_TO_HEADER}
"""The fields that were added to the format, which are optional."""
LINES = [encode_header(HEAD), *map(encode_case, ROWS), encode_footer(footer_for(HEAD, ROWS, 1))]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("name", "line", "more"),
    [("header", Header, ("kind", "format")), ("case", CaseRow, ("kind",)), ("found", Found, ()), ("footer", Footer, ("kind",))],
)
def test_the_schema_has_the_fields_of_the_lines(name: str, line: Any, more: Tuple[str, ...]) -> None:
    names = [*more, *(each.name for each in fields_of(line))]
    definition = DEFINITIONS[name]
    assert set(definition["properties"]) == set(names)
    optional = set(names) & ADDED if line in (Header, CaseRow) else set()
    assert set(names) - set(definition["required"]) == optional
    defaults = {**{each.name: each.default for each in fields_of(line)}, **encoding.ADDED_TO_HEADER, "findings": []}
    shown = {each: definition["properties"][each]["default"] for each in optional}
    assert shown == {each: defaults[each] for each in optional}


def test_the_schema_has_the_outcomes() -> None:
    assert tuple(DEFINITIONS["case"]["properties"]["outcome"]["enum"]) == OUTCOMES


def described(schema: Any) -> bool:
    """Whether every schema within one that can refuse a value says what is accepted."""
    if isinstance(schema, list):
        return all(map(described, schema))
    if not isinstance(schema, dict):
        return True
    refuses = {"type", "enum", "pattern", "const", "maxItems", "minLength"} & set(schema)
    inner = [value for key, value in schema.items() if key not in ("if", "properties", "$defs")]
    named = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    return (not refuses or "description" in schema) and all(map(described, [*inner, *named]))


def test_the_schema_says_what_is_accepted_everywhere() -> None:
    assert described(DEFINITIONS)
    assert not described({"properties": {"a": {"type": "string"}}})


# --- records ----------------------------------------------------------------------------


def distinct_lines() -> Dict[str, str]:
    """Map every line of every committed record to a place where it stands; releases share most lines."""
    seen: Dict[str, str] = {}
    for path in reversed(RECORDS):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                seen.setdefault(line, f"{path.name}:{number}")
    return seen


def wrong_ones(lines: Dict[str, str]) -> List[str]:
    """Return the faults of lines, each with its place."""
    return [f"{place}: {f}" for line, place in lines.items() for f in VALIDATOR.faults(0, json.loads(line))]


def test_every_committed_record_is_valid() -> None:
    """Check all headers and footers, and every fifteenth of the distinct lines of cases."""
    lines = enumerate(distinct_lines().items())
    chosen = {line: place for n, (line, place) in lines if n % 15 == 0 or '"kind":"case"' not in line}
    assert {place.partition(":")[0] for place in chosen.values()} == {path.name for path in RECORDS}
    assert len(RECORDS) == 26
    assert wrong_ones(chosen) == []


@pytest.mark.long
def test_every_line_of_every_committed_record_is_valid() -> None:
    assert wrong_ones(distinct_lines()) == []


def test_a_whole_record_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.jsonl.gz"
    record.write(path, HEAD, ROWS, 1)
    assert main(["validate", str(path), str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{path}: a valid record of format 1 with 8 cases"] * 2


NEW: Dict[str, Any] = {"axis": "new", "nested": {"a": [1]}}


def from_the_future() -> List[str]:
    """Return the lines of a record to which a later suite has added fields at every place."""
    objects = [{**json.loads(line), **NEW} for line in LINES]
    for each in objects:
        each.update({"findings": [{**found, **NEW} for found in each["findings"]]} if "findings" in each else {})
    return [json.dumps(each) for each in objects]


def test_a_record_from_the_future_is_read_and_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "future.jsonl"
    lines = from_the_future()
    assert sum('"axis"' in line for line in lines) == len(LINES)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    assert record.read(path) == handmade.record(HEAD, ROWS, 1)
    assert main(["validate", str(path)]) == 0
    assert main(["show", str(path)]) == 0
    assert main(["diff", str(path), str(path)]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("number", "changes", "told"),
    [
        (0, {"format": 2}, "2 is wrong; accepted: the version of this schema, 1; another is read by the suite"),
        (1, {"outcome": "marvel"}, "'marvel' is wrong; accepted: how the case ended: 'pass'"),
    ],
)
def test_what_an_older_reader_would_take_for_something_else_is_refused(
    number: int, changes: Dict[str, Any], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "future.jsonl"
    lines = list(LINES)
    lines[number] = json.dumps({**json.loads(lines[number]), **changes})
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    with pytest.raises(RecordError):
        record.read(path)
    assert main(["validate", str(path)]) == 1
    assert f"{path}:{number + 1}: $.{next(iter(changes))}: {told}" in capsys.readouterr().out


# --- schema and reader agree ------------------------------------------------------------

WRONG = (None, "x", -1, 1.5, True, [None], {"a": None})
"""Values, most of which no field may have."""


def variations() -> List[Tuple[str, Dict[str, Any]]]:
    """Return lines of each kind, each with one field replaced or left out, or one of a finding."""
    made = []
    for line in (LINES[0], LINES[1], *LINES[5:]):
        values = json.loads(line)
        for field in values:
            made.append((f"{values['kind']} without {field}", {k: v for k, v in values.items() if k != field}))
            made += [(f"{values['kind']}.{field} = {wrong!r}", {**values, field: wrong}) for wrong in WRONG]
        for field in values.get("findings", [{}])[0]:
            for wrong in WRONG:
                found = {**values["findings"][0], field: wrong}
                made.append((f"findings[0].{field} = {wrong!r}", {**values, "findings": [found]}))
    return made


DECODERS: Dict[str, Callable[[Dict[str, Any]], object]] = {
    "header": encoding.decode_header,
    "case": encoding.decode_case,
    "footer": encoding.decode_footer,
}


def test_the_schema_refuses_what_the_reader_refuses_and_nothing_else() -> None:
    disagreements, refused = [], 0
    for name, values in variations():
        if {"kind", "format"} & set(re.findall(r"\w+", name)):
            continue  # these decide which schema and decoder a line gets
        try:
            DECODERS[values["kind"]](values)
            read = True
        except encoding.Malformed:
            read = False
        refused += not read
        if read != (not list(VALIDATOR.faults(1, values))):
            disagreements.append((name, read))
    assert disagreements == []
    assert refused > 200


# --- the command ------------------------------------------------------------------------


def test_faults_name_file_line_place_and_what_is_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.jsonl"
    header, case = json.loads(LINES[0]), json.loads(LINES[1])
    del header["torch"]
    case["share"]["output"][1] = "many"
    lines = [json.dumps(header), json.dumps(case), *LINES[2:]]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    assert main(["validate", str(path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{path}:1: $.torch: is missing; accepted: version of torch, or '' for an adapter, which is run without torch: a text",
        f"{path}:2: $.share.output[1]: 'many' is wrong; accepted: a number, or 'inf', '-inf' or 'nan'",
    ]


def test_lines_out_of_order_are_a_fault_although_each_is_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, good = tmp_path / "run.jsonl", tmp_path / "good.jsonl"
    record.write(good, HEAD, ROWS, 1)
    lines = [LINES[0], LINES[2], LINES[1], *LINES[3:]]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    assert main(["validate", str(path), str(good)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith(f"{path}:3: case case-a is out of order")
    assert told[1].startswith(f"{good}: a valid record")


def test_many_faults_are_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("".join(json.dumps({"kind": "case"}) + "\n" for _ in range(9)), encoding="utf-8")
    assert main(["validate", str(path)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert len(told) == MOST + 1
    assert told[-1] == f"{path}: has more faults than these {MOST}"


def test_a_file_that_cannot_be_read_gets_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(tmp_path / "none.jsonl")]) == 2
    assert main(["validate", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_without_jsonschema_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    assert main(["validate", str(tmp_path / "run.jsonl")]) == 2
    assert "python -m pip install jsonschema" in capsys.readouterr().err
