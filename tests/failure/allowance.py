"""The limit on whole reports in a process; further findings get a line.

A whole report shrinks the program and runs a script in a fresh process, which takes some seconds. A
module that is wrong everywhere would wait for thousands of them. No verdict depends on this.
"""

from __future__ import annotations

from typing import Set, Tuple

from reports.symptoms import Theme

MOST = 8
"""The number of whole reports that a process makes unless all are asked for."""


class Allowance:
    """Grants a whole report to the first finding of each symptom.

    ``everything``: grant it to every finding. ``fresh``: try scripts in a fresh process, too.
    """

    def __init__(self, everything: bool = False, fresh: bool = True) -> None:
        self.everything = everything
        self.fresh = fresh
        self._granted: Set[Tuple[Theme, ...]] = set()

    def grants(self, symptom: Tuple[Theme, ...]) -> bool:
        """Whether the next finding with this symptom gets a whole report; asking uses it up."""
        if self.everything:
            return True
        if symptom in self._granted or len(self._granted) >= MOST:
            return False
        self._granted.add(symptom)
        return True
