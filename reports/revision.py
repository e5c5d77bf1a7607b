"""The revision of the suite: what a record says it was made by."""

from __future__ import annotations

import hashlib
from pathlib import Path

VERSION = "1.0.0"
SOURCES = ("cases", "oracle", "tests/compare.py", "tests/verdict.py", "tests/claim_checks.py")
"""What decides the outcomes."""


def suite_revision(root: Path) -> str:
    """The version and a digest of everything that decides outcomes, the same on every machine.

    ``root``: the folder that holds ``cases/`` and the rest.
    """
    digest = hashlib.sha256()
    for name in SOURCES:
        path = root / name
        for file in sorted(path.rglob("*.*")) if path.is_dir() else [path]:
            if file.suffix in (".py", ".txt"):
                digest.update(file.relative_to(root).as_posix().encode("utf-8"))
                digest.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return f"{VERSION}+{digest.hexdigest()[:12]}"
