"""``python -m reports accept``: a file of findings that a team accepts."""

from __future__ import annotations

import argparse

from reports import accepted
from reports.commands.command import SAME, Command
from reports.commands.output import print_lines
from reports.comparison import require_finished
from reports.record import read
from reports.tally import counted


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("record", metavar="RECORD", help="a record of a finished run")
    parser.add_argument(
        "-o", "--output", metavar="FILE.json", required=True, help="where the causes are written"
    )


def _run(options: argparse.Namespace) -> int:
    record = read(options.record)
    require_finished(record)
    before = accepted.earlier(options.output, record.header)
    written = accepted.accept(record.header, record.rows, before)
    accepted.write(options.output, written)
    count = counted(len(written.causes), "cause")
    print_lines([f"{options.output}: accepts {count}; say why in each 'reason', and commit it"])
    return SAME


COMMAND = Command(
    description="Write the causes of a record's findings to a file, for pytest --accepted=FILE.json. "
    "Reasons that the file holds already are kept. Fill in the others and commit it.",
    examples=(("accept mine.jsonl.gz -o accepted.json", "accept all findings of this record"),),
    statuses={SAME: "the file was written"},
    arguments=_arguments,
    run=_run,
)
