"""Markdown tables."""

from __future__ import annotations

from typing import Iterable, List, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> List[str]:
    """Return the lines of a table: the first column to the left, the others centred."""
    rules = ["---"] + [":-:"] * (len(head) - 1)
    return [_row(head), _row(rules), *(_row(row) for row in rows)]


def code(text: str) -> str:
    """Return ``text`` as a code span."""
    return f"`{text}`"


def flat(text: str) -> str:
    """Return ``text`` on one line, without the character that ends a cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _row(cells: Sequence[str]) -> str:
    return "| {} |".format(" | ".join(flat(cell) for cell in cells))
