"""Values with the budget of each, one per channel: those of a tensor, and sums of a backward."""

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


@dataclass(frozen=True, eq=False)
class Sums:
    """The two sums of each channel that the gradients are made of, with their budgets; shapes (C,).

    ``upstream``: sum g. ``products``: sum g*(x - m). ``count``: n, the number of values in a channel.
    Compared by identity.
    """

    upstream: np.ndarray
    upstream_budget: np.ndarray
    products: np.ndarray
    products_budget: np.ndarray
    count: int

    @property
    def upstream_mean(self) -> np.ndarray:
        """mean(g)."""
        return np.asarray(self.upstream / self.count)

    def q(self, inverse: np.ndarray) -> np.ndarray:
        """Return sum g*(x - m) / (n * s**2). ``inverse``: 1 / s."""
        return np.asarray(self.products * inverse**2 / self.count)


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
