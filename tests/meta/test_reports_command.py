"""The command line of ``reports``."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Tuple

import pytest

from reports import record, tally
from reports.__main__ import main
from tests.meta import handmade

REPOSITORY = Path(__file__).parents[2]
POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes and devices are named so on POSIX")

HEAD = handmade.header()
ROWS = [handmade.row("case-" + name) for name in "abc"]


def test_show_prints_the_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, HEAD, ROWS, 0)
    assert main(["show", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == tally.summary_lines(HEAD, ROWS)


def test_show_lists_the_causes_and_how_to_run_one_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.jsonl"
    rows = [handmade.row(f"case-{i}", findings=(handmade.found(),)) for i in range(3)]
    record.write(path, handmade.header(subject="my package.norm:Norm", threads=4), rows, 1)
    assert main(["show", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "1 cause explains 3 findings, most likely first:" in lines
    assert "  1. 3 cases: wrong after forward: output" in lines
    assert lines[-1].strip() == "pytest --case 'case-0' --subject 'my package.norm:Norm' --threads 4"


@pytest.mark.parametrize("command", ["html", "releases"])
def test_no_page_replaces_a_record(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.jsonl.gz"
    header = handmade.header(suite="1.0.0+d2a684b5900d")
    record.write(path, header, ROWS, 0)
    before = path.read_bytes()
    given = [str(path)] if command == "html" else ["--records", str(tmp_path)]
    assert main([command, *given, "-o", os.path.join(str(tmp_path), ".", "run.jsonl.gz")]) == 2
    assert capsys.readouterr().err.endswith("run.jsonl.gz: is an input, too; give another file\n")
    assert path.read_bytes() == before


def test_show_lists_every_cause_where_all_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.jsonl"
    rows = [handmade.row(f"case-{c}", findings=(handmade.found(f"quantity {c}"),)) for c in "abcdefghijklmn"]
    record.write(path, HEAD, rows, 1)
    assert main(["show", str(path)]) == 0
    short = capsys.readouterr().out.splitlines()
    assert main(["show", str(path), "--all"]) == 0
    whole = capsys.readouterr().out.splitlines()
    assert len(short) <= 50
    assert "(--all shows them)" in short[-1]
    assert sum("pytest --case" in line for line in whole) == len(rows)


def test_options_that_run_a_case_again_are_those_that_differ() -> None:
    plain = handmade.header("2.13", threads=1)
    assert plain.options == ""
    assert dataclasses.replace(plain, release="2.5").options == " --semantics 2.5"


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


def started(arguments: str, streams: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command with what a shell makes of its streams, such as a closed one."""
    command = f"{sys.executable} -m reports {arguments} {streams}"
    words = ["sh", "-c", command]
    nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
    return subprocess.run(words, cwd=REPOSITORY, stdin=nothing, stderr=pipe, check=False)


@POSIX
@pytest.mark.parametrize("streams", [">&-", ">/dev/full"])
@pytest.mark.parametrize("words", ["show RECORD", "validate RECORD", "--help", "show --help"])
def test_no_success_where_nothing_can_be_printed(words: str, streams: str, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, HEAD, ROWS, 0)
    done = started(words.replace("RECORD", str(path)), streams)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"standard output: " in done.stderr
    assert b"; send it to a file" in done.stderr


@POSIX
@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full"])
def test_the_status_tells_where_no_error_can_be_printed(streams: str) -> None:
    assert started("show no-such-file", streams).returncode == 2


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
    assert capsys.readouterr().err.startswith("python -m reports: '': there is no such file")


IGNORED = (
    (("implementations", "--check", "--add", "no_record"), "--check writes nothing"),
    (("implementations", "--name", "mine"), "give --add RECORD"),
    (("summary", "--level", "notice", "{record}"), "--level: is for annotations; add --as annotations"),
    (("summary", "--since", "no_record", "{record}"), "--since: is for annotations"),
)
"""Options that would do nothing beside the others, and what is said."""


@pytest.mark.parametrize(("words", "said"), IGNORED)
def test_no_option_is_ignored(
    words: Tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, HEAD, ROWS, 0)
    assert main([each.format(record=path) for each in words]) == 2
    assert said in capsys.readouterr().err
