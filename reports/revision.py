"""The revision of the suite, which a record names."""

from __future__ import annotations

import hashlib
from pathlib import Path

VERSION = "1.1.0"
SOURCES = ("cases", "oracle")
"""The folders that decide which cases are run and what is expected of them."""


def suite_revision(root: Path) -> str:
    """Return the version and a digest of the cases and the oracle, the same on every machine.

    ``root``: the folder that holds ``cases/`` and the rest.
    """
    digest = hashlib.sha256()
    for name in SOURCES:
        path = root / name
        files = [file for file in path.rglob("*.*") if file.suffix in (".py", ".txt")]
        for file in sorted(files, key=lambda each: each.relative_to(root).as_posix()):
            digest.update(file.relative_to(root).as_posix().encode("utf-8"))
            digest.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return f"{VERSION}+{digest.hexdigest()[:12]}"
