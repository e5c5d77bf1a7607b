"""``python -m reports releases``: RELEASES.md from the records of all releases."""

from __future__ import annotations

import argparse

from reports import releases
from reports.commands import page
from reports.commands.command import Command
from reports.history import read_history


def _arguments(parser: argparse.ArgumentParser) -> None:
    page.add_arguments(parser, releases.DIRECTORY, releases.PAGE)


def _run(options: argparse.Namespace) -> int:
    text = releases.page(read_history(options.records))
    return page.write_or_check(text, options, releases.COMMAND)


COMMAND = Command(
    description="Write the page that says what every recorded release of torch does, and what changed "
    "from each to the next.",
    examples=(
        ("releases", "write reports/RELEASES.md anew"),
        ("releases --check", "say whether the page is what the records give"),
    ),
    statuses=page.STATUSES,
    arguments=_arguments,
    run=_run,
)
