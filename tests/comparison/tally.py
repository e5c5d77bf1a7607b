"""The comparisons and findings of one case."""

from __future__ import annotations

from collections import Counter
from typing import Dict, List, Mapping, Sequence, Tuple

from tests.comparison.judgement import Judgement, Margins, Mismatch, margins
from tests.subject.foreign import shown

Names = Tuple[str, ...]
"""Quantities that are compared together."""


class Tally:
    """Counts every comparison of a case and keeps its mismatches and judgements."""

    def __init__(self) -> None:
        self.mismatches: List[Mismatch] = []
        self._compared: Counter[Names] = Counter()
        self._agreeing: Dict[str, List[Judgement]] = {}

    def equal(self, names: Names, got: Sequence[object], want: Sequence[object]) -> None:
        """Compare values that must be equal and of one type, a value for each name."""
        self._compared[names] += 1
        for name, a, b in zip(names, got, want):
            if a is b or (type(a) is type(b) and (a == b or (a != a and b != b))):
                continue
            self.mismatches.append(Mismatch(name, (), shown(a), repr(b)))

    def matches(self, name: str, agrees: bool, got: str, want: str) -> None:
        """Count a comparison that was decided elsewhere; ``got`` and ``want`` are its texts."""
        self._compared[(name,)] += 1
        if not agrees:
            self.mismatches.append(Mismatch(name, (), got, want))

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
