"""Hostile input to ``python -m reports``: one line and status 2, within bounded memory and time."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import List, Tuple

import pytest

from reports import order, reading, record
from reports.encoding import FINDINGS, TEXT, encode_case
from reports.errors import RecordTooLarge
from reports.rows import CaseRow
from tests.meta import handmade

REPOSITORY = Path(__file__).parents[2]
POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes, devices and limits are those of POSIX")

MEMORY = 1 << 29
"""The bytes of address space that a command gets: half of what a file may unpack to."""

LIMITED = (
    "import resource, sys\n"
    f"resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))\n"
    "from reports.__main__ import main\n"
    "sys.exit(main(sys.argv[1:]))\n"
)

ZEROS = gzip.compress(bytes(1 << 24))
"""A member of a gzip file that unpacks to 16 MiB; a file may have several members."""


def run(*arguments: str) -> Tuple[int, List[str]]:
    """Run a command in little memory; return its status and the lines on standard error."""
    command = [sys.executable, "-c", LIMITED, *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stderr.decode("utf-8").splitlines()


@POSIX
@pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom", "/proc/self/mem"])
def test_a_device_is_refused(path: str) -> None:
    if not os.path.exists(path):
        pytest.skip(f"this system has no {path}")
    status, lines = run("show", path)
    assert (status, len(lines)) == (2, 1)
    assert path in lines[0]


@POSIX
def test_a_pipe_that_nobody_writes_to_does_not_block(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    status, lines = run("diff", str(pipe), str(pipe))
    assert (status, len(lines)) == (2, 1)
    assert "is a device or a pipe, not a file; copy what it gives into a file" in lines[0]


@POSIX
def test_a_few_megabytes_that_unpack_to_gigabytes(tmp_path: Path) -> None:
    bomb = tmp_path / "run.jsonl.gz"
    bomb.write_bytes(ZEROS * 200)
    status, lines = run("show", str(bomb))
    assert (status, len(lines)) == (2, 1)
    assert f"run.jsonl.gz:1: a line is longer than {reading.LINE} bytes" in lines[0]


@POSIX
def test_a_line_of_a_gigabyte(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with path.open("wb") as file:
        file.truncate(reading.TOTAL)
    status, lines = run("html", str(path), "-o", str(tmp_path / "page.html"))
    assert (status, len(lines)) == (2, 1)
    assert "a line is longer than" in lines[0]


@POSIX
@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz"])
def test_a_file_of_terabytes_is_refused_unread(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(gzip.compress(b""))
        try:
            file.truncate(1 << 40)
        except OSError:
            pytest.skip("this file system has no sparse files of that size")
    status, lines = run("show", str(path))
    assert (status, len(lines)) == (2, 1)
    assert f"more than {reading.TOTAL}" in lines[0]


@pytest.mark.parametrize("name", ["run.txt", "run.gz"])
def test_reading_stops_at_its_limits(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = b"0123456\n" * 1000
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert len(list(reading.lines(path, line=8, total=8000))) == 1000
    for line, total in ((7, 8000), (8, 7999)):
        with pytest.raises(RecordTooLarge):
            list(reading.lines(path, line=line, total=total))


def test_no_more_cases_are_read_than_a_run_can_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [handmade.row(name) for name in "abc"]
    record.write(tmp_path / "run.jsonl", handmade.header(), rows, 0)
    monkeypatch.setattr(order, "CASES", 3)
    assert record.read(tmp_path / "run.jsonl").rows == tuple(rows)
    monkeypatch.setattr(order, "CASES", 2)
    with pytest.raises(RecordTooLarge, match="more than 2 cases"):
        record.read(tmp_path / "run.jsonl")


def longest_row() -> CaseRow:
    """Return a row as long as a subject can make it."""
    text = "\U0001f4a5" * 50_000
    found = handmade.found("exception", got=text, expected=text)
    return handmade.row(finding=text, errors=(text,) * 100, findings=(found,) * 2000)


def test_every_line_that_is_written_can_be_read(tmp_path: Path) -> None:
    assert len(encode_case(longest_row())) < reading.LINE
    record.write(tmp_path / "run.jsonl", handmade.header(), [longest_row()], 1)
    (row,) = record.read(tmp_path / "run.jsonl").rows
    assert len(row.findings) == FINDINGS
    assert len(row.findings[0].got) == TEXT
    assert row.findings[0].got.endswith("...")
    assert encode_case(row) == encode_case(longest_row())


@POSIX
def test_a_message_about_a_long_value_is_short(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(json.dumps({"kind": "x" * 100_000}) + "\n")
    status, lines = run("show", str(path))
    assert (status, len(lines)) == (2, 1)
    assert len(lines[0]) < 500
