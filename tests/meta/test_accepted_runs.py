"""A run with a file of accepted findings: accepted findings pass; a new or a gone one fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.command import FAKES, ROOT, TRIED_HERE, USAGE, run

SOME = (*TRIED_HERE, "-k", "edge-eps or (matrix and n2-float32 and train_only)", "--tier", "smoke")
SUBJECT = f"{FAKES}:NotCounted"


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the accepted findings of a module that does not count."""
    folder = tmp_path_factory.mktemp("accepted")
    record = folder / "record.jsonl"
    assert run(*SOME, "--subject", SUBJECT, f"--report={record}").status == 1
    file = folder / "accepted.json"
    command = [sys.executable, "-m", "reports", "accept", str(record), "-o", str(file)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return file


def test_accepted_findings_do_not_fail_the_run(accepted: Path) -> None:
    ran = run(*SOME, "--subject", SUBJECT, f"--accepted={accepted}")
    assert ran.status == 0, ran.output
    assert ran.counts["xfailed"] > 5
    assert "accepted findings" in ran.output
    assert "explain" not in ran.output, "no cause is left to look at"
    assert "next, the first of them" not in ran.output


def test_a_finding_that_is_not_accepted_fails(accepted: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(accepted.read_text().replace(SUBJECT, f"{FAKES}:WrongAtEps1"))
    ran = run(*SOME, "--subject", f"{FAKES}:WrongAtEps1", f"--accepted={other}")
    assert ran.status == 1
    assert ran.counts["failed"] > 0


WORSE = """
from {fakes} import NotCounted

class Wrong(NotCounted):
    def forward(self, input):
        output = super().forward(input)
        return output if self.track_running_stats else output + 1
"""


def test_the_causes_and_the_next_command_are_of_what_is_not_accepted(accepted: Path, tmp_path: Path) -> None:
    (tmp_path / "worse.py").write_text(WORSE.format(fakes=FAKES))
    other = tmp_path / "other.json"
    other.write_text(accepted.read_text().replace(SUBJECT, "worse:Wrong"))
    subject = ("--subject", "worse:Wrong", f"--accepted={other}", "-rf")
    ran = run(*SOME, *subject, path=f"{tmp_path}{os.pathsep}{ROOT}")
    assert (ran.status, ran.counts["xfailed"] > 5) == (1, True), ran.output
    failed = re.findall(r"^FAILED .*\[(.*?)\]", ran.output, re.MULTILINE)
    (following,) = re.findall(r"^next, .*--case '(.*?)'", ran.output, re.MULTILINE)
    (causes,) = re.findall(r"^(\d+) causes? explain", ran.output, re.MULTILINE) or ["1"]
    assert (following, causes) == (sorted(failed)[0], "1")


def test_an_accepted_cause_that_is_gone_fails(accepted: Path, tmp_path: Path) -> None:
    right = tmp_path / "right.json"
    right.write_text(accepted.read_text().replace(SUBJECT, "torch.nn:BatchNorm2d"))
    ran = run(*SOME, f"--accepted={right}")
    assert ran.status == 1
    assert "accepted cause is gone" in ran.output
    assert "failed" not in ran.counts


def test_findings_of_another_subject_are_refused(accepted: Path) -> None:
    ran = run(*SOME, f"--accepted={accepted}")
    assert ran.status == USAGE
    assert f"holds findings of {SUBJECT}" in ran.output
    assert "Traceback" not in ran.output
