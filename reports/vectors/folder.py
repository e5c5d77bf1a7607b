"""The directory that vectors are written to: a new or empty one, or one with earlier vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, List, Set

from reports import destination, reading
from reports.errors import RecordError, UnwritableOutput
from reports.fields import as_object

MANIFEST = "manifest.json"
"""The file that names all others. It is removed first and written last, so that a directory without it is
known to be unfinished."""

UNFINISHED = "unfinished.json"
"""The file that takes the place of the manifest while the others are written."""

SIZE = 1 << 24
"""The largest number of bytes of a manifest (16 MiB)."""


def prepare(folder: Path) -> None:
    """Make the directory if there is none.

    Raises:
        UnwritableOutput: it cannot be made or written to, or it holds something else than vectors.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = _others(folder)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UnwritableOutput(
            f"{folder}: cannot be a directory of vectors ({reason}); give another directory"
        ) from None
    if others:
        raise UnwritableOutput(
            f"{folder}: holds {others[0]}, which is no file of vectors; give a new or an empty directory"
        )
    destination.check(folder / MANIFEST)


def write(folder: Path, files: Dict[str, bytes]) -> None:
    """Write all files, and remove the other files of earlier vectors.

    Raises:
        UnwritableOutput: a file cannot be written or removed.
    """
    earlier = _listed(folder) - {UNFINISHED}
    listed = dict.fromkeys(sorted(earlier | set(files)))
    destination.write(folder / UNFINISHED, json.dumps({"files": listed}).encode("ascii"))
    try:
        for name in sorted(earlier - set(files) | {MANIFEST}):
            if (folder / name).exists():
                (folder / name).unlink()
        for name in files:
            (folder / name).parent.mkdir(exist_ok=True)
        for name in sorted(files, key=lambda each: (each == MANIFEST, each)):
            destination.write(folder / name, files[name])
        (folder / UNFINISHED).unlink()
    except OSError as error:
        raise UnwritableOutput(
            f"{folder}: earlier vectors cannot be replaced ({error.strerror}); give another directory"
        ) from error


def _others(folder: Path) -> List[str]:
    """Return what belongs to no vectors: at the first level of the directory, or else below it."""
    listed = _listed(folder)
    first = {each.name for each in folder.iterdir()} - {name.partition("/")[0] for name in listed}
    if first:
        return sorted(first)
    below = list(folder.rglob("*"))
    links = sorted(each.relative_to(folder).as_posix() for each in below if each.is_symlink())
    if links:  # what they lead to lies elsewhere and would be replaced
        return links
    found = (each for each in below if not each.is_dir())
    return sorted({each.relative_to(folder).as_posix() for each in found} - listed)


def _listed(folder: Path) -> Set[str]:
    """Return the names of the files that a manifest in the directory lists, and its own."""
    found: Set[str] = set()
    for name in (MANIFEST, UNFINISHED):
        try:
            text = "".join(line for _, line in reading.lines(folder / name, SIZE, SIZE))
            files = as_object(reading.parsed(text)).get("files")
        except (RecordError, ValueError, TypeError):  # it is something else, and lists nothing
            continue
        if isinstance(files, dict):
            found |= {name, *(each for each in files if _inside(each))}
    return found


def _inside(name: str) -> bool:
    """Whether the name of a file stays inside of the directory."""
    parts = Path(name).parts
    return bool(parts) and ".." not in parts and not Path(name).is_absolute()
