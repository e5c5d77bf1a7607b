"""Values of which many are alike, as indices into tables: what makes the data of a page small."""

from __future__ import annotations

from typing import Dict, Generic, Hashable, List, Sequence, TypeVar

T = TypeVar("T", bound=Hashable)


class Table(Generic[T]):
    """The distinct values in the order in which they were given."""

    def __init__(self) -> None:
        self._places: Dict[T, int] = {}

    def place(self, value: T) -> int:
        """Return the place of a value; a new one comes last."""
        return self._places.setdefault(value, len(self._places))

    @property
    def values(self) -> List[T]:
        """The values, by place."""
        return list(self._places)


def fronts(texts: Sequence[str]) -> List[object]:
    """Return texts as pairs in one list: how many characters are those of the text before, and the rest.

    Of sorted ids, most characters are those of the id before.
    """
    packed: List[object] = []
    before = ""
    for text in texts:
        same = _same(before, text)
        packed += [same, text[same:]]
        before = text
    return packed


def repeats(values: Sequence[int]) -> List[int]:
    """Return integers in run-length encoding: each value followed by the length of its run."""
    packed: List[int] = []
    for value in values:
        if packed and packed[-2] == value:
            packed[-1] += 1
        else:
            packed += [value, 1]
    return packed


def _same(before: str, text: str) -> int:
    """Return the number of characters with which both texts begin."""
    shorter = min(len(before), len(text))
    return next((place for place in range(shorter) if before[place] != text[place]), shorter)
