"""The circumstances of findings, described by the words of case ids.

The words of an id are its axis values: ``matrix-affine-track-...-n2-float64`` has the words affine,
track, n2 and float64. For an id that spells a program, the words are its steps, with verb and layout
apart. The last word of an edge may be made of several axis values.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Set, Tuple

from reports.rows import FINDING, NOT_APPLICABLE, CaseRow

Words = FrozenSet[str]

MOST_WORDS = 3
"""The largest number of words that describe a region. More words say too little about a cause."""


class Region(NamedTuple):
    """The cases of one family whose ids have all of ``words``.

    ``whole``: whether the region contains all the cases in question, and not only those of one family.
    """

    family: str
    words: Tuple[str, ...]
    whole: bool


class Circumstances:
    """The words of the cases of a run, and which cases pass."""

    def __init__(self, rows: Iterable[CaseRow]) -> None:
        rows = tuple(rows)
        whole = {row.id: _split(row.id) for row in rows}
        counts = Counter(word for words in whole.values() for word in set(words))
        known = {word for word, count in counts.items() if count > 1}
        self.words: Dict[str, Words] = {
            case: frozenset(words).union(*(_parts(word, known) for word in words))
            for case, words in whole.items()
        }
        self._passing: Dict[str, List[Words]] = {}
        for row in rows:
            if row.outcome not in (FINDING, NOT_APPLICABLE):
                self._passing.setdefault(family(row.id), []).append(self.words[row.id])

    def shared(self, cases: Iterable[str]) -> Tuple[str, ...]:
        """Return the words that all ``cases`` have in common, sorted."""
        sets = [self.words[case] for case in cases]
        return tuple(sorted(frozenset.intersection(*sets))) if sets else ()

    def only(self, cases: Set[str]) -> Optional[Region]:
        """Return the region that contains all ``cases`` of one family and no passing case.

        The family is the one with most of ``cases``. Of the words that they share, those that exclude
        most of the passing cases are taken first, and no more than are needed. None where the shared
        words do not exclude every passing case, where that takes more than MOST_WORDS of them, where the
        family does not have most of the cases, or where there are too few cases to tell: only one, or no
        passing one.
        """
        counts = Counter(family(case) for case in cases)
        largest = max(sorted(counts), key=lambda name: counts[name])
        passing = self._passing.get(largest, [])
        if counts[largest] < 2 or 2 * counts[largest] <= len(cases) or not passing:
            return None
        shared = self.shared(case for case in cases if family(case) == largest)
        taken: List[str] = []
        while passing and len(taken) < MOST_WORDS and len(taken) < len(shared):
            word = min(shared, key=lambda each: sum(each in words for words in passing))
            taken.append(word)
            passing = [words for words in passing if word in words]
        return None if passing else Region(largest, tuple(taken), counts[largest] == len(cases))

    def within(self, case: str, region: Region) -> bool:
        """Return whether a case is in ``region``."""
        return family(case) == region.family and self.words[case].issuperset(region.words)


def family(case: str) -> str:
    """Return the first word of an id, which names its family."""
    return case.partition("-")[0]


def _split(case: str) -> List[str]:
    """Return the words of an id without its family, with the parts of spelled-out steps separate."""
    words = re.split("[-,]", case)[1:]
    return [part for word in words for part in _of_step(word)]


def _of_step(word: str) -> List[str]:
    """Return the parts of a step: "forward:b0.channels_last" gives itself, its verb and its layout."""
    if ":" not in word:
        return [word]
    verb, _, rest = word.partition(":")
    return [word, verb, *(part for part in rest.split(".")[1:] if not part.isdigit())]


def _parts(word: str, known: Set[str]) -> List[str]:
    """Return the axis values that ``word`` is made of: n8 in "channels_last_n8_untracked".

    ``known`` holds the words that several cases have. The longest of them is taken wherever
    one begins, so that no_bias is not read as bias.
    """
    pieces = word.split("_")
    found: List[str] = []
    start = 0
    while start < len(pieces):
        ends = range(len(pieces), start, -1)
        candidates = ((end, "_".join(pieces[start:end])) for end in ends)
        end, part = next(((end, each) for end, each in candidates if each in known), (start + 1, ""))
        if part:
            found.append(part)
        start = end
    return found
