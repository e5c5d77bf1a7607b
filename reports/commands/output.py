"""Standard output of the commands."""

from __future__ import annotations

import os
import sys
from typing import Sequence

from reports.errors import UnwritableOutput
from reports.visible import visible


def print_lines(lines: Sequence[str]) -> None:
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
