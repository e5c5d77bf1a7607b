"""The Python files of the suite, as texts and syntax trees."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple, Tuple

ROOT = Path(__file__).parents[2]
FOLDERS = ("cases", "oracle", "reports", "tests")
PACKAGING = ".packaging"


class Source(NamedTuple):
    """A file: its path, bytes and syntax tree."""

    path: str
    data: bytes
    tree: ast.Module

    def __repr__(self) -> str:
        return self.path


def _sources() -> Tuple[Source, ...]:
    files = [each for folder in (*FOLDERS, PACKAGING) for each in (ROOT / folder).rglob("*.py")]
    files += ROOT.glob("*.py")
    named = sorted((each.relative_to(ROOT).as_posix(), each.read_bytes()) for each in files)
    return tuple(Source(path, data, ast.parse(data)) for path, data in named)


SOURCES = _sources()
"""Every Python file of the suite."""

CORE = tuple(
    source for source in SOURCES if not source.path.startswith(("tests/meta/", "tests/benchmark/", "noxfile"))
)
"""The suite without its own tests and its benchmark."""
