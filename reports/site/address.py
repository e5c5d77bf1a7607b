"""Addresses within the page: a view, and what is chosen in it. ``templates/choice.js`` reads them."""

from __future__ import annotations

from urllib.parse import urlencode


def address(view: str, **choice: str) -> str:
    """Return the address of a view of the page, with choices."""
    return f"#{view}?{urlencode(choice)}" if choice else f"#{view}"
