"""``python -m reports behaviour``: BEHAVIOUR.md from the specification and the records (needs NumPy)."""

from __future__ import annotations

import argparse

from reports import behaviour
from reports.commands import page
from reports.commands.command import CHANGED, Command
from reports.proofs import read_outcomes


def _arguments(parser: argparse.ArgumentParser) -> None:
    page.add_arguments(parser, behaviour.DIRECTORY, behaviour.PAGE)


def _run(options: argparse.Namespace) -> int:
    text = behaviour.page(read_outcomes(options.records))
    return page.write_or_check(text, options, behaviour.COMMAND)


COMMAND = Command(
    description="Write the page that answers everyday questions about BatchNorm2d, and says what every "
    "combination of construction, later change and mode does. Every sentence cites the cases that prove "
    "it.",
    examples=(
        ("behaviour", "write reports/BEHAVIOUR.md anew"),
        ("behaviour --check", "say whether the page is what the specification and the records give"),
    ),
    statuses={
        **page.STATUSES,
        CHANGED: "with --check: the page is not what the specification and the records give",
    },
    arguments=_arguments,
    run=_run,
)
