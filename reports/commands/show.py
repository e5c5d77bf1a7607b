"""``python -m reports show``: the table of a record and the causes of its findings."""

from __future__ import annotations

import argparse

from reports.causes import SCREEN, cause_lines, causes
from reports.commands.command import SAME, Command
from reports.commands.output import print_lines
from reports.record import read
from reports.rows import FINISHED
from reports.tally import summary_lines


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("record", metavar="RECORD", help="a record")
    parser.add_argument("--all", action="store_true", help="show every cause")


def _run(options: argparse.Namespace) -> int:
    record = read(options.record)
    lines = summary_lines(record.header, record.rows)
    found = causes(record.rows)
    if found:
        limit = None if options.all else SCREEN
        lines += ["", *cause_lines(found, limit, record.header.options)]
    if record.footer.exit not in FINISHED:
        lines.append(
            f"the run did not finish (pytest exit status {record.footer.exit}): cases may be missing"
        )
    print_lines(lines)
    return SAME


COMMAND = Command(
    description="Print the table that ended the run, and the few causes that explain its findings.",
    examples=(
        ("show mine.jsonl.gz", "the table, and causes on one screen"),
        ("show --all mine.jsonl.gz", "every cause"),
    ),
    statuses={SAME: "the record was printed, whatever is in it"},
    arguments=_arguments,
    run=_run,
)
