"""``python -m reports validate``: records against the published schema."""

from __future__ import annotations

import argparse
from typing import List

from reports.commands.command import CHANGED, SAME, Command
from reports.commands.output import print_lines
from reports.encoding import FORMAT
from reports.errors import RecordError
from reports.schema import MOST, SCHEMA, Validator, Validity
from reports.tally import counted


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("records", metavar="RECORD", nargs="+", help="records, whole files")


def _run(options: argparse.Namespace) -> int:
    validator, status = Validator(), SAME
    for path in options.records:
        validity = validator.check(path)
        print_lines(_lines(path, validity))
        if validity.faults:
            status = CHANGED
    return status


def _lines(path: str, validity: Validity) -> List[str]:
    """Return what is wrong with a record, or one line that says that nothing is."""
    if not validity.faults:
        return [f"{path}: a valid record of format {FORMAT} with {counted(validity.cases, 'case')}"]
    lines = [
        str(fault) if isinstance(fault, RecordError) else f"{path}:{fault}"
        for fault in validity.faults
    ]
    return [*lines, f"{path}: has more faults than these {MOST}"] if validity.more else lines


COMMAND = Command(
    description=f"Check whole records against the published JSON Schema, {SCHEMA.name} in the folder of "
    "the reports, and check that no line is missing, doubled or out of order. It needs jsonschema: "
    "python -m pip install jsonschema.",
    examples=(
        ("validate mine.jsonl.gz", "check a record"),
        ("validate reports/records/torch-2.12.jsonl.gz reports/records/torch-2.13.jsonl.gz", "check two"),
    ),
    statuses={
        SAME: "all records are valid",
        CHANGED: "a record is not; each fault is a line with file, line, field, and what is accepted",
    },
    arguments=_arguments,
    run=_run,
)
