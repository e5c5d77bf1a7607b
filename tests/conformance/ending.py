"""The failures of a run at its end: the causes of all and a few in full, on one screen.

pytest prints every failure in full. That is kept where it fits, and where the user asks for it by
``--tb``, ``-v`` or ``-r``. Imports neither torch nor NumPy.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import pytest

from reports.cause import Cause
from reports.causes import cause_lines, causes
from reports.rows import CaseRow
from reports.symptoms import symptom
from reports.visible import visible

SCREEN = 50
"""The lines that a run ends with at most, where the user asked for nothing else."""

FEW = 30
"""Failures that have no more lines than this together are left to pytest."""

LEAST = 14
"""The lines that are kept for the causes, whatever the failures need."""

UNASKED = {"tbstyle": "auto", "reportchars": "fE"}
"""pytest's options that say how failures are shown, with their defaults."""

SHORT = pytest.StashKey[bool]()
"""Whether the failures of the run are to fit on a screen."""


def keep_short(config: pytest.Config) -> None:
    """Have pytest leave out its list of failed tests, unless the user asked for more than the default.

    pytest reads this option when it begins, and the style of tracebacks at the end.
    """
    option = config.option
    usual = all(getattr(option, name, None) == value for name, value in UNASKED.items())
    config.stash[SHORT] = short = usual and option.verbose <= 0
    if short:
        option.reportchars = "E"


class Failures:
    """The failed tests of a run. Texts are kept of whole reports, and of tests without a row.

    ``whole``: case id to text.
    """

    def __init__(self) -> None:
        self.lines = 0
        self.whole: Dict[str, str] = {}
        self.others: List[Tuple[str, str]] = []

    def take(self, report: pytest.TestReport, case_id: Optional[str], whole: bool) -> None:
        """Note a failed test; ``case_id``: of the row that it left, None where it left none."""
        text = report.longreprtext
        self.lines += len(text.splitlines()) + 1
        if case_id is None:
            self.others.append((report.nodeid, text if len(self.others) < 3 else ""))
        elif whole:
            self.whole[case_id] = text


class Ending(NamedTuple):
    """The lines of the end of a run: failures in full, and the causes."""

    failures: List[str]
    causes: List[str]


def ending(rows: Sequence[CaseRow], failures: Failures, used: int, option: Any, again: str) -> Ending:
    """Failures and causes in the lines that are left of a screen.

    ``used``: the lines of everything else. ``again``: the options that run a case again, beside --case.
    """
    found = causes(rows)
    room = SCREEN - used
    shown: List[str] = []
    for title, text, traceback in _representatives(found, rows, failures):
        left = room - len(shown) - min(LEAST, 5 * len(found) + 1) - 2
        lines = [title, *(visible(line) for line in text.splitlines())]
        if len(lines) > left and shown:
            break
        if len(lines) > left:
            rest = "... the rest of this is shown by -v"
            # A traceback ends with the exception, a report begins with what was found.
            kept = max(1, left - 2)
            lines = [title, rest, *lines[-kept:]] if traceback else [*lines[: left - 1], rest]
        shown += [*lines, ""]
    told = cause_lines(found, room - len(shown) - 1, again)
    return Ending(shown[:-1], [*told, *_rest(rows, failures, option)])


def _representatives(
    found: Sequence[Cause], rows: Sequence[CaseRow], failures: Failures
) -> Iterator[Tuple[str, str, bool]]:
    """A title, a text, and whether it is a traceback.

    The first test without a row has one; each cause has a whole report.
    """
    if failures.others:
        more = f" and {len(failures.others) - 1} more without a verdict" if failures.others[1:] else ""
        yield f"{failures.others[0][0]}{more}", failures.others[0][1], True
    by_id = {row.id: row for row in rows}
    for number, cause in enumerate(found, 1):
        candidates = [cause.id, *failures.whole]
        chosen = next((each for each in candidates if _shows(by_id.get(each), cause, failures)), None)
        if chosen is not None:
            yield f"cause {number}, one of {cause.cases} cases:", failures.whole[chosen], False


def _shows(row: Optional[CaseRow], cause: Cause, failures: Failures) -> bool:
    """Whether the case has a whole report whose first finding is of the cause."""
    if row is None or row.id not in failures.whole or not row.findings:
        return False
    return cause.theme in symptom(row.findings[0]).themes


def _rest(rows: Sequence[CaseRow], failures: Failures, option: Any) -> List[str]:
    """Where all findings are."""
    if option.report:
        return [f"all findings: python -m reports show {option.report}"]
    return ["all findings: add --report=FILE.jsonl.gz, then python -m reports show FILE.jsonl.gz"]
