"""Says how far a long run is: a line from time to time, in a terminal and in the log of a CI service.

It prints lines and no bar, because pytest and its plugins write to the line that a bar would need.
"""

from __future__ import annotations

import re
import time
from typing import Any, Callable, Iterable, Sequence, Set

import pytest

from reports import durations
from tests.conformance.parametrisation import is_case

IN_TERMINAL, IN_LOG = 10.0, 60.0
"""The seconds from one line to the next."""

_SEARCH = re.compile(r"(^|/)tests/conformance/test_exploration\.py::[^\[]*\[([0-9]+)-seed")


def weight(nodeid: str) -> int:
    """Return the number of cases or random programs of a test; 0 for a test of something else."""
    search = _SEARCH.search(nodeid)
    return int(search.group(2)) if search else int(is_case(nodeid))


class Progress:
    """A pytest plugin of the process that reports.

    ``reporter``: pytest's terminal reporter. ``before``: how many cases and programs an earlier run has
    finished. ``clock``: gives the time in seconds.
    """

    def __init__(
        self, reporter: Any, before: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reporter = reporter
        self._before = before
        self._clock = clock
        self._interval = IN_TERMINAL if reporter.isatty else IN_LOG
        self._awaited: Set[str] = set()
        self._finished: Set[str] = set()
        self._done = 0
        self._begun = self._last = clock()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note the tests that are to run in this process."""
        self._await(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """Note the tests that are to run in workers."""
        self._await(ids)

    def _await(self, nodeids: Iterable[str]) -> None:
        self._awaited.update(each for each in nodeids if weight(each))
        self._begun = self._last = self._clock()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Count a test, and print a line when it is time."""
        if nodeid in self._finished or nodeid not in self._awaited:
            return
        self._finished.add(nodeid)
        self._done += weight(nodeid)
        now = self._clock()
        if now - self._last >= self._interval:
            self._last = now
            self._print(now - self._begun)

    def _print(self, gone: float) -> None:
        total = self._before + sum(map(weight, self._awaited))
        line = durations.progress(self._before + self._done, total, self._noun(), gone, self._before)
        if self._reporter.currentfspath is None:  # with workers, the line has dots and no name of a file
            self._reporter.write("\n")
        self._reporter.ensure_newline()
        self._reporter.write_line(f"progress: {line}")

    def _noun(self) -> str:
        searches = sum(not is_case(each) for each in self._awaited)
        if not searches:
            return "cases"
        return "random programs" if searches == len(self._awaited) else "cases and random programs"
