"""The comparisons and findings of one case."""

from __future__ import annotations

from collections import Counter
from itertools import compress
from typing import Dict, List, Mapping, Sequence, Tuple

from reports.rows import MODULE
from tests.comparison.judgement import Judgement, Margins, Mismatch, margins
from tests.comparison.promises import kept, promised
from tests.subject.foreign import safe_repr

Names = Tuple[str, ...]
"""Quantities that are compared together."""


class Tally:
    """Counts every comparison of a case and keeps its mismatches and judgements.

    ``promise``: what is not promised is neither compared nor counted.
    """

    def __init__(self, promise: str = MODULE) -> None:
        self.promise = promise
        self.mismatches: List[Mismatch] = []
        self._compared: Counter[Names] = Counter()
        self._agreeing: Dict[str, List[Judgement]] = {}

    def equal(self, names: Names, got: Sequence[object], want: Sequence[object]) -> None:
        """Compare values that must be equal and of one type, a value for each name."""
        if self.promise != MODULE:
            chosen = kept(names, self.promise)
            names = tuple(compress(names, chosen))
            got, want = tuple(compress(got, chosen)), tuple(compress(want, chosen))
        self._compared[names] += 1
        for name, a, b in zip(names, got, want):
            if a is b or (type(a) is type(b) and (a == b or (a != a and b != b))):
                continue
            self.mismatches.append(Mismatch(name, (), safe_repr(a), repr(b)))

    def matches(self, name: str, agrees: bool, got: str, want: str) -> None:
        """Count a comparison that was decided elsewhere; ``got`` and ``want`` are its texts."""
        if not self.promises(name):
            return
        self._compared[(name,)] += 1
        if not agrees:
            self.mismatches.append(Mismatch(name, (), got, want))

    def promises(self, name: str) -> bool:
        """Whether the subject is held to the quantity."""
        return self.promise == MODULE or promised(name, self.promise)

    def lacks(self, name: str, because: str, instead: str) -> None:
        """Note that the promised numbers ``name`` are not there; ``instead``: what is there, as a text.

        ``because``: the quantity whose comparison has found this already, if the promise includes it.
        """
        if not self.promises(because):
            self.matches(name, False, instead, "numbers")

    def judged(self, name: str, judgement: Judgement) -> None:
        """Count an array that was judged."""
        self._compared[(name,)] += 1
        if judgement.mismatch is not None:
            self.mismatches.append(judgement.mismatch)
        else:
            self._agreeing.setdefault(name, []).append(judgement)

    @property
    def compared(self) -> Mapping[str, int]:
        """Return how often each quantity was compared."""
        counts: Counter[str] = Counter()
        for names, times in self._compared.items():
            for name in names:
                counts[name] += times
        return counts

    def margins(self) -> Dict[str, Margins]:
        """Return how close each quantity came to its budgets, over the arrays that agree."""
        return {name: margins(judgements) for name, judgements in self._agreeing.items()}
