"""Mean, biased and unbiased variance of each channel of a batch.

The mean of a channel runs over its n = N*H*W values (Ioffe & Szegedy 2015, section 3.2: spatial
positions count as further examples). The *biased* variance divides the sum of squared deviations
by n, the *unbiased* one by n - 1 (Bessel's correction).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from cases.inputs import Batch
from oracle.numerics import bounds, exact_sums
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.devices import CPU, extra
from oracle.numerics.exactness import exact_in_any_order
from oracle.numerics.formats import FORMATS


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and variances of a batch, each of shape (C,). ``count``: n, the number of values a channel."""

    count: int
    mean: Budgeted
    biased_variance: Budgeted
    unbiased_variance: Budgeted


class Moments(NamedTuple):
    """Mean and variances of one channel; ``magnitude``: mean |x|."""

    mean: float
    biased: float
    unbiased: float
    magnitude: float


def moments(x: np.ndarray) -> Moments:
    """Return the moments of float64 values, shape (n,), from exactly rounded sums.

    A channel that is not finite follows IEEE 754: inf - inf and NaN both make the variance NaN. The
    unbiased variance of a single value is NaN.
    """
    n = len(x)
    if not np.isfinite(x).all():
        with np.errstate(invalid="ignore"):
            return Moments(float(x.sum()), math.nan, math.nan, math.inf)
    mean = exact_sums.average(x)
    with np.errstate(over="ignore"):
        squares = (x - mean) ** 2
    squared_deviations = exact_sums.total(squares)
    return Moments(
        mean=mean,
        biased=squared_deviations / n,
        unbiased=squared_deviations / (n - 1) if n > 1 else math.nan,
        magnitude=exact_sums.average(np.abs(x)),
    )


def by_channel(values: np.ndarray) -> np.ndarray:
    """Return a batch of shape (N, C, H, W) in float64, shape (C, N*H*W)."""
    channels = values.transpose(1, 0, 2, 3).astype(np.float64)
    return channels.reshape(values.shape[1], -1)


@lru_cache(maxsize=512)
def statistics(
    batch: Batch, sums_exactly: bool, any_order: bool = False, device: str = CPU
) -> Statistics:
    """Return the statistics of every channel of a non-empty batch, (N, C, H, W), with their budgets.

    ``sums_exactly``: the implementation does not round where no operation has to; the budget of a channel
    of the exact lane is then 0. ``any_order``: only the bound for sums in any order holds, because the
    roundings are not independent. ``device``: where they are computed. Any statistics conform in a
    channel in which the sum of the values may exceed the format of the arithmetic, and any variance where
    a rounding decides whether the sum of the squares does.
    """
    fmt = FORMATS[batch.dtype].arithmetic
    channels = by_channel(batch.values)
    n = channels.shape[1]
    mean, biased, unbiased, magnitude = np.array([moments(x) for x in channels]).T
    depth = float(n) if any_order else bounds.depth(n)
    with np.errstate(over="ignore", invalid="ignore"):
        divided = bounds.gamma(extra(device, fmt).quotient, fmt.unit)
        mean_budget = bounds.mean(mean, magnitude, depth, fmt) + divided * np.abs(mean)
        biased_budget = bounds.biased_variance(biased, mean, mean_budget, depth, fmt)
        biased_budget += divided * biased
        unbiased_budget = bounds.unbiased_variance(unbiased, biased_budget, n, fmt)
        unbiased_budget += divided * unbiased
        overflows = np.isfinite(mean) & (n * magnitude > fmt.largest)
        least, most = n * (biased - biased_budget), n * (biased + biased_budget)
        squares_overflow = overflows | ((least <= fmt.largest) & (most > fmt.largest))
    exact = magnitude == 0  # sums of zeros
    if batch.exact and sums_exactly:
        exact |= [exact_in_any_order(x, m, fmt.bits) for x, m in zip(channels, mean)]

    def budgeted(
        values: np.ndarray, budget: np.ndarray, anything: np.ndarray, nonnegative: bool
    ) -> Budgeted:
        budget = np.where(np.isfinite(values), budget, np.nan)
        budget = np.where(anything, np.inf, np.where(exact, 0.0, budget))
        values = np.where(anything, np.minimum(values, fmt.largest), values)
        return Budgeted(values, budget, nonnegative)

    return Statistics(
        count=n,
        mean=budgeted(mean, mean_budget, overflows, False),
        biased_variance=budgeted(biased, biased_budget, squares_overflow, True),
        unbiased_variance=budgeted(unbiased, unbiased_budget, squares_overflow, True),
    )
