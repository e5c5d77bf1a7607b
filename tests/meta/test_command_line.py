"""The run in other ways: workers, order, threads, pytest's own options; and the files that it leaves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

import pytest

from cases import catalogue
from tests.meta.command import FAKES, LOUD, MATRIX, SMOKE, Ran, crash, rows, run

# --- the run in other ways --------------------------------------------------------------------


def verdicts(record: Path) -> Dict[str, Tuple[Any, ...]]:
    """Return everything in a record that must not depend on threads: all but the last bits."""
    names = ("outcome", "forwards", "compared", "errors", "switches", "defect", "finding")
    return {key: tuple(row.get(name) for name in names) for key, row in rows(record).items()}


PART = (*SMOKE, "--shard", "1/9")
"""The options for a ninth of smoke."""


class Baseline(NamedTuple):
    """A ninth of smoke in one process, in order, on one thread."""

    ran: Ran
    record: Path


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    record = tmp_path_factory.mktemp("baseline") / "serial.jsonl"
    return Baseline(run(*PART, f"--report={record}"), record)


def ninth() -> List[str]:
    """Return the ids of that ninth, in order."""
    return [each for family in catalogue.FAMILIES for each in catalogue.select(family, "smoke", (1, 9))]


def test_a_part_of_smoke_passes_and_is_recorded(baseline: Baseline) -> None:
    assert baseline.ran.status == 0, baseline.ran.output
    assert sorted(rows(baseline.record)) == sorted(ninth())
    assert "tier smoke | seed 0" in baseline.ran.output
    assert "a selection of the tier: --shard 1/9" in baseline.ran.lines


def test_workers_write_the_same_bytes(baseline: Baseline, tmp_path: Path) -> None:
    record = tmp_path / "workers.jsonl"
    ran = run(*PART, f"--report={record}", "-n", "2")
    assert ran.status == 0, ran.output
    assert record.read_bytes() == baseline.record.read_bytes()


REVERSING = "def pytest_collection_modifyitems(items):\n    items.reverse()\n"


def test_the_order_does_not_matter(baseline: Baseline, tmp_path: Path) -> None:
    """The reverse order takes remembered inputs and outputs from other cases."""
    (tmp_path / "reversing.py").write_text(REVERSING, encoding="ascii")
    record = tmp_path / "reversed.jsonl"
    ran = run(*PART, f"--report={record}", "-vv", "-p", "reversing", plugins=str(tmp_path))
    assert ran.status == 0, ran.output
    order = re.findall(r"::test_[a-z]+\[(.*?)\]", ran.output)
    assert sorted(order) == sorted(ninth())
    assert order[0].startswith("matrix-")
    assert order[-1].startswith("edge-")
    assert record.read_bytes() == baseline.record.read_bytes()


def test_threads_do_not_change_a_verdict(baseline: Baseline, tmp_path: Path) -> None:
    record = tmp_path / "threads.jsonl"
    ran = run(*PART, f"--report={record}", "--threads", "2")
    assert ran.status == 0, ran.output
    assert '"threads":2' in record.read_text(encoding="utf-8").replace(" ", "")
    found = verdicts(record)
    assert len(found) > 90
    assert any("n102400" in each for each in found)
    assert found == verdicts(baseline.record)


def test_a_record_is_replaced(tmp_path: Path) -> None:
    record = tmp_path / "again.jsonl"
    record.write_text("something older\n", encoding="ascii")
    ran = run("--case", MATRIX, f"--report={record}")
    assert ran.status == 0, ran.output
    assert list(rows(record)) == [MATRIX]


# --- releases ---------------------------------------------------------------------------------


def test_a_newer_release_is_said_not_to_be_in_the_table() -> None:
    ran = run("--case", MATRIX, "--semantics", "2.99")
    assert ran.status == 0, ran.output
    said = "release 2.99 is not in the table of semantics: the newest were expected"
    assert ran.lines.count(said) == 1


def test_a_release_of_the_table_is_not_said_to_be_missing(baseline: Baseline) -> None:
    assert "not in the table" not in baseline.ran.output


def test_the_semantics_of_another_release_are_findings_that_name_a_switch() -> None:
    """The findings are those of moving from 1.4 to the newest torch."""
    ran = run("--semantics", "1.4", "--case", "edge-counter-counts_without_buffers")
    assert ran.status == 1
    assert "the other side of switch 'counter_rebound' explains it" in ran.output
    assert crash(ran.output) == []


def test_cases_and_other_tests_run_side_by_side() -> None:
    """Neither changes the setup of the other."""
    first = "tests/meta/test_readme.py::test_numbers_of_cases_of_the_tiers"
    last = "tests/meta/test_readme.py::test_releases_named_are_the_table"
    ran = run(first, "tests/conformance/test_edges.py", last, *SMOKE, "--shard", "1/20")
    assert ran.status == 0, ran.output


@pytest.mark.parametrize(("subject", "status"), [("torch.nn:BatchNorm2d", 0), (f"{FAKES}:NotCounted", 1)])
def test_without_the_terminal_of_pytest_the_status_and_the_record_remain(
    subject: str, status: int, tmp_path: Path
) -> None:
    record = tmp_path / "silent.jsonl"
    options = ("-p", "no:terminal", "--case", MATRIX, "--subject", subject, f"--report={record}")
    ran = run(*options, command=LOUD)
    assert (ran.status, ran.output) == (status, "")
    assert list(rows(record)) == [MATRIX]
