"""Runs that fail: with and without workers, complete in the record, with the next command."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Set, Tuple

import pytest

from tests.meta.command import (
    FAKES,
    FEW,
    HOSTILE,
    MATRIX,
    PART,
    ROOT,
    TRIED_HERE,
    UNJUDGED,
    Ran,
    crash,
    rows,
    run,
)

SMALL = ("-k", "not n102400")


def failing(record: Path, *arguments: str) -> Tuple[Ran, Set[str]]:
    """Run a wrong subject; return the run and the ids that pytest calls failed."""
    ran = run(*PART, *SMALL, *TRIED_HERE, "--subject", f"{FAKES}:NotCounted", f"--report={record}", "-rf", *arguments)
    return ran, set(re.findall(r"^FAILED .*\[(.*?)\]", ran.output, re.MULTILINE))


def test_workers_find_and_record_the_same_in_a_wrong_subject(tmp_path: Path) -> None:
    alone, failed = failing(tmp_path / "alone.jsonl")
    together, failed_too = failing(tmp_path / "together.jsonl", "-n", "2")
    assert alone.status == together.status == 1
    assert len(failed) > 3
    assert failed == failed_too
    assert (tmp_path / "alone.jsonl").read_bytes() == (tmp_path / "together.jsonl").read_bytes()
    recorded = rows(tmp_path / "alone.jsonl")
    assert {key for key, row in recorded.items() if row["outcome"] == "finding"} == failed
    for ran in (alone, together):
        assert crash(ran.output) == []
        assert ran.output.count("# a script that shows it") >= 1


def test_the_last_line_is_the_command_to_run_next() -> None:
    """The command fails the same way: it has subject, release and threads; the seed is a part of the id."""
    options = ("--subject", f"{FAKES}:NotCounted", "--semantics", "2.4", "--threads", "2")
    first = run(*PART, *SMALL, *TRIED_HERE, *options, "--seed", "7")
    assert first.status == 1, first.output
    beginning, _, command = first.lines[-2].partition("pytest ")
    assert beginning == "next, the first of them alone: "
    arguments = shlex.split(command)
    assert arguments[2:] == [*options, "-v"]
    second = run(*arguments)
    assert second.status == 1, second.output
    assert f"[{arguments[1]}]" in second.output
    assert second.counts == {"failed": 1}


def test_a_run_without_failure_names_no_next_command() -> None:
    assert "next, the first of them" not in run(*FEW).output


def test_a_switch_missing_from_the_table_fails_the_run_by_name(tmp_path: Path) -> None:
    """A plugin removes one switch from the table before anything is collected."""
    (tmp_path / "shorter.py").write_text(
        "from oracle import semantics as s\n"
        "rest = tuple(each for each in s.SWITCHES if each.name != 'counter_rebound')\n"
        "s.semantics.__defaults__ = (rest,)\n",
        encoding="ascii",
    )
    ran = run("--case", MATRIX, "-p", "shorter", plugins=str(tmp_path))
    assert ran.status == UNJUDGED, ran.output
    assert "UnknownSwitch: switch 'counter_rebound' is asked for" in ran.output


def test_the_record_of_cases_without_a_verdict_does_not_look_whole(tmp_path: Path) -> None:
    """The record says that it is unfinished, and no command compares it."""
    record = tmp_path / "run.jsonl"
    ran = run(
        "--case=edge-shape-two_dims", "--case=edge-shape-one_value_bare",
        "--subject", f"{HOSTILE}:ExitsAtOneValue", f"--report={record}",
    )  # fmt: skip
    assert ran.status == UNJUDGED, ran.output
    assert list(rows(record)) == ["edge-shape-two_dims"]
    reports = (sys.executable, "-m", "reports")
    shown = subprocess.run(
        [*reports, "show", str(record)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "the run did not finish (pytest exit status 3): cases may be missing" in shown.stdout
    compared = [*reports, "diff", str(record), str(record)]
    assert subprocess.run(compared, cwd=ROOT, capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_plugins_see_every_case_start_report_and_finish(workers: Tuple[str, ...], tmp_path: Path) -> None:
    """Plugins see three phases in order, as for any other test."""
    (tmp_path / "watching.py").write_text(
        "seen = {}\n"
        "def pytest_runtest_logstart(nodeid): seen.setdefault(nodeid, []).append('start')\n"
        "def pytest_runtest_logreport(report): seen[report.nodeid].append(report.when)\n"
        "def pytest_runtest_logfinish(nodeid): seen[nodeid].append('finish')\n"
        "def pytest_terminal_summary(terminalreporter):\n"
        "    terminalreporter.write_line(f'watched {len(seen)} {set(map(tuple, seen.values()))}')\n",
        encoding="ascii",
    )
    ran = run(*FEW, *workers, "-p", "watching", plugins=str(tmp_path))
    (line,) = [line for line in ran.lines if line.startswith("watched ")]
    assert line == "watched 12 {('start', 'setup', 'call', 'teardown', 'finish')}"
