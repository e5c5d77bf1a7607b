"""What can be said of what foreign code raised or left behind; needs no torch."""

from __future__ import annotations

import traceback


def said(error: BaseException) -> str:
    """The exception's class and the first line of its message, whatever its __str__ does."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # the message is foreign code, too
        lines = []
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


def shown(value: object) -> str:
    """The value's repr, if it has one."""
    try:
        return repr(value)
    except Exception:  # foreign code, as the value may be
        return f"a {type(value).__name__} that cannot be shown"


def met(error: BaseException) -> bool:
    """Whether it was raised while ``tests.subject`` drove or observed the subject."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__", "").startswith("tests.subject.") for frame, _ in frames)


def place(error: BaseException) -> str:
    """Where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno} in {last.name}"
