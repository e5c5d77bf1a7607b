"""Where output goes: a file is replaced whole, or left as it was."""

from __future__ import annotations

import os
from pathlib import Path

from reports.errors import PathLike, UnwritableOutput


def check(path: PathLike) -> None:
    """Raise ``UnwritableOutput`` where ``write`` to ``path`` is bound to fail.

    For the start of a long run: a mistyped directory is reported before the run, not after.
    """
    target = _target(path)
    if os.path.isdir(target):
        raise UnwritableOutput(f"{path}: is a directory; give the name of a file")
    if not os.path.isdir(target.parent):
        raise UnwritableOutput(
            f"{path}: there is no directory {target.parent}; create it, or give another file"
        )
    checked = target if _is_special(target) else target.parent
    if not os.access(checked, os.W_OK):
        raise UnwritableOutput(f"{path}: no permission to write to {checked}; give another file")


def write(path: PathLike, content: bytes) -> None:
    """Put ``content`` at ``path``.

    A regular file is replaced in one step, so that a reader never meets half of it and a
    failure leaves the old file; anything else (a pipe, a device) is written to directly.

    Raises:
        UnwritableOutput: the directory is missing or closed to us, the disk is full …
    """
    check(path)
    target = _target(path)
    try:
        if _is_special(target):
            target.write_bytes(content)
        else:
            _replace(target, content)
    except OSError as error:
        raise UnwritableOutput(
            f"{path}: cannot be written ({error.strerror}); give another file"
        ) from error


def holds(path: PathLike, content: bytes) -> bool:
    """Return whether ``path`` is a readable file with exactly this content."""
    try:
        return Path(path).read_bytes() == content
    except OSError:
        return False


def _replace(target: Path, content: bytes) -> None:
    """Write beside ``target`` and rename; the file beside it never survives."""
    beside = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content)
        os.replace(beside, target)
    finally:
        if os.path.exists(beside):
            beside.unlink()


def _target(path: PathLike) -> Path:
    """Follow symbolic links, so that a link stays a link when its file is replaced."""
    return Path(os.path.realpath(path))


def _is_special(target: Path) -> bool:
    """Return whether ``target`` is a device or a pipe, which must not be renamed over."""
    return os.path.exists(target) and not os.path.isfile(target)
