"""Input files read with stated limits: no file, however hostile, exhausts memory or hangs.

Only a regular file is read, and line by line. A device never ends and a pipe may never begin,
so both are refused; a compressed file is unpacked no further than the limits allow.
"""

from __future__ import annotations

import gzip
import json
import os
import stat
import zlib
from collections import Counter
from typing import BinaryIO, Dict, Iterator, List, Tuple, cast

from reports.errors import (
    DamagedGzip,
    MissingRecord,
    NotAFile,
    NotText,
    PathLike,
    RecordIsDirectory,
    RecordTooLarge,
    TruncatedGzip,
    UnreadableRecord,
)
from reports.visible import shortened

LINE = 1 << 24
"""The largest number of bytes of a line (16 MiB). The suite writes no row as long as that."""

TOTAL = 1 << 30
"""The largest number of bytes of a file (1 GiB), packed and unpacked. A shard of the full tier has about
25 MB."""

DIGITS = 1000
"""The largest number of digits of a whole number. Python's time to read one is quadratic in the
digits."""


def is_compressed(path: PathLike) -> bool:
    """Return whether a name says that its file is compressed."""
    return os.fspath(path).endswith(".gz")


def lines(path: PathLike, line: int = LINE, total: int = TOTAL) -> Iterator[Tuple[int, str]]:
    """Yield the number and the text of each line of a file, from 1, with its line end.

    Args:
        path: a regular file of UTF-8 text, compressed where the name ends in .gz.
        line: the most bytes of a line.
        total: the most bytes of the file, unpacked or not.

    Raises:
        RecordError: there is no such file, it is not a regular file, it cannot be read or
            unpacked, it is not text, or it is larger than the limits.
    """
    with _opened(path, total) as file:
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if is_compressed(path) else file
        size, number = 0, 0
        while True:
            number += 1
            content = _next_line(path, stream, line + 1)
            if not content:
                return
            size += len(content)
            if len(content) > line:
                raise RecordTooLarge(path, f"a line is longer than {line} bytes", number)
            if size > total:
                raise RecordTooLarge(path, f"unpacks to more than {total} bytes", number)
            yield number, _text(path, content, number)


def _opened(path: PathLike, total: int) -> BinaryIO:
    """Open a regular file; the flag keeps a pipe without a writer from blocking."""
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise MissingRecord(path, "there is no such file") from None
    except (OSError, ValueError) as error:  # ValueError: the name has a NUL or half a surrogate pair
        if os.fspath(path) and os.path.isdir(path):  # Windows refuses to open a directory
            raise RecordIsDirectory(path, "is a directory, not a record") from None
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnreadableRecord(path, f"cannot be read ({reason})") from None
    try:
        _require_regular(path, os.fstat(number), total)
        return os.fdopen(number, "rb")
    except BaseException:  # the file is closed, whatever the exception is, and the exception goes on
        os.close(number)
        raise


def _require_regular(path: PathLike, status: os.stat_result, total: int) -> None:
    """Raise the exception that says why a file of this status cannot be read."""
    if stat.S_ISDIR(status.st_mode):
        raise RecordIsDirectory(path, "is a directory, not a record")
    if not stat.S_ISREG(status.st_mode):
        raise NotAFile(path, "is a device or a pipe, not a file")
    if status.st_size > total:
        raise RecordTooLarge(path, f"has {status.st_size} bytes, more than {total}")


def _next_line(path: PathLike, stream: BinaryIO, size: int) -> bytes:
    try:
        return stream.readline(size)
    except EOFError:
        raise TruncatedGzip(path, "the compressed record ends early") from None
    except (OSError, zlib.error) as error:
        if is_compressed(path):
            raise DamagedGzip(path, f"is not gzip, or damaged ({error})") from None
        raise UnreadableRecord(path, f"cannot be read ({error})") from None


def _text(path: PathLike, content: bytes, number: int) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotText(path, f"is not UTF-8 text ({error.reason})", number) from None


def parsed(text: str) -> object:
    """Return the value that a JSON text describes.

    Raises:
        ValueError: it is not standard JSON, an object has a name twice, or a number has too many digits.
    """
    try:
        value: object = json.loads(
            text, parse_constant=_refuse_constant, parse_int=_integer, object_pairs_hook=_distinct
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _distinct(pairs: List[Tuple[str, object]]) -> Dict[str, object]:
    """Return the object of these pairs; a person who edits one may leave a field in it twice."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the field {shortened(twice, 60)!r} stands in it twice")
    return fields


def _integer(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)
