"""Standard output and standard error of the commands."""

from __future__ import annotations

import os
import sys
from typing import Sequence, TextIO

from reports.errors import UnwritableOutput
from reports.visible import visible

_REMEDY = "send it to a file, or to a program that reads all of it"


def print_lines(lines: Sequence[str]) -> None:
    """Print to standard output, whatever its encoding and whatever is in the lines.

    Raises:
        UnwritableOutput: there is no standard output, its reader went away, the disk is full …
    """
    print_text("\n".join(map(visible, lines)))


def print_text(text: str) -> None:
    """Print a text of the suite's own, such as a help, to standard output; raise UnwritableOutput."""
    if sys.stdout is None:  # it was closed before Python began
        raise UnwritableOutput(f"standard output: is closed; {_REMEDY}")
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except OSError as error:
        _discard(sys.stdout)
        raise UnwritableOutput(
            f"standard output: was closed or is full before all was written ({error.strerror}); {_REMEDY}"
        ) from error


def print_error(line: str) -> None:
    """Print a line to standard error, if that can be written; else the exit status alone tells."""
    if sys.stderr is None:
        return
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)


def _discard(stream: TextIO) -> None:
    """Point a standard stream at the null device, so that closing it at exit does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
