"""``python -m reports diff``: what changed from one record to another."""

from __future__ import annotations

import argparse

from reports import accepted, releases
from reports.commands.command import CHANGED, SAME, Command
from reports.commands.output import print_lines
from reports.comparison import compare
from reports.diff import diff_lines
from reports.joining import joined
from reports.record import read


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="OLD", help="a record")
    parser.add_argument("new", metavar="NEW", help="a record of the same tier and seed")
    parser.add_argument(
        "--fail-on",
        choices=["numerics"],
        help="exit with 1 as well where nothing but bytes changed",
    )
    parser.add_argument("--all", action="store_true", help="show every case of every group")
    parser.add_argument(
        "--accepted",
        metavar="FILE.json",
        help="exit with 1 only where NEW has findings that are not accepted, or accepted causes are gone",
    )


def _run(options: argparse.Namespace) -> int:
    old, new = joined(read(options.old), read(options.new))
    comparison = compare(old, new)
    numerics = options.fail_on == "numerics" and comparison.numerics.changed > 0
    lines = diff_lines(old, new, comparison, releases.sentences(), show_all=options.all)
    if options.accepted is not None:
        kept = accepted.read(options.accepted)
        kept.require_subject(new.header, options.accepted)
        wrong = accepted.difference_lines(kept, new.header, new.rows)
        print_lines([*lines, "", *wrong])
        return CHANGED if wrong[1:] or numerics else SAME
    print_lines(lines)
    return CHANGED if comparison.matters or numerics else SAME


COMMAND = Command(
    description="Say what changed from one record to another, grouped by kind: verdicts, exceptions, "
    "known defects, semantics, cases that only one record has, numerics.",
    examples=(
        (
            "diff reports/records/torch-2.5.jsonl.gz reports/records/torch-2.13.jsonl.gz",
            "what a change from torch 2.5 to 2.13 brings",
        ),
        ("diff --fail-on numerics old.jsonl.gz new.jsonl.gz", "a gate that changed bytes fail, too"),
    ),
    statuses={
        SAME: "nothing that a user must know about changed",
        CHANGED: "something did; with --accepted, a finding is new or an accepted cause is gone",
    },
    arguments=_arguments,
    run=_run,
)
