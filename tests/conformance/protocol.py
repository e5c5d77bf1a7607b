"""Runs a case in one phase where pytest has three.

A case has no fixtures to set up and tear down, and the two empty phases, with a report each that a
worker sends home, would take longer than most cases.
"""

from __future__ import annotations

import gc
from typing import Optional, Tuple, Type

import pytest

from tests.conformance import parcels


def perform(item: pytest.Item, last: bool) -> None:
    """The call phase, with all hooks of pytest that belong to it. ``last``: no other case follows."""
    hook = item.ihook
    outbox: Optional[parcels.Outbox] = getattr(item.config, "_bn_outbox", None)
    if outbox is None:
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    through: Tuple[Type[BaseException], ...] = (pytest.exit.Exception,)
    if not item.config.getoption("usepdb", False):
        through += (KeyboardInterrupt,)
    call = pytest.CallInfo.from_call(
        lambda: hook.pytest_runtest_call(item=item), when="call", reraise=through
    )
    report = hook.pytest_runtest_makereport(item=item, call=call)
    if outbox is None:
        hook.pytest_runtest_logreport(report=report)
    else:
        outbox.send(item, report, last)
    if report.failed:
        hook.pytest_exception_interact(node=item, call=call, report=report)
    if outbox is None:
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def spare_the_collector() -> None:
    """What is in memory now need not be searched for cycles again, nor anything so often: not what
    torch's import left behind, nor, at the end, what the process takes with it."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
