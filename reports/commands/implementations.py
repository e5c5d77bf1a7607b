"""``python -m reports implementations``: IMPLEMENTATIONS.md from the records of all implementations."""

from __future__ import annotations

import argparse
from pathlib import Path

from reports import divergence, implementations
from reports.commands import page
from reports.commands.command import Command
from reports.commands.output import print_lines
from reports.errors import ReportError


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--add",
        metavar="RECORD",
        type=Path,
        help="first copy this record to the others, in place of one with the same name",
    )
    parser.add_argument(
        "--name",
        help="the name of the added column; by default that of the implementation, path and device",
    )
    parser.add_argument(
        "--paths",
        metavar="DIR",
        type=Path,
        default=implementations.PATHS,
        help="a directory with one record of each path (%(default)s)",
    )
    records_help = "a directory with one record of each column (%(default)s)"
    page.add_arguments(parser, implementations.DIRECTORY, implementations.PAGE, records_help)


def _run(options: argparse.Namespace) -> int:
    if options.add is not None and options.check:
        raise ReportError("--add: --check writes nothing; leave one of the two out")
    if options.name is not None and options.add is None:
        raise ReportError("--name: names the record of --add; give --add RECORD, too")
    if options.add is not None:
        added = implementations.add(options.add, options.name, options.records)
        print_lines([f"{added}: is the record of a column now; commit it with {options.output}"])
    shown = implementations.columns(options.records)
    paths = implementations.of_paths(options.paths)
    text = implementations.page(shown, divergence.divergences(), paths)
    return page.write_or_check(text, options, implementations.COMMAND)


COMMAND = Command(
    description="Write the page that compares implementations, paths and devices: behaviours and "
    "quantities against columns, one for each record, a table of paths, and what differs, by cause.",
    examples=(
        ("implementations --add mine.jsonl.gz", "add a column, and write reports/IMPLEMENTATIONS.md"),
        ("implementations --check", "say whether the page is what the records give"),
    ),
    statuses=page.STATUSES,
    arguments=_arguments,
    run=_run,
)
