"""Goes on where an interrupted run has stopped: ``--resume=FILE``.

A run begins with what FILE has, leaves out the tests of it, adds what it finishes, and removes FILE when
all is finished.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Generator

import pytest

from reports import accepted
from reports.encoding import decode_header, encode_header
from reports.rows import FINDING, FINISHED, Header
from tests.conformance.journal import NOTHING, Earlier, Journal, Unresumable, read
from tests.conformance.judging import ROW, SEARCH
from tests.conformance.session import header_of

if TYPE_CHECKING:
    from tests.conformance.recorder import Recorder

FIRST = "batchnorm_first"
"""The attribute of the first report of a process that carries the record's header."""

SIZE = "batchnorm_resumed"
"""The number of bytes that a worker reads of the file, while the file grows."""

EARLIER = pytest.StashKey[Earlier]()
"""The work that earlier runs have finished."""

UNFINISHED = (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)
"""The exit statuses of a run that has not judged all of its cases."""

SENT = pytest.StashKey[bool]()
"""Whether the process has sent the header."""


class Resumption:
    """A pytest plugin of the process that reports."""

    def __init__(self, recorder: Recorder, journal: Journal) -> None:
        self._recorder = recorder
        self._journal = journal
        recorder.rows.update(journal.earlier.rows)
        recorder.explored += journal.earlier.searches.values()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker how much of the file it is to read."""
        node.workerinput[SIZE] = self._journal.earlier.size

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Compare the headers before the first case, where the cases run in this process."""
        header = header_of(session.config)
        if header is not None:
            self._begin(header)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a row, or a search without a finding. The first report of a worker brings the header."""
        header, row, search = (getattr(report, name, None) for name in (FIRST, ROW, SEARCH))
        if header is not None:
            self._begin(decode_header(json.loads(header)))
        if report.outcome not in ("passed", "failed", "skipped"):
            return  # a plugin is about to run the test again
        if row is not None:
            self._journal.add(row)
        if search is not None and report.passed:
            self._journal.add_search(report.nodeid, search)

    def _begin(self, header: Header) -> None:
        try:
            self._journal.begin(header)
        except Unresumable as error:
            self._recorder.forget()
            pytest.exit(f"--resume: {error}", returncode=pytest.ExitCode.USAGE_ERROR)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Let the findings of earlier runs fail this one, too; remove the file of a finished run."""
        if session.exitstatus == pytest.ExitCode.OK and self._failed_earlier(session.config):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        yield
        ran = self._journal.begun and not session.config.option.collectonly
        if ran and session.exitstatus in FINISHED:
            self._journal.remove()
        elif session.exitstatus in UNFINISHED:
            path = session.config.option.resume
            self._recorder.lines.append(f"what is finished is kept in {path}: the same command goes on")
        if self._journal.begun and self._journal.earlier.cases:
            kept = f"{self._journal.earlier.cases:,} cases and programs, not run again"
            self._recorder.lines.append(f"of an earlier run    {kept}")

    def _failed_earlier(self, config: pytest.Config) -> bool:
        path = config.option.accepted
        kept = None if path is None else accepted.read(path)
        rows = self._journal.earlier.rows.values()
        found = [row for row in rows if row.outcome == FINDING]
        return any(kept is None or not kept.covers(row) for row in found)


def add_header(config: pytest.Config, report: pytest.TestReport) -> None:
    """Attach the header to the first report of a process."""
    header = header_of(config)
    if config.option.resume is not None and header is not None and SENT not in config.stash:
        config.stash[SENT] = True
        setattr(report, FIRST, encode_header(header))


def earlier_of(config: pytest.Config) -> Earlier:
    """Return what earlier runs have finished; raises pytest.UsageError for a file that cannot be used."""
    path = config.option.resume
    if path is None:
        return NOTHING
    size = getattr(config, "workerinput", {}).get(SIZE)
    try:
        return read(path, size)
    except Unresumable as error:
        raise pytest.UsageError(f"--resume: {error}") from error
