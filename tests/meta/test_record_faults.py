"""Records: every fault is refused with its file, its line and the next thing to do."""

from __future__ import annotations

import gzip
import json
import os
import pickle
from pathlib import Path
from typing import Dict, NamedTuple, Optional, Sequence, Type

import pytest

from reports import reading, record
from reports.__main__ import main
from reports.encoding import decode_case, encode_case, encode_footer, encode_header
from reports.errors import (
    DamagedGzip,
    DuplicateCase,
    EmptyRecord,
    InvalidField,
    LineAfterFooter,
    MissingFooter,
    MissingHeader,
    MissingRecord,
    NotAFile,
    NotJson,
    NotText,
    RecordError,
    RecordIsDirectory,
    RecordTooLarge,
    RepeatedHeader,
    TruncatedGzip,
    UnknownKind,
    UnreadableRecord,
    UnsortedCase,
    UnsupportedFormat,
    WrongFooter,
)
from reports.rows import footer_for
from tests.meta import handmade

HEAD = handmade.header()
ROWS = [handmade.row("case-" + name) for name in "abc"]
GOOD = [
    encode_header(HEAD),
    *(encode_case(row) for row in ROWS),
    encode_footer(footer_for(HEAD, ROWS, 0)),
]


def content(lines: Sequence[str]) -> bytes:
    return "".join(line + "\n" for line in lines).encode("utf-8")


def edited(index: int, **changes: object) -> bytes:
    """Return the good record with fields of one line replaced, or dropped where ``...``."""
    fields = {**json.loads(GOOD[index]), **changes}
    line = json.dumps({name: value for name, value in fields.items() if value is not ...})
    return content([*GOOD[:index], line, *GOOD[index:][1:]])


class Fault(NamedTuple):
    """A file that is not a record; without content there is no file."""

    error: Type[RecordError]
    content: Optional[bytes]
    line: Optional[int] = None
    name: str = "run.jsonl"


FOUND = json.loads(encode_case(handmade.row(findings=(handmade.found(),))))["findings"][0]
"""A finding as a record has it."""

FAULTS: Dict[str, Fault] = {
    "no file": Fault(MissingRecord, None),
    "a directory": Fault(RecordIsDirectory, None, name="."),
    "a name too long": Fault(UnreadableRecord, None, name="x" * 300),
    "a device": Fault(NotAFile, None, name=os.devnull),
    "a line without end": Fault(RecordTooLarge, b"x" * (reading.LINE + 1), 1),
    "empty": Fault(EmptyRecord, b""),
    "blank": Fault(EmptyRecord, b"\n\n"),
    "empty, compressed": Fault(EmptyRecord, gzip.compress(b""), name="run.jsonl.gz"),
    "no bytes, compressed": Fault(EmptyRecord, b"", name="run.jsonl.gz"),
    "gzip cut": Fault(TruncatedGzip, gzip.compress(content(GOOD))[:-20], name="run.jsonl.gz"),
    "gzip by name alone": Fault(DamagedGzip, content(GOOD), name="run.jsonl.gz"),
    "gzip with a flipped checksum": Fault(
        DamagedGzip, gzip.compress(content(GOOD))[:-8] + bytes(8), name="run.jsonl.gz"
    ),
    "gzip with a damaged stream": Fault(
        DamagedGzip, gzip.compress(b"")[:10] + b"\xff" * 60, name="run.jsonl.gz"
    ),
    "gzip not by name": Fault(NotText, gzip.compress(content(GOOD)), 1),
    "binary in line 2": Fault(NotText, content(GOOD[:1]) + b"\xff\xfe\x00\n", 2),
    "not JSON": Fault(NotJson, content([*GOOD[:2], "{'kind': 'case'}", *GOOD[2:]]), 3),
    "a blank line": Fault(NotJson, content([*GOOD[:2], "", *GOOD[2:]]), 3),
    "JSON but no object": Fault(NotJson, content([*GOOD[:2], "[1]", *GOOD[2:]]), 3),
    "nested without end": Fault(NotJson, b"[" * 100_000 + b"\n", 1),
    "a number that JSON lacks": Fault(
        NotJson, content(GOOD).replace(b'"threads":2', b'"threads":NaN'), 1
    ),
    "no header": Fault(MissingHeader, content(GOOD[1:]), 1),
    "two records in one": Fault(RepeatedHeader, content([*GOOD[:2], *GOOD]), 3),
    "format of the future": Fault(UnsupportedFormat, edited(0, format=2), 1),
    "format missing": Fault(UnsupportedFormat, edited(0, format=...), 1),
    "unknown kind": Fault(UnknownKind, edited(2, kind="note"), 3),
    "kind missing": Fault(UnknownKind, edited(2, kind=...), 3),
    "field missing": Fault(InvalidField, edited(2, digest=...), 3),
    "text that is a number": Fault(InvalidField, edited(2, behaviour=3), 3),
    "count that is negative": Fault(InvalidField, edited(2, forwards=-1), 3),
    "count that is true": Fault(InvalidField, edited(2, forwards=True), 3),
    "seed that is text": Fault(InvalidField, edited(0, seed="0"), 1),
    "flag that is a number": Fault(InvalidField, edited(0, release_in_table=1), 1),
    "release without minor": Fault(InvalidField, edited(0, release="2"), 1),
    "switch that is neither": Fault(InvalidField, edited(0, semantics={"s": "yes"}), 1),
    "mapping that is a list": Fault(InvalidField, edited(2, compared=["output"]), 3),
    "extremes that are one": Fault(InvalidField, edited(2, share={"output": [1.0]}), 3),
    "extremes in disorder": Fault(InvalidField, edited(2, share={"output": [1.0, 0.0]}), 3),
    "extremes of text": Fault(InvalidField, edited(2, ulps={"output": ["x", 1.0]}), 3),
    "a number of thousands of digits": Fault(
        NotJson, content(GOOD).replace(b'"threads":2', b'"threads":' + b"9" * 5000), 1
    ),
    "number beyond floats": Fault(InvalidField, edited(2, detectable={"output": 10**400}), 3),
    "list that is text": Fault(InvalidField, edited(2, errors="ValueError"), 3),
    "list of numbers": Fault(InvalidField, edited(2, switches=[1]), 3),
    "unknown outcome": Fault(InvalidField, edited(2, outcome="skipped"), 3),
    "defect without name": Fault(InvalidField, edited(2, outcome="known_defect"), 3),
    "finding without text": Fault(InvalidField, edited(2, outcome="finding"), 3),
    "pass with a finding": Fault(InvalidField, edited(2, finding="output"), 3),
    "findings that are text": Fault(InvalidField, edited(2, findings="output"), 3),
    "finding that is text": Fault(InvalidField, edited(2, findings=["output"]), 3),
    "finding without step": Fault(InvalidField, edited(2, findings=[{**FOUND, "step": None}]), 3),
    "finding with half an index": Fault(InvalidField, edited(2, findings=[{**FOUND, "index": [0.5]}]), 3),
    "finding with text for a number": Fault(InvalidField, edited(2, findings=[{**FOUND, "ulps": "x"}]), 3),
    "pass with findings": Fault(InvalidField, edited(2, findings=[FOUND]), 3),
    "digest of other digits": Fault(InvalidField, edited(2, digest="0123"), 3),
    "a case twice": Fault(DuplicateCase, content([*GOOD[:3], *GOOD[2:]]), 4),
    "cases out of order": Fault(UnsortedCase, content([*GOOD[:1], GOOD[2], GOOD[1], *GOOD[3:]]), 3),
    "no footer": Fault(MissingFooter, content(GOOD[:-1])),
    "header alone": Fault(MissingFooter, content(GOOD[:1])),
    "cut within a line": Fault(MissingFooter, content(GOOD)[:-30], 5),
    "a case lost": Fault(WrongFooter, content([*GOOD[:2], *GOOD[3:]]), 4),
    "other outcomes": Fault(WrongFooter, edited(4, outcomes={"pass": 2, "finding": 1}), 5),
    "other forwards": Fault(WrongFooter, edited(4, forwards=13), 5),
    "other comparisons": Fault(WrongFooter, edited(4, compared=0), 5),
    "other switches unexercised": Fault(WrongFooter, edited(4, unexercised=["s"]), 5),
    "a line after the footer": Fault(LineAfterFooter, content([*GOOD, GOOD[-1]]), 6),
}


def place(fault: Fault, directory: Path) -> Path:
    path = directory / fault.name
    if fault.content is not None:
        path.write_bytes(fault.content)
    return path


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_file_and_line(tmp_path: Path, name: str) -> None:
    fault = FAULTS[name]
    path = place(fault, tmp_path)
    with pytest.raises(RecordError) as caught:
        record.read(path)
    assert type(caught.value) is fault.error
    assert caught.value.line == fault.line
    where = str(path) if fault.line is None else f"{path}:{fault.line}"
    assert str(caught.value).startswith(where + ": ")
    assert str(caught.value).endswith("; " + fault.error.remedy)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_a_command_with_one_line_and_status_2(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = place(FAULTS[name], tmp_path)
    assert main(["show", str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert str(path) in printed.err


def test_every_class_of_fault_has_a_file_that_shows_it() -> None:
    shown = {fault.error for fault in FAULTS.values()}
    assert shown == set(RecordError.__subclasses__())


def test_the_good_record_of_these_tests_is_good(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(content(GOOD))
    assert record.read(path) == handmade.record(HEAD, ROWS)


def test_a_record_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = content(GOOD)
    path = tmp_path / "run.jsonl"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(RecordError):
            record.read(path)


def test_a_message_stays_on_one_line_whatever_the_path() -> None:
    assert "\n" not in str(MissingRecord("a\nb", "there is no such file"))


def test_an_error_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(NotJson("run.jsonl", "is not a line of JSON", 3)))
    assert (str(error.path), error.line) == ("run.jsonl", 3)


def test_the_finding_of_these_tests_is_good() -> None:
    good = {**json.loads(GOOD[2]), "outcome": "finding", "finding": "output", "findings": [FOUND]}
    assert decode_case(good).findings == (handmade.found(),)
