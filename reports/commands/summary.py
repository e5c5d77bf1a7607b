"""``python -m reports summary``: a record in one line, as Markdown, or as annotations."""

from __future__ import annotations

import argparse
from typing import Callable, Dict, List, Optional

from reports.commands.command import SAME, Command
from reports.commands.output import print_lines
from reports.errors import ReportError
from reports.record import Record, read
from reports.rows import Footer
from reports.summary import markdown, sentence, together
from reports.workflow_commands import LEVELS, annotation_lines, unknown

LINE, MARKDOWN, ANNOTATIONS = "line", "markdown", "annotations"

FORMS: Dict[str, Callable[[Record, argparse.Namespace], List[str]]] = {
    LINE: lambda each, _: [sentence(each.header, each.rows, each.footer.exit)],
    MARKDOWN: lambda each, _: markdown(each.header, each.rows, each.footer.exit),
    ANNOTATIONS: lambda each, options: _annotations(each, options.level or LEVELS[0], options.since),
}
"""Maps the name of a form to the function that gives the lines of a record in it."""


def _annotations(record: Record, level: str, since: Optional[str]) -> List[str]:
    rows = record.rows if since is None else unknown(record.rows, read(since).rows)
    return annotation_lines(record.header, rows, level=level)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("records", metavar="RECORD", nargs="+", help="records")
    parser.add_argument(
        "--as",
        dest="form",
        choices=list(FORMS),
        default=LINE,
        help="one line (default), Markdown for $GITHUB_STEP_SUMMARY, or annotations for a log of GitHub "
        "Actions",
    )
    parser.add_argument(
        "--level", choices=LEVELS, help=f"how grave annotations are ({LEVELS[0]})"
    )
    parser.add_argument(
        "--since", metavar="OLD", help="annotate only findings that this record does not have"
    )


def _run(options: argparse.Namespace) -> int:
    for name in ("level", "since"):
        if getattr(options, name) is not None and options.form != ANNOTATIONS:
            raise ReportError(f"--{name}: is for annotations; add --as {ANNOTATIONS}")
    footers: List[Footer] = []
    for path in options.records:
        record = read(path)
        footers.append(record.footer)
        lines = FORMS[options.form](record, options)
        if lines:
            print_lines(lines)
    if options.form == LINE and footers[1:]:
        print_lines([together(footers)])
    return SAME


COMMAND = Command(
    description="Say in one line, or in short Markdown, what a record holds: what ran, how many cases "
    "ended how, and the causes of findings.",
    examples=(
        ("summary old.jsonl.gz new.jsonl.gz", "a line for each, and the sum"),
        ("summary --as markdown new.jsonl.gz", "a table, and the causes of findings"),
        ("summary --as annotations new.jsonl.gz", "each cause as ::error, for a log of GitHub Actions"),
    ),
    statuses={SAME: "the records were summed up, whatever is in them"},
    arguments=_arguments,
    run=_run,
)
