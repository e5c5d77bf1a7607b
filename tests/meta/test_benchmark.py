"""The benchmark's verdict on a measure, and the output of its programs."""

from __future__ import annotations

import pytest

from tests.benchmark.__main__ import page
from tests.benchmark.measures import COMMANDS, Row, _inside, in_turn
from tests.benchmark.processes import run


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (Row("smoke", 3.5, "x", "<= 3", "<= 2"), "must MISSED"),
        (Row("smoke", 2.5, "x", "<= 3", "<= 2"), "aim missed"),
        (Row("smoke", 2.0, "x", "<= 3", "<= 2"), "met"),
        (Row("workers", 1.1, "x faster", ">= 1.2", ">= 1.5"), "must MISSED"),
        (Row("rate", 0.9, "x", "", ">= 1"), "aim missed"),
        (Row("CPU", 4.0, "s"), "stated"),
    ],
)
def test_a_bound_that_is_missed_is_said(row: Row, verdict: str) -> None:
    assert row.verdict == verdict


def test_the_page_names_every_bound_that_must_hold_and_does_not() -> None:
    text = page([Row("smoke", 3.5, "x", "<= 3", "<= 2"), Row("gate", 4.0, "x", "<= 8", "<= 5")], 5)
    assert text.endswith("Missed: smoke: 3.50 x, must be <= 3.\n")
    assert "| gate | 4.00 x | <= 8 | <= 5 | met |" in text
    assert page([Row("gate", 4.0, "x", "<= 8", "<= 5")], 5).endswith("Every bound that must hold does.\n")


def test_commands_are_taken_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command is taken as often as asked, and none twice in a row."""
    order = []
    monkeypatch.setattr("tests.benchmark.measures.run", lambda command, **_: order.append(command))
    taken = in_turn(2)
    assert order == [*COMMANDS.values(), *COMMANDS.values()]
    assert {len(each) for each in taken.values()} == {2}


def test_a_process_that_fails_is_an_error_with_its_output() -> None:
    with pytest.raises(RuntimeError, match="exited with 3"):
        run(["python3", "-c", "raise SystemExit(3)"])


def test_cases_are_judged_and_timed_inside_a_process() -> None:
    cases, forwards, seconds, memory = _inside("smoke", 200)
    assert 1 <= cases < 100
    assert forwards >= cases
    assert seconds > 0
    assert memory > 0
