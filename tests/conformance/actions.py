"""Tells GitHub Actions what a run has found: a summary on the page of the run, and annotations.

It does nothing unless GitHub has set the two environment variables that ask for it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Generator, List, Mapping, Optional, Sequence

import pytest

from reports import accepted
from reports.rows import CaseRow
from reports.summary import markdown
from reports.visible import visible
from reports.workflow_commands import annotation_lines
from tests.conformance.session import header_of

if TYPE_CHECKING:
    from tests.conformance.recorder import Recorder

SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable with the name of the file to which a step appends Markdown."""

WITHIN = "GITHUB_ACTIONS"
"""The variable that is ``true`` in a step of GitHub Actions."""


class Actions:
    """A pytest plugin of the process that reports; ``environment``: the environment variables."""

    def __init__(self, recorder: Recorder, environment: Mapping[str, str]) -> None:
        self._recorder = recorder
        self._summary = environment.get(SUMMARY, "")
        self._within = environment.get(WITHIN) == "true"
        self._lines: List[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Append the summary, when the exit status of the run is decided."""
        yield
        header = self._recorder.header or header_of(session.config)
        if header is None:  # no case ran
            return
        rows = [self._recorder.rows[key] for key in sorted(self._recorder.rows)]
        if self._within:
            unaccepted = _unaccepted(rows, session.config.option.accepted)
            self._lines += annotation_lines(header, unaccepted, self._recorder.problems)
        if self._summary:
            self._append(markdown(header, rows, int(session.exitstatus)))

    def _append(self, lines: List[str]) -> None:
        """Append lines to the file of the summary; if that fails, the run goes on and says so."""
        text = "".join(f"{visible(line)}\n" for line in lines)
        try:
            with open(
                self._summary, "a", encoding="utf-8", errors="backslashreplace", opener=_unblocked
            ) as file:
                file.write(text)
        except OSError as error:
            self._lines.append(
                f"{SUMMARY} cannot be appended to ({error.strerror}): {self._summary}; name a file, or "
                "unset the variable"
            )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None, None, None]:
        """Print the annotations, each on a line of its own, because GitHub looks at the beginnings."""
        yield
        if self._lines:
            terminalreporter.ensure_newline()
        for line in self._lines:
            terminalreporter.write_line(visible(line))


def _unblocked(path: str, flags: int) -> int:
    """Open a file; a pipe without a reader is refused, and not waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


def _unaccepted(rows: Sequence[CaseRow], path: Optional[str]) -> Sequence[CaseRow]:
    """Return the rows without those whose findings the file of --accepted lists."""
    if path is None:
        return rows
    kept = accepted.read(path)
    return [row for row in rows if not kept.covers(row)]
