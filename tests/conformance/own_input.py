"""Reads a batch of the user's own numbers: the file of ``--input``."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from tokenize import TokenError
from typing import Optional
from zipfile import BadZipFile

import numpy as np

from cases.case import Case
from cases.inputs.own import own
from cases.programs.spelled import names_own, with_own

LARGEST = 16 * 2**20
"""The largest number of bytes of a file."""

CHANNELS = LARGEST // 8
"""The largest number of channels: as many as the largest file has float64 numbers."""

ACCEPTED = (
    "accepted is a .npy file or a .json file with nested lists, of numbers in shape (N, C, H, W), "
    f"of at most {LARGEST // 2**20} MiB"
)


UNREADABLE = (
    (OSError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError, MemoryError, EOFError)
    + (SyntaxError, TokenError, BadZipFile, struct.error)
)
"""The exceptions that NumPy and json raise for files that are not what their names say."""


class InputError(ValueError):
    """The file cannot be used; the message says why and what is accepted, in one line."""


def read(path: str) -> np.ndarray:
    """Return the numbers of a file as float64, shape (N, C, H, W), C at least 1; raises InputError."""
    try:
        values = _numbers(Path(path))
    except InputError as error:
        raise InputError(f"{path!r}: {error}; {ACCEPTED}") from None
    except UNREADABLE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else _first_line(error)
        raise InputError(f"{path!r}: {reason}; {ACCEPTED}") from error
    return values


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    if "pickle" in str(error):  # NumPy takes any other file for a pickle
        return "not an array of numbers"
    return lines[0][:120] if lines else type(error).__name__


def _numbers(path: Path) -> np.ndarray:
    if path.suffix not in (".npy", ".json"):
        raise InputError("another kind of file")
    if not path.is_file():
        raise InputError("not a file" if os.path.lexists(str(path)) else "there is no such file")
    size = os.stat(path).st_size
    if size > LARGEST:
        raise InputError(f"{size:,} bytes are too many")
    with open(path, "rb") as file:
        if path.suffix == ".npy":
            values = np.asarray(np.load(file, allow_pickle=False))
            if values.dtype.kind != "O" and file.read(1):  # as numpy.save leaves, called twice
                raise InputError("something follows the array")
        else:
            text = file.read()
            if b"true" in text or b"false" in text:  # NumPy takes them for 1 and 0
                raise InputError("not everything in it is a number")
            values = np.asarray(json.loads(text, parse_int=float))
    if values.dtype.kind not in "fiu":
        raise InputError("not everything in it is a number, or rows differ in length")
    if values.ndim != 4 or not values.shape[1]:
        raise InputError(f"its shape is {values.shape}")
    if values.nbytes > LARGEST:
        raise InputError(f"{values.nbytes:,} bytes are too many")
    if values.shape[1] > CHANNELS:  # an empty batch has no bytes, but each channel has a weight
        raise InputError(f"{values.shape[1]:,} channels are too many")
    with np.errstate(over="ignore"):  # a longdouble may overflow
        return values.astype(np.float64)


def filled(case: Case, values: Optional[np.ndarray]) -> Case:
    """Return the case with the user's batch and its channels; the case itself if it names none."""
    if values is None or not names_own(case):
        return case
    return with_own(case, own(case.variant, values))
