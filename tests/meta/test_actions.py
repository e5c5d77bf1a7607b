"""Runs in GitHub Actions: a summary on the page of the run, annotations, and no command of a subject."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.meta.command import FAKES, MATRIX, run
from tests.meta.test_summary import commands

WRONG = ("--case", MATRIX, "--subject", f"{FAKES}:SaysCommands")


def test_a_run_appends_a_summary_and_annotates_findings(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    ran = run(*WRONG, variables={"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_ACTIONS": "true"})
    assert ran.status == 1
    told = summary.read_text(encoding="utf-8").splitlines()
    assert told[:2] == ["before", "### BatchNorm2d conformance: 1 finding"]
    assert any(line.startswith("1. 1 case: ") and f"pytest --case '{MATRIX}' --subject" in line for line in told)
    lines = commands(ran.output)
    assert len(lines) == 1
    assert lines[0].startswith("::error title=BatchNorm2d")
    assert lines[0] in ran.output.splitlines()


def test_nothing_of_it_happens_elsewhere() -> None:
    ran = run(*WRONG, variables={"GITHUB_STEP_SUMMARY": "", "GITHUB_ACTIONS": "false"})
    assert ran.status == 1
    assert commands(ran.output) == []


def test_a_summary_that_cannot_be_written_is_told_and_changes_no_verdict(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "none" / "summary.md")
    ran = run("--case", MATRIX, variables={"GITHUB_STEP_SUMMARY": nowhere, "GITHUB_ACTIONS": "true"})
    assert ran.status == 0
    assert f"GITHUB_STEP_SUMMARY cannot be appended to (No such file or directory): {nowhere}" in ran.output


def test_a_summary_that_is_a_pipe_without_a_reader_is_not_waited_for(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ran = run("--case", MATRIX, variables={"GITHUB_STEP_SUMMARY": str(pipe)})
    assert ran.status == 0, ran.output
    assert "GITHUB_STEP_SUMMARY cannot be appended to (" in ran.output
    assert "; name a file, or unset the variable" in ran.output


def test_workers_leave_one_summary(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    ran = run("--case", MATRIX, "-n", "2", variables={"GITHUB_STEP_SUMMARY": str(summary)})
    assert ran.status == 0, ran.output
    assert summary.read_text(encoding="utf-8").count("### BatchNorm2d conformance: as specified") == 1


def test_a_run_without_cases_leaves_none(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    ran = run("-k", "nothing-of-this-name", "--tier", "smoke", variables={"GITHUB_STEP_SUMMARY": str(summary)})
    assert ran.status == pytest.ExitCode.NO_TESTS_COLLECTED
    assert not summary.exists()
