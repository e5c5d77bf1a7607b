"""The command line: ``python -m reports diff | show | accept | html | releases``.

Exit status: 0 if there is nothing to report; 1 if something changed or is out of date; 2 if input or
output cannot be used, with one line on standard error that says what is wrong and what to do.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Callable, List, NoReturn, Optional, Sequence

from reports import accepted, destination, releases
from reports.causes import SCREEN, cause_lines, causes
from reports.comparison import compare, require_finished
from reports.diff import diff_lines
from reports.errors import ReportError, UnwritableOutput
from reports.history import read_history
from reports.record import read
from reports.tally import counted, summary_lines
from reports.visible import one_line, visible
from reports.webpage import webpage

SAME, CHANGED, UNUSABLE = 0, 1, 2


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one command and return the exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except ReportError as error:
        print(f"python -m reports: {error}", file=sys.stderr)
    except MemoryError:
        print("python -m reports: the input is too large for the memory of this machine", file=sys.stderr)
    return UNUSABLE


class _Parser(argparse.ArgumentParser):
    """A parser whose error messages show what was given with control characters made visible."""

    def error(self, message: str) -> NoReturn:
        super().error(one_line(message))


def _add_diff(commands: Any) -> None:
    diff = commands.add_parser(
        "diff",
        help="say what changed from one record to another",
        description="Exit status 0: nothing a user must know about changed; 1: something did; "
        "2: the records cannot be used.",
    )
    diff.add_argument("old", metavar="OLD", help="a record")
    diff.add_argument("new", metavar="NEW", help="a record of the same tier and seed")
    diff.add_argument(
        "--fail-on",
        choices=["numerics"],
        help="exit with 1 as well where nothing but bytes changed",
    )
    diff.add_argument("--all", action="store_true", help="show every case of every group")
    diff.add_argument(
        "--accepted",
        metavar="FILE.json",
        help="exit with 1 only where NEW has findings that are not accepted, or accepted causes are gone",
    )
    diff.set_defaults(command=_diff)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m reports",
        description="Read, compare and render the records that pytest --report=FILE writes.",
    )
    commands = parser.add_subparsers(title="commands", dest="name", required=True)

    _add_diff(commands)
    show = commands.add_parser("show", help="print the summary of a record and its causes")
    show.add_argument("record", metavar="RECORD")
    show.add_argument("--all", action="store_true", help="show every cause")
    show.set_defaults(command=_show)

    accept = commands.add_parser(
        "accept",
        help="write the causes of a record as accepted, for pytest --accepted",
        description="Reasons that the file holds already are kept. Fill in the others and commit it.",
    )
    accept.add_argument("record", metavar="RECORD")
    accept.add_argument("-o", "--output", metavar="FILE.json", required=True)
    accept.set_defaults(command=_accept)

    html = commands.add_parser("html", help="write a record as a web page (needs jinja2)")
    html.add_argument("record", metavar="RECORD")
    html.add_argument("-o", "--output", metavar="FILE", required=True)
    html.set_defaults(command=_html)

    page = commands.add_parser("releases", help="write RELEASES.md from the records in a directory")
    page.add_argument("--records", metavar="DIR", type=Path, default=releases.DIRECTORY)
    page.add_argument("-o", "--output", metavar="FILE", type=Path, default=releases.PAGE)
    page.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 where the page differs"
    )
    page.set_defaults(command=_releases)
    return parser


def _diff(options: argparse.Namespace) -> int:
    old, new = read(options.old), read(options.new)
    comparison = compare(old, new)
    lines = diff_lines(old, new, comparison, releases.sentences(), show_all=options.all)
    if options.accepted is not None:
        kept = accepted.read(options.accepted)
        kept.require_subject(new.header, options.accepted)
        wrong = accepted.difference_lines(kept, new.header, new.rows)
        _print([*lines, "", *wrong])
        return CHANGED if wrong[1:] else SAME
    _print(lines)
    numerics = options.fail_on == "numerics" and comparison.numerics.changed > 0
    return CHANGED if comparison.matters or numerics else SAME


def _show(options: argparse.Namespace) -> int:
    record = read(options.record)
    lines = summary_lines(record.header, record.rows)
    found = causes(record.rows)
    if found:
        limit = sys.maxsize if options.all else SCREEN
        lines += ["", *cause_lines(found, limit, record.header.options)]
    if record.footer.exit not in (0, 1):
        lines.append(
            f"the run did not finish (pytest exit status {record.footer.exit}): cases may be missing"
        )
    _print(lines)
    return SAME


def _accept(options: argparse.Namespace) -> int:
    record = read(options.record)
    require_finished(record)
    before = accepted.earlier(options.output, record.header)
    written = accepted.accept(record.header, record.rows, before)
    accepted.write(options.output, written)
    count = counted(len(written.causes), "cause")
    _print([f"{options.output}: accepts {count}; say why in each 'reason', and commit it"])
    return SAME


def _html(options: argparse.Namespace) -> int:
    destination.write(
        options.output, webpage(read(options.record)).encode("utf-8", "backslashreplace")
    )
    return SAME


def _releases(options: argparse.Namespace) -> int:
    page = releases.page(read_history(options.records)).encode("utf-8", "backslashreplace")
    if not options.check:
        destination.write(options.output, page)
        return SAME
    if destination.holds(options.output, page):
        return SAME
    _print([f"{options.output}: is not what the records give; run: {releases.COMMAND}"])
    return CHANGED


def _print(lines: List[str]) -> None:
    """Print to standard output, whatever its encoding and whatever is in the lines.

    Raises:
        UnwritableOutput: the reader went away, the disk is full …
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    text = "\n".join(map(visible, lines)).encode(encoding, "backslashreplace").decode(encoding)
    try:
        print(text, flush=True)
    except OSError as error:
        _discard_output()
        raise UnwritableOutput(
            f"standard output: was closed or is full before all was written ({error.strerror})"
        ) from error


def _discard_output() -> None:
    """Point standard output at the null device, so that closing it at exit does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
