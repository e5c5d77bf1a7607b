"""How the reports of a worker travel to the controller: several at a time.

An event for every report, start and end of a case would keep the controller busier than many a case
keeps a worker. So a worker of pytest-xdist holds back the reports of cases that pass, for an
instant, and packs them into the next one that leaves; the controller unpacks them. Which case a worker
is in, and which are done, is in ``tests.conformance.workers``.
"""

from __future__ import annotations

import pickle
import time
from typing import Any, List

import pytest

HELD_BACK = 0.025
"""Seconds that a report, or the end of a case, waits at most in a worker that goes on running cases."""


class Outbox:
    """A worker's reports that have not left yet."""

    def __init__(self) -> None:
        self._held: List[Any] = []
        self._since = 0.0

    def send(self, item: pytest.Item, report: Any, last: bool) -> None:
        """Holds the report back or sends it with those before it. ``last``: no other will follow."""
        now = time.monotonic()
        if not self._held:
            self._since = now
        unremarkable = report.passed and not hasattr(report, "wasxfail")
        if unremarkable and not last and now - self._since < HELD_BACK:
            self._held.append(report)
            return
        report.bn_parcel = pickle.dumps((self._held, getattr(report, "bn_row", None)))
        report.bn_row = None
        self._held = []
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def unpack(report: Any, config: pytest.Config) -> None:
    """Shows the controller's hooks the reports that travelled with ``report``; gives it its own row
    back."""
    parcel = report.__dict__.pop("bn_parcel", None)
    if parcel is None:
        return
    held, report.bn_row = pickle.loads(parcel)
    hook = config.hook
    for earlier in held:
        earlier.node = report.node
        earlier.worker_id = report.worker_id
        earlier.testrun_uid = report.testrun_uid
        hook.pytest_runtest_logstart(nodeid=earlier.nodeid, location=earlier.location)
        hook.pytest_runtest_logreport(report=earlier)
        hook.pytest_runtest_logfinish(nodeid=earlier.nodeid, location=earlier.location)
