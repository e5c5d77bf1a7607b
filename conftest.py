"""pytest options and recording hooks; the work is done in tests/."""

from __future__ import annotations

import json
from typing import Any, Dict, Generator, List, Optional

import pytest

from cases.catalogue import TIERS
from reports import tally
from reports.encoding import decode_header, encode_header
from reports.errors import ReportError
from reports.record import write
from reports.rows import CaseRow, Header
from tests import preflight, summary
from tests.conformance import collection, exploration, parcels, protocol


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's own options."""
    group = parser.getgroup("batchnorm", "BatchNorm2d conformance")
    group.addoption("--tier", choices=TIERS, default="gate", help="how much of the matrix (gate)")
    group.addoption(
        "--case", action="append", default=[], metavar="ID", help="run exactly this case, of any tier"
    )
    group.addoption(
        "--shard",
        type=collection.parse_shard,
        default=(1, 1),
        metavar="I/N",
        help="run every N-th case, beginning with the I-th",
    )
    group.addoption("--seed", type=int, default=0, metavar="S", help="other matrix inputs (0)")
    group.addoption(
        "--subject",
        default=collection.DEFAULT_SUBJECT,
        metavar="PACKAGE.MODULE:CLASS",
        help="a class with BatchNorm2d's constructor and attributes",
    )
    group.addoption(
        "--semantics",
        metavar="RELEASE",
        help="expect what this torch release does, not the one that runs",
    )
    group.addoption("--threads", type=int, default=1, metavar="N", help="torch threads (1)")
    group.addoption("--explore", type=int, default=0, metavar="N", help="run N random programs (0)")
    group.addoption(
        "--explore-seed", type=int, default=0, metavar="S", help="other random programs (0)"
    )
    group.addoption("--report", metavar="FILE", help="write a record; --report=FILE.jsonl or .jsonl.gz")


def pytest_configure(config: pytest.Config) -> None:
    """Refuses unusable options before anything runs."""
    try:
        preflight.check(config.option, config.args, collection.DEFAULT_SUBJECT)
    except preflight.Unusable as error:
        raise pytest.UsageError(str(error)) from error
    if config.option.explore:
        exploration.check()
    protocol.spare_the_collector()
    if hasattr(config, "workerinput"):
        config._bn_outbox = parcels.Outbox()  # type: ignore[attr-defined]
    else:
        config.pluginmanager.register(Recorder(config), "batchnorm-recorder")


def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> Optional[List[Any]]:
    """Turns ``Cases`` and ``Programs`` in a test module into items."""
    if isinstance(obj, collection.Cases):
        return list(collection.collect(obj, name, collector))
    if isinstance(obj, exploration.Programs):
        return list(exploration.collect(name, collector))
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    """With --case nothing but that case runs."""
    if config.option.case:
        items[:] = [item for item in items if isinstance(item, collection.CaseItem)]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Has torch and the subject before the first case, or ends the run in one line."""
    config = session.config
    ours = (collection.CaseItem, exploration.ProgramsItem)
    if config.option.collectonly or not any(isinstance(item, ours) for item in session.items):
        return
    protocol.spare_the_collector()
    try:
        collection.session_of(config)
        protocol.spare_the_collector()
    except preflight.Unusable as error:
        output = getattr(config, "workeroutput", None)
        if output is None:
            raise pytest.UsageError(str(error)) from error
        output["bn_unusable"] = str(error)
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: Optional[pytest.Item]) -> Optional[bool]:
    """Cases have one phase."""
    progress = _progress(item.config)
    if progress is not None:
        progress.begins()
    if not isinstance(item, collection.CaseItem):
        return None
    protocol.perform(item, last=not isinstance(nextitem, collection.CaseItem))
    return True


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, None]:
    """Puts a case's row on its report, which xdist carries to the controller."""
    outcome = yield
    if isinstance(item, collection.CaseItem) and call.when == "call":
        report = outcome.get_result()
        report.bn_case = item.case_id
        if item.row is not None:
            report.bn_row = item.row


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker is to know where to leave its place."""
    workers = _workers()
    if workers is not None:
        node.workerinput[workers.PLACES] = workers.folder_of_places(node.config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """In place of --dist load, the default."""
    workers = _workers()
    if config.getvalue("dist") != "load" or workers is None:
        return None
    return workers.Stretches(config, log)


def _progress(config: pytest.Config) -> Any:
    """What a worker tells of its progress by; None elsewhere, or where each case is told of by itself."""
    if not hasattr(config, "_bn_progress"):
        workers = _workers() if hasattr(config, "workerinput") else None
        config._bn_progress = workers and workers.progress(config)  # type: ignore[attr-defined]
    return config._bn_progress  # type: ignore[attr-defined]


def _workers() -> Any:
    """The module, or None where pytest-xdist is older than 3.2."""
    try:
        from tests.conformance import workers
    except ImportError:
        return None
    return workers


def pytest_unconfigure(config: pytest.Config) -> None:
    """The process is about to end."""
    protocol.spare_the_collector()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker sends home the header: the controller does not import torch."""
    output = getattr(session.config, "workeroutput", None)
    shared = getattr(session.config, "_bn_session", None)
    if output is not None and shared is not None:
        output["bn_header"] = encode_header(shared.header)


class Recorder:
    """Gathers the rows of a run, with or without workers; sums up and writes the record."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.rows: Dict[str, CaseRow] = {}
        self.ran: List[str] = []
        self.handed_out: List[str] = []
        self.explored: List[Any] = []
        self.encoded_header: Optional[str] = None
        self.lines: List[str] = []
        self.problems: List[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Unpacks what a worker sent; takes the row off a case's report."""
        parcels.unpack(report, self.config)
        if report.when == "call":
            self.explored += [each for key, each in report.user_properties if key == "explored"]
        if getattr(report, "bn_case", None) is not None:
            self.ran.append(report.bn_case)
        elif report.when not in ("setup", "call", "teardown"):  # a worker died of it
            self.ran += collection.id_in(report.nodeid)
        row = getattr(report, "bn_row", None)
        if row is not None:
            self.rows[row.id] = row

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: List[str]) -> None:
        """Remembers what the workers are to run: one that dies takes reports with it."""
        self.handed_out = ids

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: Any) -> None:
        """Takes the header a worker sends home, or why it cannot run anything."""
        unusable = getattr(node, "workeroutput", {}).get("bn_unusable")
        if unusable is not None:
            raise pytest.UsageError(unusable)
        self.encoded_header = getattr(node, "workeroutput", {}).get("bn_header", self.encoded_header)

    def _header(self) -> Optional[Header]:
        shared = getattr(self.config, "_bn_session", None)
        if shared is not None:
            header: Header = shared.header
            return header
        return None if self.encoded_header is None else decode_header(_fields(self.encoded_header))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Sums up; a whole tier must have put every switch to the test."""
        header = self._header()
        if header is None:
            self._nothing_ran(session)
            return
        rows = [self.rows[key] for key in sorted(self.rows)]
        holding = dict(header.semantics)
        self.lines = tally.summary_lines(header, rows) + summary.behaviours(rows)
        for line in (summary.verdict_counts(rows, holding), summary.coverage(rows)):
            if line is not None:
                self.lines.append(line)
        if self.explored:
            self.lines.append(exploration.total(self.explored))
        if not header.release_in_table:
            self.lines.append(f"torch {header.release} is {summary.UNRELEASED}")
        if exitstatus in (0, 1):
            whole = header.selection is None
            tier = summary.ids_of(header.tier, header.seed) if whole else ()
            stopped = 0 < (self.config.option.maxfail or 0) <= session.testsfailed
            to_run = () if stopped else self.handed_out
            handed_out = [each for nodeid in to_run for each in collection.id_in(nodeid)]
            self.problems = summary.without_row(rows, (*self.ran, *tier, *handed_out))
            unjudged = bool(self.problems)
            if whole and header.tier != "smoke":
                self.problems += summary.unexercised(rows, holding)
            if self.problems:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
            if unjudged:
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        if self.config.option.report and exitstatus in (0, 1):
            try:
                write(self.config.option.report, header, rows, int(session.exitstatus))
            except ReportError as error:
                self.problems.append(f"--report: {error}")
                session.exitstatus = pytest.ExitCode.USAGE_ERROR
        elif self.config.option.report:
            self._not_written("the run did not finish")

    def _not_written(self, reason: str) -> None:
        self.problems.append(f"--report {self.config.option.report}: not written, as {reason}")

    def _nothing_ran(self, session: pytest.Session) -> None:
        """No case ran. Where some were asked for, that is said, and is no success."""
        option = self.config.option
        if option.collectonly or session.exitstatus == pytest.ExitCode.USAGE_ERROR:
            return
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            chosen = collection.selection(self.config)
            self.problems.append(
                f"no test is left by {chosen or 'what was asked for'}; ask for more, or drop a part of it"
            )
        if option.report:
            self._not_written("no case ran")
            if session.exitstatus in (0, 1):
                session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Prints the table."""
        if self.lines:
            terminalreporter.section("BatchNorm2d conformance")
            for line in self.lines:
                terminalreporter.write_line(line)
        for problem in self.problems:
            terminalreporter.write_line(f"ERROR: {problem}", red=True)


def _fields(encoded: str) -> Dict[str, Any]:
    fields: Dict[str, Any] = json.loads(encoded)
    return fields
