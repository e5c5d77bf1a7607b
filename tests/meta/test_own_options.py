"""pytest's own options: they do on cases what they do on any test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Tuple
from xml.etree import ElementTree

import pytest

from reports.record import read
from tests.meta.command import FAKES, FEW, MATRIX, REMEMBERING, TRIED_HERE, Ran, rows, run

CASES = 12
"""The number of cases that FEW selects."""

WRONG = (*TRIED_HERE, "--subject", f"{FAKES}:WrongAtEps1")
"""The options for a run in which two of the cases fail."""

FAILING = 2


def remembering(folder: Path, *arguments: str) -> Ran:
    """Run pytest so that it remembers in a folder what failed."""
    return run(*FEW, "-o", f"cache_dir={folder}", *arguments, command=REMEMBERING)


def test_last_failed_failed_first_and_stepwise(tmp_path: Path) -> None:
    """The options are used after a run in which two cases failed."""
    first = remembering(tmp_path, *WRONG)
    assert (first.status, first.counts["failed"]) == (1, FAILING), first.output
    last_failed = remembering(tmp_path, "--lf", *WRONG)
    assert last_failed.counts["failed"] == FAILING, last_failed.output
    assert "passed" not in last_failed.counts
    assert "a selection of the tier: " in last_failed.output
    failed_first = remembering(tmp_path, "--ff", "-vv", *WRONG)
    order = re.findall(r"\] (PASSED|FAILED)", failed_first.output)
    assert order == ["FAILED"] * FAILING + ["PASSED"] * (CASES - FAILING)
    stepwise = remembering(tmp_path, "--stepwise", *WRONG)
    assert (stepwise.counts["failed"], stepwise.status) == (1, 2), stepwise.output
    right = remembering(tmp_path, "--lf")
    assert (right.status, right.counts["passed"]) == (0, FAILING), right.output


@pytest.mark.parametrize(
    ("option", "workers"), [("-x", ()), ("--maxfail=2", ("-n", "1"))], ids=["alone", "worker"]
)
def test_a_run_stops_at_a_failure_when_asked(option: str, workers: Tuple[str, ...]) -> None:
    ran = run(*FEW, *workers, option, *TRIED_HERE, "--subject", f"{FAKES}:NoEps")
    asked = 1 if option == "-x" else 2
    assert ran.status in (1, 2), ran.output
    assert f"stopping after {asked} failures" in ran.output
    assert asked <= ran.counts["failed"] < CASES


def test_deselect_leaves_a_case_out(tmp_path: Path) -> None:
    record = tmp_path / "fewer.jsonl"
    case = "tests/conformance/test_edges.py::test_edges[edge-eps-eps_0.0_untracked]"
    ran = run(*FEW, "--deselect", case, f"--report={record}")
    assert (ran.status, ran.counts["passed"]) == (0, CASES - 1), ran.output
    assert "edge-eps-eps_0.0_untracked" not in rows(record)


def test_durations_and_setup_show_name_cases() -> None:
    ran = run(*FEW, "--durations=3", "-vv", "--setup-show")
    assert ran.status == 0, ran.output
    assert re.search(r"s call +tests/conformance/test_edges.py::test_edges\[edge-eps-", ran.output)
    assert "(fixtures used: case_id, request)" in ran.output


def test_the_debugger_starts_where_a_case_fails() -> None:
    """The debugger does not start where no case fails."""
    wrong = run("--case", MATRIX, "--pdb", *TRIED_HERE, "--subject", f"{FAKES}:NoEps")
    assert ">>>>> PDB post_mortem" in wrong.output.replace(">>>>>>", ">>>>>") or "(Pdb)" in wrong.output
    assert run("--case", MATRIX, "--pdb").status == 0


ALIKE = [pytest.param(how, marks=pytest.mark.long) for how in ("loadfile", "loadgroup", "loadscope", "worksteal")]
"""Ways of distribution that differ from the others in the groups that they make."""


@pytest.mark.parametrize("how", ["each", *ALIKE])
def test_every_way_of_distributing_runs_every_case(how: str) -> None:
    ran = run(*FEW, "-n", "2", "--dist", how)
    times = 2 if how == "each" else 1
    assert (ran.status, ran.counts["passed"]) == (0, times * CASES), ran.output
    assert re.search(rf"^cases +{CASES} \({CASES} pass\)$", ran.output, re.MULTILINE)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_junit_has_every_case_with_its_outcome(workers: Tuple[str, ...], tmp_path: Path) -> None:
    """A passing case takes a few hundred bytes: the rows of the record are not among them."""
    written = tmp_path / "junit.xml"
    ran = run(*FEW, *workers, f"--junitxml={written}", *WRONG)
    suite = ElementTree.parse(written).getroot()[0]
    assert len(suite) == CASES
    assert suite.get("failures") == str(ran.counts["failed"]) == str(FAILING)
    messages = [case[0].get("message") for case in suite if case.find("failure") is not None]
    assert len([each for each in messages if each]) == FAILING
    assert all(float(case.get("time", "nan")) >= 0 for case in suite)
    right = [case for case in suite if case.find("failure") is None]
    assert max(len(ElementTree.tostring(case)) for case in right) < 300


def test_what_a_subject_prints_is_shown_where_it_fails() -> None:
    """The output is captured, and shown under the failure."""
    ran = run("--case", MATRIX, *TRIED_HERE, "--subject", f"{FAKES}:PrintsAndLies")
    assert "Captured stdout call" in ran.output, ran.output
    assert "said the subject" in ran.output


def test_an_order_alone_makes_no_selection(tmp_path: Path) -> None:
    record = tmp_path / "run.jsonl"
    assert remembering(tmp_path, "--ff", f"--report={record}").status == 0
    assert "first" not in str(read(record).header.selection)
