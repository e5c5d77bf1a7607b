"""Text of unknown origin made safe to show, in one place for every renderer.

A record, an exception message or a file name may hold anything: escape sequences that a
terminal obeys, marks that reverse the direction of text, characters of no width, halves of
surrogate pairs, markup. Every such character is replaced by its escape, such as ``\\x1b`` or
``\\u202e``, so that it is seen and does nothing. Printable text is left as it is, and showing
the result again changes nothing.
"""

from __future__ import annotations

import re

LONGEST = 110
"""The largest number of characters of a line, where a renderer gives no other limit."""

_SPACES = re.compile(r"[ \t\r\n]+")

_LONG_WORD = re.compile(r"(\S{80})\S{400,}")

_BLANK = frozenset(
    (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *range(0x180B, 0x1810), 0x034F)
    + (0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0)
)
"""Characters that Unicode counts as printable and that show nothing."""


def visible(text: str) -> str:
    """Return ``text`` with every character that is not plainly printable as its escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def one_line(text: str) -> str:
    """Return ``text`` on one line: runs of spaces and line ends as one space, the rest visible."""
    return visible(_SPACES.sub(" ", text).strip(" "))


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return ``text`` on one line of at most ``longest`` characters, cut with "..."."""
    if len(text) > 4 * longest:  # the text beyond this point cannot be shown
        text = text[: 4 * longest] + "..."
    line = one_line(text)
    return line if len(line) <= longest else line[: longest - 3] + "..."


def short_words(text: str) -> str:
    """Return ``text`` with each word that is longer than any path cut, so that the rest is seen."""
    return _LONG_WORD.sub(r"\1...", text)


def _visible(character: str) -> str:
    if character.isprintable() and ord(character) not in _BLANK:
        return character
    return character.encode("unicode_escape").decode("ascii")
