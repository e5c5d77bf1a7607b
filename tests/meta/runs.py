"""Runs of the suite in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import List, NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Run(NamedTuple):
    """The exit status and everything that was printed."""

    status: int
    output: str

    @property
    def end(self) -> List[str]:
        """The lines after the progress of the tests."""
        lines = self.output.splitlines()
        progress = [n for n, line in enumerate(lines) if line.endswith("%]")]
        return lines[progress[-1] + 1 :] if progress else lines


def pytest_run(*arguments: str) -> Run:
    """``python -m pytest`` in the suite's folder."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return Run(ran.returncode, ran.stdout + ran.stderr)
