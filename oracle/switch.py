"""The type of a switch: one rule that some releases have and others do not have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

Release = Tuple[int, int]
"""The major and minor number of a torch release."""


def within(release: Release, first: Optional[Release], last: Optional[Release]) -> bool:
    """Whether a release lies from ``first`` to ``last``, both included; None is an open end."""
    return (first is None or first <= release) and (last is None or release <= last)


@dataclass(frozen=True)
class Switch:
    """A rule that depends on the release.

    ``first``: None means it held before the first release of the table. ``last``: None means it holds on
    the newest. ``source``: an issue or pull request, or "measured". ``masked_by``: switches under which
    this rule never applies.
    """

    name: str
    first: Optional[Release]
    last: Optional[Release]
    inside: str
    outside: str
    source: str
    masked_by: Tuple[str, ...] = ()

    def holds_on(self, release: Release) -> bool:
        """Whether ``release`` lies in the interval."""
        return within(release, self.first, self.last)
