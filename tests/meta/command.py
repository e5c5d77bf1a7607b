"""Runs of pytest in a process of their own, as a user starts them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Union

from tests.meta import forking

ROOT = Path(__file__).parents[2]
LOUD = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
PYTEST = (*LOUD, "-q")
REMEMBERING = (sys.executable, "-m", "pytest", "-q")
"""pytest with its header and progress; pytest without them; and pytest that remembers earlier runs."""

SMOKE = ("--tier", "smoke")
PART = (*SMOKE, "--shard", "1/30")
FEW = (*SMOKE, "-k", "edge-eps")
"""The options that select a dozen quick cases."""

ACTIONS = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY")
"""The variables by which GitHub Actions asks for a summary, unset for the runs of a test."""

TRIED_HERE = ("-p", "tests.meta.tried_here")
"""The options that try scripts of failures in the process of the run, to save the time of a fresh one."""

FAKES = "tests.meta.fakes"
HOSTILE = "tests.meta.hostile"
MATRIX = "matrix-affine-track-momentum_none-train_only-no_mutation-never-exact-n8-float32"
USAGE, UNJUDGED, NOTHING = 4, 3, 5
"""Exit statuses: an option cannot be used, a case could not be judged, no case was selected."""


class Ran(NamedTuple):
    """A finished run of pytest."""

    status: int
    output: str

    @property
    def lines(self) -> List[str]:
        """The lines that are not empty."""
        return [line for line in self.output.splitlines() if line.strip()]

    @property
    def end(self) -> List[str]:
        """The lines after the progress of the tests."""
        lines = self.output.splitlines()
        progress = [n for n, line in enumerate(lines) if line.endswith("%]")]
        return lines[progress[-1] + 1 :] if progress else lines

    @property
    def counts(self) -> Dict[str, int]:
        """The numbers in pytest's last line, such as that of ``passed``."""
        found = re.findall(r"(\d+) ([a-z]+)", self.lines[-1].partition(" in ")[0])
        return {word: int(number) for number, word in found}


def run(
    *arguments: str,
    plugins: str = "",
    path: str = "",
    cwd: Union[str, Path] = ROOT,
    variables: Optional[Dict[str, Optional[str]]] = None,
    command: Sequence[str] = PYTEST,
    fresh: bool = False,
) -> Ran:
    """Run pytest in a process of its own; ``plugins``: a folder to find ``-p`` plugins in.

    ``path``: a folder to find modules in, for workers too. ``variables``: environment variables that are
    set, or unset by None. ``fresh``: use a new interpreter; else torch may have been imported already,
    unless the variables are those of Python.
    """
    changed = {**({"PYTHONPATH": path} if path else {}), **(variables or {})}
    wanted = {**os.environ, **dict.fromkeys(ACTIONS), **changed}
    environment = {name: value for name, value in wanted.items() if value is not None}
    plain = tuple(command[1:3]) == ("-m", "pytest") and not any(each.startswith("PYTHON") for each in changed)
    if forking.POSSIBLE and plain and not fresh:
        folders = [str(cwd), plugins] if plugins else [str(cwd)]
        return Ran(*forking.run([*command[3:], *arguments], environment, folders))
    command = [*command, *arguments]
    if plugins:
        begin = f"import sys; sys.path.insert(0, {plugins!r}); import pytest; sys.exit(pytest.main())"
        command = [sys.executable, "-c", begin, *command[3:]]
    done = subprocess.run(
        command,
        cwd=str(cwd), env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout)


def crash(output: str) -> List[str]:
    """Return the lines that no user should see."""
    return re.findall(r".*(?:Traceback|INTERNALERROR|^E  ).*", output, re.MULTILINE)


def rows(record: Path) -> Dict[str, Dict[str, Any]]:
    """Maps a case id to its row of a record."""
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    return {line["id"]: line for line in lines if "id" in line}
