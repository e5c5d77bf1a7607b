"""The command line: ``python -m reports COMMAND``, or ``python FOLDER/reports COMMAND`` from anywhere.

Exit status: 0 if there is nothing to report; 1 if something changed or is out of date; 2 if input or
output cannot be used, with one line on standard error that says what is wrong and what to do.
``reports.commands.table`` lists the commands.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from pathlib import Path
from typing import Any, NoReturn, Optional, Sequence

if not __package__:  # run as a folder, which works from anywhere and under PYTHONSAFEPATH, too
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from reports.commands.command import UNUSABLE
from reports.commands.output import print_error, print_text
from reports.commands.table import COMMANDS
from reports.errors import ReportError
from reports.visible import one_line

PROGRAM = "python -m reports"

FOLDER = Path(__file__).resolve().parent

EPILOG = (
    f"{PROGRAM} COMMAND --help shows the arguments of a command, examples and exit statuses. In another "
    f"folder, or where PYTHONSAFEPATH is set, run the folder: python {FOLDER}"
)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one command and return the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = parser_for(words).parse_args(words)
        status: int = options.run(options)
        return status
    except ReportError as error:
        print_error(f"{PROGRAM}: {error}")
    except MemoryError:
        print_error(f"{PROGRAM}: the input is too large for the memory of this machine")
    return UNUSABLE


class _Parser(argparse.ArgumentParser):
    """A parser whose error messages are on one line, and whose help is whole or refused."""

    def print_help(self, file: Any = None) -> None:
        """Print the help; raise UnwritableOutput where standard output does not take it."""
        if file is not None:
            super().print_help(file)
        else:
            print_text(self.format_help().rstrip("\n"))

    def error(self, message: str) -> NoReturn:
        super().error(one_line(message))


def parser_for(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser that knows all commands by name, and the arguments of the given one."""
    parser = _Parser(
        prog=PROGRAM,
        description="Read, check, compare and render the records that pytest --report=FILE writes.",
        epilog=_wrapped(EPILOG),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", dest="name", metavar="COMMAND", required=True)
    given = next((word for word in words if not word.startswith("-")), None)
    for entry in COMMANDS:
        own = commands.add_parser(
            entry.name, help=entry.summary, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if entry.name == given:
            command = entry.load()
            own.description, own.epilog = _wrapped(command.description), command.epilog(PROGRAM)
            command.arguments(own)
            own.set_defaults(run=command.run)
    return parser


def _wrapped(text: str) -> str:
    """Return a description in lines as long as argparse's own."""
    width = shutil.get_terminal_size().columns - 2
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    sys.exit(main())
