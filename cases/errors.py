"""The error for text that names no case, and the parts of its messages."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Collection, Sequence

QUOTED = 48
"""The number of characters of the given text that a message repeats."""

LISTED = 600
"""The largest number of characters of a list of accepted words that a message gives whole."""


class CaseError(ValueError):
    """The text is no case id, step or input name; the message says what is accepted."""


def quoted(given: str) -> str:
    """Return the text in quotes for a message of one line, shortened to its first QUOTED characters."""
    return repr(given if len(given) <= QUOTED else given[:QUOTED] + "...")


def one_of(given: str, accepted: Sequence[str], what: str) -> str:
    """Return the given word; raises CaseError where it is none of the accepted ones."""
    if given not in accepted:
        raise CaseError(f"{quoted(given)} is no {what}; {listed(given, accepted)}")
    return given


def listed(given: str, accepted: Collection[str]) -> str:
    """Return the accepted words for a message of one line; of a long list, the most similar ones."""
    text = ", ".join(accepted)
    return f"accepted: {text}" if len(text) <= LISTED else nearest(given, accepted)


def nearest(given: str, accepted: Collection[str]) -> str:
    """Return the three accepted words that are most similar to the given one, for a message of one line.

    Where none is similar, these are the first three.
    """
    close = get_close_matches(given[: 3 * QUOTED], accepted, n=3) or list(accepted)[:3]
    return f"{len(accepted)} are accepted, among them {', '.join(close)}"
