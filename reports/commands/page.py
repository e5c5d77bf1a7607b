"""Arguments and end of the commands that write a page from committed records, or check it."""

from __future__ import annotations

import argparse
from pathlib import Path

from reports import destination
from reports.commands.command import CHANGED, SAME
from reports.commands.output import print_lines
from reports.history import record_paths

RELEASES = "a directory with one record of each release (%(default)s)"
"""The help of ``--records`` for a page about releases."""

STATUSES = {
    SAME: "the page was written; with --check, it is up to date",
    CHANGED: "with --check: the page is not what the records give",
}
"""The exit statuses of such a command."""


def add_arguments(
    parser: argparse.ArgumentParser, records: Path, page: Path, records_help: str = RELEASES
) -> None:
    """Add ``--records``, ``--output`` and ``--check``; ``records`` and ``page`` are the defaults."""
    parser.add_argument("--records", metavar="DIR", type=Path, default=records, help=records_help)
    parser.add_argument(
        "-o", "--output", metavar="FILE", default=page, help="the page (%(default)s)"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 where the page differs"
    )


def write_or_check(text: str, options: argparse.Namespace, command: str) -> int:
    """Write the page, or with ``--check`` compare it; return the exit status.

    ``command``: what the message about a page that is out of date tells the reader to run.
    """
    page = text.encode("utf-8", "backslashreplace")
    if not options.check:
        destination.check(options.output)
        destination.require_other(options.output, record_paths(options.records))
        destination.require_page(options.output)
        destination.write(options.output, page)
        return SAME
    if destination.holds(options.output, page):
        return SAME
    print_lines([f"{options.output}: is not what the records give; run: {command}"])
    return CHANGED
