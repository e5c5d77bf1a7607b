"""Output to a file: the file is replaced as a whole, or left as it was."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Iterable, Optional, Tuple

from reports.errors import PathLike, UnwritableOutput

RECORDS = (".jsonl", ".jsonl.gz")
"""The endings of the name of a record."""


def check(path: PathLike, endings: Tuple[str, ...] = ()) -> None:
    """Raise ``UnwritableOutput`` where ``write`` to ``path`` cannot succeed.

    A long run calls it first, so that a mistyped name is reported before the run and not after it. It
    leaves no file behind and does not touch an existing one.

    Args:
        path: where output is to go.
        endings: the allowed endings of the name, if any; a device or a pipe may have any name.
    """
    name = os.fspath(path)
    if not name:
        raise UnwritableOutput("'': is no name; give the name of a file")
    if name.endswith(("/", os.sep)):
        raise UnwritableOutput(f"{name}: is the name of a directory; give the name of a file")
    status = _status(name)
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise UnwritableOutput(f"{name}: is a directory; give the name of a file")
    if status is not None and stat.S_ISFIFO(status.st_mode) and not name.startswith("/dev/"):
        raise UnwritableOutput(f"{name}: is a pipe, which may have no reader; give the name of a file")
    if status is not None and not os.access(name, os.W_OK):
        raise UnwritableOutput(f"{name}: no permission to write to it; give another file")
    if _is_special(status):
        return
    if endings and not name.endswith(endings):
        raise UnwritableOutput(f"{name}: does not end in {' or '.join(endings)}; give such a name")
    _require_writable(name, _target(name).parent)


def write(path: PathLike, content: bytes) -> None:
    """Write ``content`` to ``path``.

    A regular file is replaced in one step, so that a reader never sees half of it and a failure leaves
    the old file; the new one has the permissions of the old one. Anything else (a pipe, a device) is
    written to directly.

    Raises:
        UnwritableOutput: the directory is missing or not accessible, the disk is full …
    """
    check(path)
    status = _status(os.fspath(path))
    try:
        if _is_special(status):  # a pipe of the shell has no other name than the given one
            Path(path).write_bytes(content)
        else:
            _replace(_target(path), content, status)
    except OSError as error:
        raise UnwritableOutput(
            f"{os.fspath(path)}: cannot be written ({error.strerror}); give another file"
        ) from error


def require_other(path: PathLike, inputs: Iterable[PathLike]) -> None:
    """Raise ``UnwritableOutput`` where the output would replace one of the files that are read."""
    target = os.path.realpath(path)
    for each in inputs:
        if os.path.realpath(each) == target:
            raise UnwritableOutput(f"{os.fspath(path)}: is an input, too; give another file")


def require_page(path: PathLike) -> None:
    """Raise ``UnwritableOutput`` where a page would have the name of a record, and be read as one."""
    name = os.fspath(path)
    if name.endswith(RECORDS):
        raise UnwritableOutput(f"{name}: is the name of a record; give another name to a page")


def holds(path: PathLike, content: bytes) -> bool:
    """Return whether ``path`` is a readable regular file with exactly this content."""
    try:  # a device may have no end, and a pipe no beginning
        return os.path.isfile(path) and Path(path).read_bytes() == content
    except OSError:
        return False


def _status(name: str) -> Optional[os.stat_result]:
    """Return the status of the file that ``name`` leads to, None where there is no such file.

    Raises:
        UnwritableOutput: the name is too long, holds a NUL, leads through a file or through a
            cycle of links, or the directory is not accessible.
    """
    try:
        return os.stat(name)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnwritableOutput(f"{name}: cannot be written ({reason}); give another file") from None


def _require_writable(name: str, directory: Path) -> None:
    """Raise ``UnwritableOutput`` where no file can be made in ``directory``; it tries to make one."""
    if not os.path.isdir(directory):
        raise UnwritableOutput(
            f"{name}: there is no directory {directory}; create it, or give another file"
        )
    beside = _beside(directory)
    try:
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        beside.unlink()
    except OSError as error:
        raise UnwritableOutput(
            f"{name}: no file can be made in {directory} ({error.strerror}); give another file"
        ) from None


def _replace(target: Path, content: bytes, status: Optional[os.stat_result]) -> None:
    """Write a file beside ``target`` and rename it; if that fails, remove it.

    A new file has the permissions that the umask leaves. A file that replaces another is readable by its
    owner alone until it has the other's permissions.
    """
    beside = _beside(target.parent)
    permissions = 0o666 if status is None else 0o600
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(beside, flags, permissions), "wb") as file:
            file.write(content)
        if status is not None:
            os.chmod(beside, stat.S_IMODE(status.st_mode))
        os.replace(beside, target)
    finally:
        if os.path.exists(beside):
            beside.unlink()


def _beside(directory: Path) -> Path:
    """Return an unused name in the same directory, short even where the target's name is long."""
    return directory / f".{secrets.token_hex(8)}.part"


def _target(path: PathLike) -> Path:
    """Follow symbolic links, so that a link stays a link when its file is replaced."""
    return Path(os.path.realpath(path))


def _is_special(status: Optional[os.stat_result]) -> bool:
    """Return whether the path is a device or a pipe, which must not be replaced by renaming."""
    return status is not None and not stat.S_ISREG(status.st_mode)
