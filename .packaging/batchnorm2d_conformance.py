"""The command that ``pip install`` of this repository installs; it says how the suite is run."""

from __future__ import annotations

import sys

USAGE = """The BatchNorm2d conformance suite runs from a clone of its repository, not from site-packages.
What it needs is installed with this command: torch, NumPy, pytest and pytest-xdist. In the clone:

  python -m pytest                                     the gate, on the torch of this environment
  python -m pytest -n 2                                the same in two processes
  python -m pytest --subject package.module:Class      the gate, on a module of yours
  python -m pytest --help                              every option, under "BatchNorm2d conformance"

README.md in the clone says the rest.
"""


def main() -> int:
    """Print how the suite is run."""
    sys.stdout.write(USAGE)
    return 0
