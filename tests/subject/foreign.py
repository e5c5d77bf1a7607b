"""Descriptions of what foreign code raised or left behind; needs no torch."""

from __future__ import annotations

import traceback


def said(error: BaseException) -> str:
    """Return the exception's class and the first line of its message, even if its __str__ raises."""
    try:
        lines = str(error).strip().splitlines()
    except KeyboardInterrupt:
        raise
    except BaseException:  # the message is foreign code, too
        lines = []
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


def safe_repr(value: object) -> str:
    """Return the value's repr; if that raises, a text that names its type."""
    try:
        return repr(value)
    except KeyboardInterrupt:
        raise
    except BaseException:  # the value may be foreign code, too
        return f"a {type(value).__name__} that cannot be shown"


def raised_in_subject(error: BaseException) -> bool:
    """Whether the exception was raised while ``tests.subject`` drove or observed the subject."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__", "").startswith("tests.subject.") for frame, _ in frames)


def place(error: BaseException) -> str:
    """Return the place where the exception was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno} in {last.name}"
