"""Records: what is written is what is read, and whatever is wrong is named."""

from __future__ import annotations

import gzip
import json
import math
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Type

import pytest

from reports import destination, record, tally
from reports.__main__ import main
from reports.encoding import encode_case, encode_footer, encode_header
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
    RecordError,
    RecordIsDirectory,
    RepeatedHeader,
    TruncatedGzip,
    UnknownKind,
    UnreadableRecord,
    UnsortedCase,
    UnsupportedFormat,
    UnwritableOutput,
    WrongFooter,
)
from reports.rows import CaseRow, footer_for
from tests.meta import handmade

REPOSITORY = Path(__file__).parents[2]
POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes and devices are named so on POSIX")


def varied_rows() -> List[CaseRow]:
    """Return rows that between them use every field."""
    return [
        handmade.row("case-a"),
        handmade.row("case-b", errors=("3 forward:b2 ValueError é “one” value",), switches=("s",)),
        handmade.row("case-c", defect="poison", finding="buffers are replaced"),
        handmade.row("case-d", finding="output[0, 1] got nan", share={"output": (-math.inf, 2.0)}),
    ]


# --- writing and reading ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    head = handmade.header(semantics={"s": True, "t": False}, selection="-k é")
    record.write(tmp_path / name, head, varied_rows(), 1)
    assert record.read(tmp_path / name) == handmade.record(head, varied_rows(), 1)
    assert record.read(tmp_path / name).source == str(tmp_path / name)


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_bytes_depend_on_neither_order_nor_name_nor_time(tmp_path: Path, suffix: str) -> None:
    one, two = tmp_path / f"one.{suffix}", tmp_path / f"two.{suffix}"
    record.write(one, handmade.header(semantics={"a": True, "b": True}), varied_rows(), 0)
    record.write(two, handmade.header(semantics={"b": True, "a": True}), varied_rows()[::-1], 0)
    assert one.read_bytes() == two.read_bytes()


def test_compressed_record_carries_neither_name_nor_time(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl.gz"
    record.write(path, handmade.header(), [handmade.row()], 0)
    flags, time = path.read_bytes()[3], path.read_bytes()[4:8]
    assert (flags, time) == (0, bytes(4))


def test_rows_are_written_sorted_by_id(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, handmade.header(), [handmade.row(name) for name in "bca"], 0)
    assert [row.id for row in record.read(path).rows] == ["a", "b", "c"]


def test_every_line_is_an_object_of_standard_json(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, handmade.header(), varied_rows(), 0)
    text = path.read_bytes().decode("ascii")
    kinds = [json.loads(line)["kind"] for line in text.splitlines()]
    assert kinds == ["header", "case", "case", "case", "case", "footer"]
    assert "Infinity" not in text
    assert "NaN" not in text


def test_extremes_are_rounded_outward_and_only_once() -> None:
    generator = random.Random(0)
    for _ in range(500):
        scale = 10.0 ** generator.randint(-320, 300)
        low, high = sorted(generator.gauss(0, 1) * scale for _ in range(2))
        line = encode_case(handmade.row(share={"output": (low, high)}, detectable={"output": high}))
        fields = json.loads(line)
        kept_low, kept_high = fields["share"]["output"]
        assert kept_low <= low <= high <= kept_high
        assert fields["detectable"]["output"] >= high
        assert abs(kept_high - high) <= abs(high) * 1e-3 + 5e-324
        again = handmade.row(
            share={"output": (kept_low, kept_high)},
            detectable={"output": fields["detectable"]["output"]},
        )
        assert encode_case(again) == line


def test_a_footer_is_the_sum_of_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    semantics = {"s": True, "unmet": True, "old": False}
    record.write(path, handmade.header(semantics=semantics), varied_rows(), 1)
    footer = record.read(path).footer
    assert footer.cases == 4
    assert footer.outcomes == {"pass": 2, "known_defect": 1, "finding": 1}
    assert (footer.forwards, footer.compared, footer.exit) == (16, 48, 1)
    assert footer.unexercised == ("unmet",)


def test_a_checkout_with_other_line_ends_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, handmade.header(), varied_rows(), 0)
    before = record.read(path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert record.read(path) == before


def test_two_rows_of_one_case_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(DuplicateCase, match="case-a"):
        record.write(tmp_path / "run.jsonl", handmade.header(), [handmade.row()] * 2, 0)
    assert list(tmp_path.iterdir()) == []


# --- every way in which a record can be wrong -------------------------------------------

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


FAULTS: Dict[str, Fault] = {
    "no file": Fault(MissingRecord, None),
    "a directory": Fault(RecordIsDirectory, None, name="."),
    "a name too long": Fault(UnreadableRecord, None, name="x" * 300),
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
    "field unknown": Fault(InvalidField, edited(2, colour="red"), 3),
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
    "number beyond floats": Fault(InvalidField, edited(2, detectable={"output": 10**400}), 3),
    "list that is text": Fault(InvalidField, edited(2, errors="ValueError"), 3),
    "list of numbers": Fault(InvalidField, edited(2, switches=[1]), 3),
    "unknown outcome": Fault(InvalidField, edited(2, outcome="skipped"), 3),
    "defect without name": Fault(InvalidField, edited(2, outcome="known_defect"), 3),
    "finding without text": Fault(InvalidField, edited(2, outcome="finding"), 3),
    "pass with a finding": Fault(InvalidField, edited(2, finding="output"), 3),
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


# --- where output goes ------------------------------------------------------------------


def test_a_failure_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"before")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(UnwritableOutput, match="No space left on device"):
        destination.write(path, b"after")
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"before"]


@pytest.mark.parametrize("name", ["missing/run.jsonl", ".", "file/run.jsonl", "x" * 300])
def test_an_unwritable_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnwritableOutput) as caught:
        destination.write(tmp_path / name, b"")
    assert str(caught.value).startswith(str(tmp_path / name) + ": ")


@pytest.mark.parametrize("name", ["missing/run.jsonl", "."])
def test_an_unwritable_file_is_found_before_the_run(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnwritableOutput):
        destination.check(tmp_path / name)
    destination.check(tmp_path / "run.jsonl")
    assert list(tmp_path.iterdir()) == []


@POSIX
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    destination.write(tmp_path / "link", b"content")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"content"


@POSIX
def test_a_device_stays_a_device() -> None:
    destination.write(os.devnull, b"content")
    assert not Path(os.devnull).is_file()


# --- the summary ------------------------------------------------------------------------


def test_summary_names_what_was_seen() -> None:
    rows = [
        handmade.row("a", share={"output": (-0.5, 0.1)}, detectable={"output": 2e-6}),
        handmade.row("b", share={"output": (0.0, 0.25)}, detectable={"output": 1e-6}),
        handmade.row("c", share={}, detectable={}, defect="poison"),
    ]
    lines = tally.summary_lines(handmade.header(), rows)
    assert lines[0] == "torch 2.13.0+cpu | torch.nn:BatchNorm2d | tier gate | seed 0"
    assert "cases                3 (2 pass)" in lines
    assert "findings             0" in lines
    assert "known defects        1 case" in lines
    assert "forwards checked     12" in lines
    assert "quantities compared  36" in lines
    assert "compared exactly     running_mean 12, flags 12" in lines
    assert lines[-1].split() == ["output", "12", "50", "%", "37.5", "%", "2e-06"]


def test_summary_says_what_limits_it() -> None:
    head = handmade.header("2.16", selection="-k eval", release_in_table=False)
    text = "\n".join(tally.summary_lines(head, []))
    assert "a selection of the tier: -k eval" in text
    assert "release 2.16 is not in the table" in text
    assert "budget" not in text


def test_summary_is_ascii_so_that_every_terminal_can_print_it() -> None:
    "\n".join(tally.summary_lines(handmade.header(), varied_rows())).encode("ascii")


def test_budget_use_that_is_no_number_counts_as_infinite() -> None:
    usage = tally.tally([handmade.row(share={"output": (math.nan, 0.0)})]).usage[0]
    assert usage.largest == tally.Peak(math.inf, "case-a")


def test_equal_peaks_name_the_first_case_whatever_the_order() -> None:
    rows = [handmade.row(name) for name in "bac"]
    usage = tally.tally(rows).usage[0]
    assert usage.largest == tally.Peak(0.25, "a")


@pytest.mark.parametrize(
    ("value", "text"), [(0.07, "7 %"), (0.123456, "12.4 %"), (0.0, "0 %"), (math.inf, "inf %")]
)
def test_percentages_are_rounded_up(value: float, text: str) -> None:
    assert tally.percent(value) == text


# --- the command line -------------------------------------------------------------------


def test_show_prints_the_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, HEAD, ROWS, 0)
    assert main(["show", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == tally.summary_lines(HEAD, ROWS)


def test_html_shows_findings_and_escapes_them(tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="the web page needs jinja2: pip install jinja2")
    path, page = tmp_path / "run.jsonl", tmp_path / "run.html"
    rows = [handmade.row("case-a", finding="got <nan>"), handmade.row("case-b", defect="poison")]
    record.write(path, HEAD, rows, 1)
    assert main(["html", str(path), "-o", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "got &lt;nan&gt;" in text
    assert "<code>case-b</code></td>\n<td>poison</td>" in text


def test_html_without_jinja2_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    path = tmp_path / "run.jsonl"
    record.write(path, HEAD, ROWS, 0)
    assert main(["html", str(path), "-o", str(tmp_path / "run.html")]) == 2
    assert "python -m pip install jinja2" in capsys.readouterr().err


def run_module(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "reports", *arguments]
    return subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, **options)


@POSIX
def test_a_reader_that_went_away_gets_one_line_and_status_2(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, HEAD, ROWS, 0)
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = run_module("show", str(path), stdout=write_end)
    os.close(write_end)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.count(b"\n") == 1
    assert b"standard output" in errors


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full device is needed: /dev/full")
def test_a_full_disk_gets_one_line_and_status_2(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, HEAD, ROWS, 0)
    with open("/dev/full", "wb") as full:
        process = run_module("show", str(path), stdout=full)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.count(b"\n") == 1


def test_output_of_another_encoding_is_escaped(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, handmade.header(selection="-k é"), ROWS, 0)
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    process = run_module("show", str(path), stdout=subprocess.PIPE, env=environment)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, b"")
    assert b"-k \\xe9" in output


def test_the_library_of_reports_is_the_standard_one() -> None:
    script = "import sys, reports.__main__; print({'torch', 'numpy'} & set(sys.modules))"
    output = subprocess.check_output([sys.executable, "-c", script], cwd=REPOSITORY)
    assert output.strip() == b"set()"


def test_an_empty_name_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", ""]) == 2
    assert capsys.readouterr().err.startswith("python -m reports: '': is a directory, not a record")
