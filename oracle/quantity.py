"""Numbers of every channel with their budgets, computed when somebody looks at them.

NumPy costs by the call, hardly by the number, and a batch has a dozen channels. So whatever is
wanted is computed together, kind by kind: see ``settle``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Dict, Hashable, Iterable, List, NamedTuple, Optional, Sequence, Set

import numpy as np

from oracle.arithmetic import DoubleDouble


class Source(ABC):
    """What quantities are computed from.

    ``needs``: the quantities that must be there before. ``depth``: more than that of any source of
    these. ``kind``: sources of one class and one kind can be computed together.
    """

    needs: Sequence[Quantity]
    depth: int
    kind: Hashable

    @classmethod
    @abstractmethod
    def compute(cls, sources: Sequence[Any]) -> None:
        """Gives the quantities of all these sources, which are of one kind, their numbers."""


class Numbers(NamedTuple):
    """The values, shape (C,) or (K, C) for K quantities at once, and their budgets, of the same shape."""

    value: DoubleDouble
    budget: np.ndarray


class Quantity:
    """Values of one quantity for every channel, and how far a correct implementation may be off.

    ``channels``: how many, C. ``nonnegative``: no correct implementation gets a value below 0.
    ``value``: shape (C,). ``budget``: absolute, shape (C,), 0 where every way to compute the value
    gives the same bits, NaN where the value is not finite, infinite where any value conforms.
    Compared and cached by identity.
    """

    __slots__ = ("channels", "nonnegative", "numbers", "source")

    def __init__(
        self,
        channels: int,
        nonnegative: bool,
        source: Optional[Source] = None,
        numbers: Optional[Numbers] = None,
    ) -> None:
        """Either the numbers are known or there is a source that computes them."""
        self.channels = channels
        self.nonnegative = nonnegative
        self.source = source
        self.numbers = numbers

    @property
    def depth(self) -> int:
        """That of its source, 0 where the numbers are known."""
        return 0 if self.source is None else self.source.depth

    @property
    def value(self) -> DoubleDouble:
        """The values, as if nothing was ever rounded."""
        return self.settled().value

    @property
    def budget(self) -> np.ndarray:
        """How far off each of them may be."""
        return self.settled().budget

    def become(self, numbers: Numbers) -> None:
        """Takes the numbers that its source has computed, and lets go of that."""
        self.numbers, self.source = numbers, None

    def settled(self) -> Numbers:
        """Both."""
        if self.numbers is None:
            settle((self,))
            assert self.numbers is not None
        return self.numbers


def known(value: DoubleDouble, budget: np.ndarray, nonnegative: bool = False) -> Quantity:
    """A quantity of these numbers."""
    return Quantity(len(budget), nonnegative, numbers=Numbers(value, budget))


def settle(quantities: Iterable[Quantity]) -> None:
    """Computes the numbers of all of them, and of all that they need."""
    levels: Dict[int, Dict[Hashable, List[Source]]] = {}
    met: Set[Source] = set()
    wanted = [each.source for each in quantities if each.source is not None]
    while wanted:
        source = wanted.pop()
        if source in met:
            continue
        met.add(source)
        wanted += [each.source for each in source.needs if each.source is not None]
        levels.setdefault(source.depth, {}).setdefault((type(source), source.kind), []).append(source)
    for depth in sorted(levels):
        for alike in levels[depth].values():
            type(alike[0]).compute(alike)


def stacked(quantities: Sequence[Quantity]) -> Numbers:
    """The numbers of K quantities of C channels in arrays of shape (K, C)."""
    rows = np.array([(*value, budget) for value, budget in (each.settled() for each in quantities)])
    return Numbers(DoubleDouble(rows[:, 0], rows[:, 1]), rows[:, 2])
