"""A command: its arguments, its help and the function that runs it."""

from __future__ import annotations

import argparse
from typing import Callable, Mapping, NamedTuple, Tuple

SAME, CHANGED, UNUSABLE = 0, 1, 2
"""The exit statuses: nothing to report; something changed or is out of date; input or output cannot be
used."""

REFUSED = "an input or output cannot be used; one line on standard error says why and what to do"


class Command(NamedTuple):
    """A command of the command line.

    ``description``: sentences for ``--help``. ``examples``: pairs of the words behind the program and
    of what they do. ``statuses``: maps each exit status besides UNUSABLE to its meaning. ``arguments``
    adds the command's own arguments to a parser; ``run`` takes what was parsed and returns the exit
    status. It raises ``ReportError`` for what cannot be used.
    """

    description: str
    examples: Tuple[Tuple[str, str], ...]
    statuses: Mapping[int, str]
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]

    def epilog(self, program: str) -> str:
        """Return the end of the help: examples, and the meaning of each exit status."""
        lines = ["examples:"]
        for words, meaning in self.examples:
            lines += [f"  {program} {words}", f"      {meaning}"]
        lines += ["", "exit status:"]
        meanings = {**self.statuses, UNUSABLE: REFUSED}
        lines += [f"  {status}  {meanings[status]}" for status in sorted(meanings)]
        return "\n".join(lines)
