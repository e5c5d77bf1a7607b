"""Markdown: tables, code spans, and text whose markup must not be acted on."""

from __future__ import annotations

import re
from typing import Iterable, List, Sequence

from reports.visible import one_line, visible

_MARKUP = re.compile(r"[\\`*_{}\[\]<>&|~]")
_TICKS = re.compile(r"`+")
_BAR = re.compile(r"(?<!\\)((?:\\\\)*)\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> List[str]:
    """Return the lines of a table: the first column to the left, the others centred."""
    rules = ["---"] + [":-:"] * (len(head) - 1)
    return [_row(head), _row(rules), *(_row(row) for row in rows)]


def code(text: str) -> str:
    """Return ``text`` as a code span, whatever is in it; an empty text stays empty."""
    if not text:
        return ""
    shown = visible(text)
    longest = max((len(run) for run in _TICKS.findall(shown)), default=0)
    if not longest:
        return f"`{shown}`"
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}"


def flat(text: str) -> str:
    """Return Markdown of our own on one line, without the character that ends a cell."""
    return _cell(one_line(text))


def plain(text: str) -> str:
    """Return text of unknown origin on one line, its markup shown and not acted on."""
    return _MARKUP.sub(r"\\\g<0>", one_line(text))


def _cell(text: str) -> str:
    """Escape each bar that is not escaped yet."""
    return _BAR.sub(r"\1\\|", text)


def _row(cells: Sequence[str]) -> str:
    return "| {} |".format(" | ".join(flat(cell) for cell in cells))
