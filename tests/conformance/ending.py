"""The end of a run: the causes of all failures and a few failures in full, on one screen.

pytest prints every failure in full. So does a run whose failures fit on a screen, or whose user asks for
them by ``--tb``, ``-v`` or ``-r``. Imports neither torch nor NumPy.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import pytest

from reports.cause_text import Cause
from reports.causes import cause_lines, causes
from reports.rows import CaseRow
from reports.symptoms import symptom
from reports.visible import visible
from tests.failure import SCRIPT

SCREEN = 50
"""The largest number of lines at the end of a run, unless the user asked for more."""

FEW = 30
"""If the failures have no more lines than this together, pytest prints them."""

LEAST = 14
"""The number of lines that are kept for the causes, however many the failures need."""

REST_SHOWN = "... the rest of this is shown by -v"

UNASKED = {"tbstyle": "auto", "reportchars": "fE"}
"""pytest's options that say how failures are shown, with their defaults."""

SHORT = pytest.StashKey[bool]()
"""Whether the failures of the run are to fit on a screen."""


def keep_short(config: pytest.Config) -> None:
    """Have pytest leave out its lists of failed tests and of warnings, unless the user asked for more.

    pytest reads these options when it begins, and the style of tracebacks at the end. It counts the
    warnings in its last line; a subject that warns in many cases would fill the screen with them.
    """
    option = config.option
    usual = all(getattr(option, name, None) == value for name, value in UNASKED.items())
    config.stash[SHORT] = short = usual and option.verbose <= 0
    if short:
        option.reportchars, option.disable_warnings = "E", True


class Failures:
    """The failed tests of a run. Texts are kept only of whole reports, and of tests without a row.

    ``whole``: maps a case id to its text.
    """

    def __init__(self) -> None:
        self.lines = 0
        self.whole: Dict[str, str] = {}
        self.others: List[Tuple[str, str]] = []

    def take(self, report: pytest.TestReport, case_id: Optional[str], whole: bool) -> None:
        """Note a failed test; ``case_id``: the id in the row that it left, None where it left no row."""
        text = str(report.longrepr)  # longreprtext begins with a line that names the worker
        self.lines += len(text.splitlines()) + 1
        if case_id is None:
            self.others.append((report.nodeid, text if len(self.others) < 3 else ""))
        elif whole:
            self.whole[case_id] = text


class Ending(NamedTuple):
    """The lines at the end of a run: failures in full, and the causes.

    ``shown``: the case whose failure stands first, None where none is shown.
    """

    failures: List[str]
    causes: List[str]
    shown: Optional[str] = None


def ending(rows: Sequence[CaseRow], failures: Failures, used: int, option: Any, again: str) -> Ending:
    """Return failures and causes that fit in the lines that are left of a screen.

    ``used``: the lines of everything else. ``again``: the options that run a case again, besides --case.
    """
    found = causes(rows)
    room = SCREEN - used
    shown: List[str] = []
    first: Optional[str] = None
    for each in _representatives(found, rows, failures):
        left = room - len(shown) - min(LEAST, 5 * len(found) + 1) - 2
        lines = _fitted(each, left)
        if len(lines) > left and shown:
            break
        if len(lines) > left:
            lines = _cut(each, lines, left)
        shown += [*lines, ""]
        first = first or each.case_id
    explained = cause_lines(found, room - len(shown) - 1, again)
    return Ending(shown[:-1], [*explained, *_rest(option)], first)


class _Failure(NamedTuple):
    """A failure that is shown. ``case_id``: None where it left no row; ``text`` is then a traceback."""

    title: str
    text: str
    case_id: Optional[str] = None


def _fitted(failure: _Failure, left: int) -> List[str]:
    """Return the lines of a failure; if they are more than ``left``, only those of the script.

    The line of the cause, and the script, say what was seen and expected.
    """
    lines = [failure.title, *(visible(line) for line in failure.text.splitlines())]
    script = _script(lines)
    return lines if len(lines) <= left or not script else [*lines[:2], *lines[script:]]


def _script(lines: Sequence[str]) -> int:
    """Return the number of the line with which a script begins, 0 where there is none."""
    return next((number for number, line in enumerate(lines) if line.startswith(SCRIPT)), 0)


def _cut(failure: _Failure, lines: Sequence[str], left: int) -> List[str]:
    """Return at most ``left`` lines of a failure, without part of a script, which would not run."""
    if failure.case_id is None:  # a traceback ends with the exception; a report begins with it
        return [failure.title, REST_SHOWN, *lines[-max(1, left - 2) :]]
    script = _script(lines)
    if not script:
        return [*lines[: left - 1], REST_SHOWN]
    whole = [failure.title, *(visible(line) for line in failure.text.splitlines())]
    return [*whole[: min(left - 1, _script(whole) - 1)], REST_SHOWN]


def _representatives(
    found: Sequence[Cause], rows: Sequence[CaseRow], failures: Failures
) -> Iterator[_Failure]:
    """Return the first test without a row, and a report of each cause, with a script if there is one."""
    if failures.others:
        more = f" and {len(failures.others) - 1} more tests without a row" if failures.others[1:] else ""
        yield _Failure(f"{failures.others[0][0]}{more}", failures.others[0][1])
    by_id = {row.id: row for row in rows}
    for number, cause in enumerate(found, 1):
        candidates = [
            each for each in (cause.id, *failures.whole) if _shows(by_id.get(each), cause, failures)
        ]
        if candidates:
            chosen = next((each for each in candidates if SCRIPT in failures.whole[each]), candidates[0])
            yield _Failure(f"cause {number}, one of {cause.cases} cases:", failures.whole[chosen], chosen)


def _shows(row: Optional[CaseRow], cause: Cause, failures: Failures) -> bool:
    """Whether the case has a whole report, and a finding of the cause at its first wrong step."""
    if row is None or row.id not in failures.whole or not row.findings:
        return False
    first = [found for found in row.findings if found.step == row.findings[0].step]
    return any(cause.theme in symptom(found).themes for found in first)


def _rest(option: Any) -> List[str]:
    """Return the lines that say where all findings are."""
    if option.report:
        return [f"all findings: python -m reports show {option.report}"]
    return ["all findings: add --report=FILE.jsonl.gz, then python -m reports show FILE.jsonl.gz"]
