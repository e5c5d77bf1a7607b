"""Runs a script as a user would: first in this process, then in a fresh one."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys

SECONDS = 60
"""The number of seconds that a script may take in a process of its own."""


def printed(script: str) -> str:
    """Run the script in this process; an exception's class and message end the text."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            exec(compile(script, "<standalone>", "exec"), {"__name__": "standalone"})
        except Exception as error:  # whatever the subject raises is the answer
            print(f"{type(error).__name__}: {error}")
    return output.getvalue()


def printed_in_a_fresh_process(script: str, seconds: float = SECONDS) -> str:
    """Run the script in a new interpreter that finds the same modules; an error gives its last line."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(each or os.getcwd() for each in sys.path),
        "PYTHONIOENCODING": "utf-8:backslashreplace",
    }
    try:
        ran = subprocess.run(
            [sys.executable, "-"],
            input=script.encode("utf-8"),
            env=environment,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"nothing within {seconds:g} s"
    said = ran.stdout.decode("utf-8", "replace")
    if ran.returncode:
        errors = ran.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"]
        said += f"{errors[-1]}\n"
    return said


def got(output: str) -> str:
    """Return what a script printed as got; everything where there is no such line."""
    lines = output.splitlines()
    return next((line[9:] for line in lines if line.startswith("got ")), " ".join(lines))
