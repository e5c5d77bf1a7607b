"""The type of a switch: one rule that some releases have and others do not have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

Release = Tuple[int, int]
"""The major and minor number of a torch release."""


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
        after_first = self.first is None or release >= self.first
        return after_first and (self.last is None or release <= self.last)
