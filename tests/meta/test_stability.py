"""The script that looks for false alarms finds real ones, and keeps its page in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.rows import FINDING, PASS
from tests.meta import stability
from tests.meta.stability import Tallied, main, measure, page

PAGE = Path(__file__).parents[2] / "reports" / "STABILITY.md"
PART = (1, 400)


def test_a_part_of_the_gate_is_stable() -> None:
    """The test has two seeds, three thread counts and three orders, on every 400th case."""
    results = measure(["seeds", "threads", "orders"], 2, 1, PART)
    assert [each.runs for each in results] == [2, 3, 3]
    assert all(each.verdicts >= 20 for each in results)
    assert [each.different for each in results] == [(), (), ()]


def test_a_verdict_that_differs_is_counted_and_named() -> None:
    """One alarm in one of the runs is enough."""
    plain = {"a": PASS, "b": PASS}
    assert stability._different(plain, plain, "seed 3") == []
    (alarm,) = stability._different({"a": PASS, "b": FINDING}, plain, "seed 3")
    assert alarm == "b (seed 3): finding, plainly pass"
    text = page([Tallied("input seeds", 1, 2, (alarm,))])
    assert "| input seeds | 1 | 2 | 1 |" in text
    assert f"- {alarm}" in text


def test_rows_not_measured_again_are_kept() -> None:
    """Rows that were measured replace the old rows."""
    before = page([Tallied("input seeds", 200, 790600, ()), Tallied("shuffled orders", 3, 9, ("x",))])
    after = page([Tallied("shuffled orders", 3, 10, ())], before)
    rows = [line for line in after.splitlines() if line.startswith("| ")][2:]
    assert rows == ["| input seeds | 200 | 790,600 | 0 |", "| shuffled orders | 3 | 10 | 0 |"]


def test_an_unknown_condition_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the accepted conditions."""
    with pytest.raises(SystemExit, match="2"):
        main(["--only", "moons"])
    assert "'seeds', 'threads', 'orders', 'workers'" in capsys.readouterr().err.replace('"', "'")


def test_the_committed_page_has_no_difference() -> None:
    """The page has all four conditions, at least 200 seeds, and nothing but zeros."""
    rows = [line.strip("|").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    found = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows if len(row) == 4}
    conditions = ("input seeds", "torch threads 1, 2, 4", "shuffled orders", "pytest -n 0, 1, 2, 3")
    assert set(conditions) <= set(found)
    assert int(found["input seeds"][0]) >= 200
    assert all(found[each][2] == "0" for each in conditions)
