"""``python -m reports html``: records as a page that needs no network."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import List

from reports import destination
from reports.commands.command import SAME, Command
from reports.commands.output import print_lines
from reports.errors import NoRecords, UnwritableOutput
from reports.history import PATTERN, record_paths
from reports.record import read
from reports.tally import counted

INDEX = "index.html"
"""The name of the page in a directory."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "records",
        metavar="RECORD",
        nargs="+",
        help=f"a record, or a directory whose records ({PATTERN}) are all taken",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE_OR_DIRECTORY",
        required=True,
        help=f"the page; in a directory, which is made where it is missing, it is {INDEX}",
    )


def _run(options: argparse.Namespace) -> int:
    target = _target(options.output)
    destination.check(target)
    paths = _paths(options.records)
    destination.require_other(target, paths)
    destination.require_page(target)
    records = [read(path) for path in paths]
    from reports.site import page  # after the records, which may be refused

    text = page.page(records).encode("utf-8", "backslashreplace")
    destination.write(target, text)
    size = len(text) / 1e6
    print_lines([f"{target}: {counted(len(records), 'record')}, {size:.1f} MB; open it in a browser"])
    return SAME


def _paths(given: List[str]) -> List[str]:
    """Return the paths of all records, those in a directory by name."""
    found: List[str] = []
    for each in given:
        inside = [str(path) for path in record_paths(Path(each))] if os.path.isdir(each) else [each]
        if not inside:
            raise NoRecords(
                f"{each}: holds no record ({PATTERN}); name one, or a directory that has some"
            )
        found += inside
    return found


def _target(output: str) -> str:
    """Return the file to write to; make the directory where one is meant.

    Raises:
        UnwritableOutput: the directory cannot be made.
    """
    plain = os.path.exists(output) and not os.path.isdir(output)
    separators = ("/", os.sep)
    if plain or not output or (os.path.splitext(output)[1] and not output.endswith(separators)):
        return os.path.join(output, INDEX) if os.path.isdir(output) else output
    try:
        os.makedirs(output, exist_ok=True)
    except (OSError, ValueError, RecursionError) as error:  # ValueError: a NUL; recursion: many parts
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnwritableOutput(
            f"{output}: the directory cannot be made ({reason}); give another"
        ) from error
    return os.path.join(output, INDEX)


COMMAND = Command(
    description="Write records as one page: behaviours by releases and implementations, cases to search "
    "and open, changes between any two columns, plots. The page is a single file that needs no network. "
    "It is made with jinja2 and matplotlib: python -m pip install jinja2 matplotlib.",
    examples=(
        ("html mine.jsonl.gz -o mine.html", "the page of one record"),
        ("html old.jsonl.gz new.jsonl.gz -o diff.html", "what changed, to read and to search"),
        ("html reports/records -o site", "all recorded releases, as site/index.html"),
    ),
    statuses={SAME: "the page was written"},
    arguments=_arguments,
    run=_run,
)
