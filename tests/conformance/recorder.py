"""Gathers the rows of a run, with or without workers; sums them up and writes the record."""

from __future__ import annotations

import json
from typing import Any, Dict, Generator, Iterable, List, Optional, Sequence, Set

import pytest

from reports import accepted, tally
from reports.causes import cause_lines, causes
from reports.encoding import decode_case, decode_header, encode_header
from reports.errors import ReportError
from reports.record import write
from reports.rows import CPU, EAGER, FINDING, MODULE, OUTCOMES, CaseRow, Header
from reports.visible import shortened, visible
from tests.conformance import exploration, options, summary
from tests.conformance.ending import FEW, SHORT, Failures, ending
from tests.conformance.judging import NARRATIVE, ROW, SEARCH, WHOLE
from tests.conformance.parametrisation import case_in, is_case
from tests.conformance.session import DESELECTED, header_of
from tests.subject import DEFAULT

HEADER = "batchnorm_header"
UNUSABLE = "batchnorm_unusable"
"""The data that a worker sends at its end: the record's header, or why it cannot run anything."""

SHOWN = ("passed", "failed", "skipped")
"""The outcomes of pytest itself. A plugin that runs a test again adds one for the earlier runs."""

OWN_LINES = 4
"""The number of lines at a run's end that are titles or pytest's."""

CAME_TO_ITS_END = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


class Recorder:
    """A pytest plugin of the process that reports: the only one, or the controller of workers.

    ``collected``, ``ran``: the node ids of the tests of cases; ``judged``: those of tests that left a
    row; ``accepted``: the ids of the cases all of whose findings are accepted.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.rows: Dict[str, CaseRow] = {}
        self.collected: Set[str] = set()
        self.ran: Set[str] = set()
        self.judged: Set[str] = set()
        self.explored: List[List[int]] = []
        self.header: Optional[Header] = None
        self.failures = Failures()
        self.narratives: Dict[str, List[str]] = {}
        self.shown: List[str] = []
        self.first: Optional[str] = None
        self.accepted: Set[str] = set()
        self.lines: List[str] = []
        self.problems: List[str] = []
        self.forgotten = False

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note the tests that are to run in this process."""
        self._note(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """Note the tests that are to run in workers."""
        self._note(ids)

    def _note(self, nodeids: Iterable[str]) -> None:
        self.collected.update(each for each in nodeids if is_case(each))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the row, or the result of a search, off the report of a test."""
        row = getattr(report, ROW, None)
        if report.failed:
            case_id = None if row is None else json.loads(row)["id"]
            self.failures.take(report, case_id, getattr(report, WHOLE, False))
        if report.when in ("setup", "teardown") or report.outcome not in SHOWN:
            return
        if is_case(report.nodeid):
            self.ran.add(report.nodeid)
        search = getattr(report, SEARCH, None)
        if search is not None:
            self.explored.append(search)
        if row is not None:
            self.judged.add(report.nodeid)
            self._take(decode_case(json.loads(row)))
            told = getattr(report, NARRATIVE, None)
            if told:
                self.narratives[report.nodeid] = told

    def _take(self, row: CaseRow) -> None:
        """Keep the row; if a case runs several times, its worst outcome counts."""
        before = self.rows.get(row.id)
        if before is None or OUTCOMES.index(row.outcome) >= OUTCOMES.index(before.outcome):
            self.rows[row.id] = row

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: Any) -> None:
        """Take the header that a worker sends, or the reason why it cannot run anything."""
        output = getattr(node, "workeroutput", {})
        if UNUSABLE in output:
            raise pytest.UsageError(output[UNUSABLE])
        if HEADER in output:
            self.header = decode_header(json.loads(output[HEADER]))

    def forget(self) -> None:
        """Drop the rows of another run, so that the table does not count them: this run judged none."""
        self.rows.clear()
        self.explored.clear()
        self.forgotten = True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Sum up, decide the exit status and write the record."""
        header = self.header or header_of(self.config)
        if header is None or self.forgotten:
            self._nothing_ran(session)
            return
        rows = [self.rows[key] for key in sorted(self.rows)]
        self._sum_up(header, rows)
        finished = exitstatus in CAME_TO_ITS_END
        if finished:
            self._check_whole(header, rows, session)
        self._compare_accepted(header, rows, session)
        self._check_judged(rows, session)
        self._end(rows)
        if not self.config.option.report:
            return
        if not finished:
            self._not_written("the run did not finish")
            return
        try:
            write(self.config.option.report, header, rows, int(session.exitstatus))
        except ReportError as error:
            self.problems.append(f"--report: {error}")
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def _sum_up(self, header: Header, rows: List[CaseRow]) -> None:
        holding = dict(header.semantics)
        self.lines = tally.summary_lines(header, rows) + summary.behaviours(rows)
        self.lines += summary.verdict_counts(rows, holding)
        self.lines += summary.coverage(rows)
        self.lines += exploration.total(self.explored)

    def _compare_accepted(self, header: Header, rows: List[CaseRow], session: pytest.Session) -> None:
        """Report what is accepted.

        The run fails if no case shows an accepted cause, or if more cases show it than before.
        """
        path = self.config.option.accepted
        if path is None:
            return
        listed = accepted.read(path)
        self.accepted = {row.id for row in rows if listed.covers(row)}
        count = len(self.accepted)
        told = f"{tally.counted(count, 'case')} of {tally.counted(len(listed.causes), 'accepted cause')}"
        self.lines.append(f"accepted findings    {told}")
        for cause in accepted.gone(listed, header, rows):
            what = shortened(cause.what)
            self.problems.append(
                f"accepted cause is gone: {what}; take it out of {path}: {accepted.COMMAND}"
            )
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        for pair in accepted.grown(listed, header, rows):
            self.problems.append(f"accepted cause has grown: {accepted.growth(*pair)}")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _end(self, rows: List[CaseRow]) -> None:
        """Add the causes of the findings that are not accepted.

        All stays on one screen unless the user asked for more.
        """
        rows = [row for row in rows if row.id not in self.accepted]
        option = self.config.option
        again = options.again(option)
        if not self.config.stash.get(SHORT, False) or self.failures.lines <= FEW:
            several = sum(row.outcome == FINDING for row in rows) > 1
            self.lines += cause_lines(causes(rows), options=again) if several else []
            return
        option.tbstyle = "no"
        self.lines = summary.counts(self.lines)
        used = len(self.lines) + len(self.problems) + OWN_LINES
        end = ending(rows, self.failures, used, option, again)
        self.shown, self.first = end.failures, end.shown
        self.lines += end.causes

    def _check_whole(self, header: Header, rows: List[CaseRow], session: pytest.Session) -> None:
        """Check that every case that ran, and every case of a whole tier, has left a row.

        torch's own module must also have exercised every switch; another subject says nothing about the
        table.
        """
        holding = dict(header.semantics)
        whole = header.selection is None
        unjudged = summary.without_row(self._awaited() - self.judged)
        if whole and not unjudged and header.path == EAGER:
            there = {row.id for row in rows}
            tier = summary.ids_of(header.tier, header.seed)
            unjudged = summary.without_row(each for each in tier if each not in there)
        self.problems += unjudged
        if whole and header.tier != "smoke":
            self.problems += summary.unmet(rows, header.clauses)
        if whole and header.tier != "smoke" and _is_torch(header):
            self.problems += summary.unexercised(rows, holding)
            self.problems += summary.unshown(rows, header.release_key)
        if self.problems:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if unjudged:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def _check_judged(self, rows: List[CaseRow], session: pytest.Session) -> None:
        """Report a run in which no case was judged to its end: it is no success."""
        lines = summary.nothing_judged(rows)
        self.problems += lines
        if lines and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

    def _awaited(self) -> Set[str]:
        """Return the tests that must have left a row: all; if a failure ends the run, those that ran."""
        option = self.config.option
        stops = getattr(option, "maxfail", 0) or getattr(option, "stepwise", False)
        return self.ran if stops else self.ran | self.collected

    def _not_written(self, reason: str) -> None:
        self.problems.append(f"--report {self.config.option.report}: not written, as {reason}")

    def _nothing_ran(self, session: pytest.Session) -> None:
        """Handle a run without cases: say so if some were asked for; it is no success."""
        option = self.config.option
        if option.collectonly or session.exitstatus == pytest.ExitCode.USAGE_ERROR:
            return
        unjudged = summary.without_row(self._awaited()) if session.exitstatus in CAME_TO_ITS_END else []
        if unjudged:
            self.problems += unjudged
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            chosen = options.selection(self.config, self.config.stash.get(DESELECTED, 0))
            self.problems.append(
                f"no test is left by {chosen or 'what was asked for'}; ask for more, or drop a part of it"
            )
        if option.report:
            self._not_written("no case ran")
            if session.exitstatus in CAME_TO_ITS_END:
                session.exitstatus = pytest.ExitCode.USAGE_ERROR

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None, None, None]:
        """Print a few failures where pytest prints none, the table, and the next command."""
        for nodeid, told in self.narratives.items():
            terminalreporter.section(f"{case_in(nodeid)}, step by step")
            for line in told:
                terminalreporter.write_line(visible(line))
        if self.shown:
            terminalreporter.section("failures, one of each cause")
            for line in self.shown:
                terminalreporter.write_line(line)
        if self.lines:
            terminalreporter.section("BatchNorm2d conformance")
            for line in self.lines:
                terminalreporter.write_line(line)
        for problem in self.problems:
            terminalreporter.write_line(f"ERROR: {problem}", red=True)
        yield
        for line in summary.next_command(self._first(), options.again(self.config.option)):
            terminalreporter.write_line(line)

    def _first(self) -> Optional[str]:
        """Return the case that is shown, the first without a pass; None if there is none."""
        if self.first is not None:
            return self.first
        findings = [key for key in sorted(self.rows) if self.rows[key].outcome == FINDING]
        findings = [key for key in findings if key not in self.accepted]
        unjudged = [case_in(each) for each in sorted(self.ran - self.judged)]
        return next(iter(findings + unjudged), None)


def _is_torch(header: Header) -> bool:
    """Whether the run was of torch's own module as usual, which must show all switches and defects."""
    given = (header.subject, header.promise, header.path, header.device)
    return given == (DEFAULT, MODULE, EAGER, CPU)


def send_home(config: Any) -> None:
    """Send the header of a worker's run to the controller, which does not import torch."""
    header = header_of(config)
    if header is not None:
        config.workeroutput[HEADER] = encode_header(header)
