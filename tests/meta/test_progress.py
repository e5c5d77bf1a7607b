"""Long runs say how far they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Optional, Sequence

import pytest

from reports import durations
from tests.conformance import progress
from tests.conformance.progress import IN_LOG, IN_TERMINAL, Progress, weight
from tests.meta.command import FEW, LOUD, run

CASE = "tests/conformance/test_matrix.py::test_matrix[{}]"
SEARCH = "tests/conformance/test_exploration.py::test_exploration[500-seed0.{}]"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (250, "4 min 10 s"), (3600, "1 h"), (7530, "2 h 5 min"), (-1, "0 s")],
)
def test_durations_are_written_in_words(seconds: float, words: str) -> None:
    assert durations.in_words(seconds) == words


def test_the_time_left_is_that_of_the_rest_at_the_pace_of_this_run() -> None:
    assert durations.progress(50, 200, "cases", 10) == "50 of 200 cases (25 %), 10 s gone, about 30 s left"
    resumed = durations.progress(150, 200, "cases", 10, before=100)
    assert resumed == "150 of 200 cases (75 %), 10 s gone, about 10 s left"
    assert durations.progress(0, 0, "cases", 1) == "0 of 0 cases (0 %), 1 s gone"
    assert durations.progress(7, 7, "cases", 1) == "7 of 7 cases (100 %), 1 s gone"


def test_a_search_weighs_as_much_as_its_programs() -> None:
    assert (weight(CASE.format("a")), weight(SEARCH.format(3))) == (1, 500)
    assert weight("tests/meta/test_ids.py::test_something[500-seed1]") == 0


class Reporter:
    """A terminal reporter that keeps its lines."""

    def __init__(self, isatty: bool, currentfspath: Optional[str] = "test_matrix.py") -> None:
        self.isatty = isatty
        self.currentfspath = currentfspath
        self.written = ""

    def ensure_newline(self) -> None:
        pass

    def write(self, text: str) -> None:
        self.written += text

    def write_line(self, text: str) -> None:
        self.written += f"{text}\n"


class Clock:
    """A clock that goes one second further each time it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def watched(reporter: Any, nodeids: Sequence[str], done: Sequence[str], before: int = 0) -> List[str]:
    """Return the lines about a run that does ``done`` of ``nodeids``, one test a second."""
    each = Progress(reporter, before, Clock())
    each.pytest_xdist_node_collection_finished(None, nodeids)
    each.pytest_xdist_node_collection_finished(None, nodeids)
    for nodeid in done:
        each.pytest_runtest_logfinish(nodeid)
    return reporter.written.splitlines()


NODES = [CASE.format(n) for n in range(600)]


def test_a_log_gets_a_line_a_minute_and_a_terminal_more() -> None:
    assert (IN_LOG, IN_TERMINAL) == (60, 10)
    lines = watched(Reporter(isatty=False), NODES, NODES[:130])
    assert lines == [
        "progress: 60 of 600 cases (10 %), 1 min gone, about 9 min left",
        "progress: 120 of 600 cases (20 %), 2 min gone, about 8 min left",
    ]
    assert len(watched(Reporter(isatty=True), NODES, NODES[:130])) == 13


def test_the_line_does_not_go_on_a_line_of_dots() -> None:
    assert watched(Reporter(False, currentfspath=None), NODES, NODES[:60])[0] == ""


def test_a_test_that_runs_twice_counts_once_and_other_tests_not() -> None:
    other = "tests/meta/test_ids.py::test_something"
    (line,) = watched(Reporter(False), [*NODES, other], [*[NODES[0], other] * 59, *NODES[1:60]])
    assert line.startswith("progress: 60 of 600 cases")


def test_programs_and_what_was_done_before_are_counted() -> None:
    searches = [SEARCH.format(n) for n in range(100)]
    (line,) = watched(Reporter(False), searches, searches[:60], before=10000)
    assert line == "progress: 40,000 of 60,000 random programs (66 %), 1 min gone, about 40 s left"
    (line,) = watched(Reporter(False), [*searches, *NODES], searches[:60])
    assert line.startswith("progress: 30,000 of 50,600 cases and random programs (59 %)")


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_run_prints_lines_of_their_own(workers: List[str], tmp_path: Path) -> None:
    script = "from tests.conformance import progress\nprogress.IN_LOG = 0.0\n"
    (tmp_path / "hasty.py").write_text(script, encoding="ascii")
    ran = run(*FEW, *workers, "-p", "hasty", plugins=str(tmp_path), path=str(tmp_path), command=LOUD)
    assert ran.status == 0, ran.output
    lines = [line for line in ran.lines if "progress: " in line]
    assert len(lines) == 12
    assert all(line.startswith("progress: ") for line in lines)
    assert lines[-1].startswith("progress: 12 of 12 cases (100 %), ")


def test_a_quiet_run_prints_none(tmp_path: Path) -> None:
    script = "from tests.conformance import progress\nprogress.IN_LOG = 0.0\n"
    (tmp_path / "hasty.py").write_text(script, encoding="ascii")
    ran = run(*FEW, "-q", "-p", "hasty", plugins=str(tmp_path), path=str(tmp_path))
    assert ran.status == 0
    assert "progress:" not in ran.output
    assert progress.IN_LOG == IN_LOG
