"""Runs a script as a user would paste it, in a namespace of its own."""

from __future__ import annotations

import contextlib
import io


def printed(script: str) -> str:
    """What the script prints; ends in the exception's class and message if it raises."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            exec(compile(script, "<standalone>", "exec"), {"__name__": "standalone"})
        except Exception as error:  # whatever the subject raises is the answer
            print(f"{type(error).__name__}: {error}")
    return output.getvalue()
