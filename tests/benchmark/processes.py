"""Runs programs in processes of their own and measures what they take."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Collection, NamedTuple, Sequence

ROOT = Path(__file__).parents[2]
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")


class Took(NamedTuple):
    """The cost of a process: wall seconds, CPU seconds of it and its children, and its output."""

    seconds: float
    cpu: float
    output: str


def run(command: Sequence[str], statuses: Collection[int] = (0,), cwd: Path = ROOT) -> Took:
    """Run a command; raises RuntimeError when it ends with a status other than those expected.

    Byte code is kept from run to run, as it is by default.
    """
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile("w+") as output:
        before, start = os.times(), time.perf_counter()
        done = subprocess.run(
            command, cwd=str(cwd), env=variables, stdout=output, stderr=subprocess.STDOUT, check=False
        )
        seconds, after = time.perf_counter() - start, os.times()
        output.seek(0)
        text = output.read()
    if done.returncode not in statuses:
        raise RuntimeError(f"{' '.join(command)} exited with {done.returncode}:\n{text[-800:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Took(seconds, cpu, text)


def python(code: str) -> Took:
    """Run a Python program."""
    return run([sys.executable, "-c", code])
