"""Findings as annotations of GitHub Actions: workflow commands, one a line.

GitHub takes a line that begins with ``::`` for a command. Texts of a subject stand only in its value,
where every line end and percent sign is escaped as GitHub's documentation of workflow commands says, so
that none of them begins a command of its own:
https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from typing import List, Sequence, Set, Tuple

from reports.cause_text import Cause, command, description
from reports.causes import causes
from reports.incidents import incidents_of
from reports.rows import FINDING, CaseRow, Header
from reports.symptoms import Symptom, symptom
from reports.tally import counted
from reports.visible import one_line, shortened

MOST = 10
"""The number of annotations of one kind that GitHub shows for a step."""

LEVELS = ("error", "warning", "notice")
"""The levels at which GitHub shows an annotation, the gravest first."""

LONGEST = 300
"""The largest number of characters of a line of an annotation."""


def annotation_lines(
    header: Header, rows: Sequence[CaseRow], problems: Sequence[str] = (), level: str = LEVELS[0]
) -> List[str]:
    """Return a workflow command for each problem of a run and each cause of findings, MOST at most.

    ``problems``: lines about the run as a whole. ``level``: one of LEVELS.
    """
    annotations = [("the run", [each]) for each in problems]
    annotations += [_of_cause(cause, header) for cause in causes(rows)]
    if len(annotations) > MOST:
        more = (f"{len(annotations) - (MOST - 1)} more", ["the log and the record have all of them"])
        annotations = [*annotations[: MOST - 1], more]
    return [annotation(level, title, lines) for title, lines in annotations]


def annotation(level: str, title: str, lines: Sequence[str]) -> str:
    """Return the workflow command of an annotation, whatever is in its texts."""
    value = "\n".join(shortened(line, LONGEST) for line in lines)
    return f"::{level} title={_property(f'BatchNorm2d conformance: {title}')}::{_data(value)}"


def unknown(rows: Sequence[CaseRow], before: Sequence[CaseRow]) -> List[CaseRow]:
    """Return the rows with findings that ``before`` does not have, whatever the numbers in them."""
    known = {row.id: _symptoms(row) for row in before if row.outcome == FINDING}
    return [row for row in rows if row.outcome == FINDING and known.get(row.id) != _symptoms(row)]


def _symptoms(row: CaseRow) -> Set[Symptom]:
    return {symptom(found) for incident in incidents_of(row) for found in incident.findings}


def _of_cause(cause: Cause, header: Header) -> Tuple[str, List[str]]:
    """Return the title and the lines of an annotation."""
    found = cause.found
    seen = f"got {found.got}, expected {found.expected}"
    again = command(cause, header.options, LONGEST)
    return counted(cause.cases, "case"), [description(cause), seen, again]


def _data(text: str) -> str:
    """Return a value of a workflow command with what would end it escaped."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return a property of a workflow command with what would end it escaped."""
    return _data(one_line(text)).replace(":", "%3A").replace(",", "%2C")
