"""The values of one tensor, one value per channel, with the budget of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True, eq=False)
class Budgeted:
    """One value for every channel, and how far a correct implementation may be from it.

    ``values``: float64, shape (C,), as if nothing was ever rounded; the rounding of the oracle itself is
    part of the budget. ``budget``: absolute, shape (C,); 0 where every way to compute the value gives the
    same bits, NaN where the value is not finite, infinite where any value conforms. ``nonnegative``: no
    correct implementation gets a value below 0. Compared by identity.
    """

    values: np.ndarray
    budget: np.ndarray
    nonnegative: bool = False

    @property
    def channels(self) -> int:
        """The number of channels, C."""
        return len(self.values)


def known(values: np.ndarray) -> Budgeted:
    """Return numbers that a step writes into a tensor: float64, shape (C,), with a budget of 0."""
    return Budgeted(values, np.zeros(len(values)), bool((values >= 0).all()))


def undetermined(numbers: Budgeted) -> Budgeted:
    """Return numbers in whose place any value conforms."""
    return Budgeted(numbers.values, np.full(numbers.channels, np.inf), numbers.nonnegative)


@lru_cache(maxsize=256)
def constant(value: float, channels: int) -> Budgeted:
    """Return the value in every channel, with a budget of 0."""
    return known(np.full(channels, value))
