"""What goes wrong with a case before anything runs."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Collection


class CaseError(ValueError):
    """A case id, a step or an input name that names nothing; the message says what is accepted."""


def nearest(given: str, accepted: Collection[str]) -> str:
    """A few of many accepted ids, the most similar ones, for a message of one line."""
    close = get_close_matches(given, accepted, n=3, cutoff=0.0)
    return f"{len(accepted)} are accepted, among them {', '.join(close)}"
