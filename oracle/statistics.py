"""Mean, biased and unbiased variance of each channel of a batch, and how exactly they can be had.

The mean of a channel runs over its n = N*H*W values (Ioffe & Szegedy 2015, section 3.2: spatial
positions count as further examples). The *biased* variance divides the sum of squared deviations
by n, the *unbiased* one by n - 1 (Bessel's correction).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import List, NamedTuple, Tuple

import numpy as np

from cases.inputs import Batch
from oracle import bounds
from oracle.arithmetic import DoubleDouble, exact_sums, ratio


@dataclass(frozen=True, eq=False)
class Quantity:
    """Values of one quantity for every channel, and how far a correct implementation may be off.

    ``value``: shape (C,). ``budget``: absolute, shape (C,), 0 where every way to compute the value
    gives the same bits, NaN where the value is not finite, infinite where any value conforms.
    ``nonnegative``: no correct implementation gets a value below 0. Compared and cached by identity.
    """

    value: DoubleDouble
    budget: np.ndarray
    nonnegative: bool = False


@dataclass(frozen=True, eq=False)
class Statistics:
    """What one batch says about its channels."""

    count: int
    mean: Quantity
    biased_variance: Quantity
    unbiased_variance: Quantity


class _Channel(NamedTuple):
    """Mean and variances as double-doubles, NaN where there are none; ``magnitude``: mean |x|."""

    mean: Tuple[float, float]
    biased: Tuple[float, float]
    unbiased: Tuple[float, float]
    magnitude: float


_NONE = (math.nan, 0.0)


def _nonfinite_channel(x: np.ndarray) -> _Channel:
    """IEEE 754 decides: inf - inf and NaN both leave a NaN variance."""
    with np.errstate(invalid="ignore"):
        return _Channel((float(np.sum(x)), 0.0), _NONE, _NONE, math.inf)


def _finite_channels(x: np.ndarray) -> List[_Channel]:
    """Of every row of finite values, in integer arithmetic and rounded once, at the end.

    With exact sums no digit cancels, so the variance may be had from the sum of squares:
    n * (sum of squared deviations) = n * sum(x**2) - sum(x)**2.
    """
    count = x.shape[1]
    channels = []
    for total, sizes, squares, unit in exact_sums(x):
        deviations = count * squares - total * total
        unbiased = _NONE
        if count > 1:
            unbiased = ratio(deviations, count * (count - 1), -2 * unit)
        channels.append(
            _Channel(
                mean=ratio(total, count, -unit),
                biased=ratio(deviations, count * count, -2 * unit),
                unbiased=unbiased,
                magnitude=ratio(sizes, count, -unit)[0],
            )
        )
    return channels


def _channels(x: np.ndarray) -> List[_Channel]:
    finite = np.isfinite(x).all(axis=1)
    if finite.all():
        return _finite_channels(x)
    found = iter(_finite_channels(x[finite])) if finite.any() else iter(())
    return [next(found) if each else _nonfinite_channel(row) for each, row in zip(finite, x)]


@lru_cache(maxsize=2560)
def statistics(batch: Batch, plain_sums: bool = False) -> Statistics:
    """The statistics of every channel of a non-empty batch, shape (N, C, H, W).

    Computed once for each batch object; the budgets are those of ``oracle.bounds``. ``plain_sums``:
    allow for sums value by value whose rounding errors are not independent (a known defect).
    """
    n, c, h, w = batch.values.shape
    count = n * h * w
    rounding = bounds.Rounding.of(batch.values.dtype)
    by_channel = batch.values.astype(np.float64).transpose(1, 0, 2, 3).reshape(c, count)
    channels = _channels(by_channel)

    def pairs(values: List[Tuple[float, float]]) -> DoubleDouble:
        array = np.array(values, dtype=np.float64)
        return DoubleDouble(array[:, 0].copy(), array[:, 1].copy())

    mean = pairs([channel.mean for channel in channels])
    biased = pairs([channel.biased for channel in channels])
    unbiased = pairs([channel.unbiased for channel in channels])
    magnitude = np.array([channel.magnitude for channel in channels])
    provably = magnitude == 0  # sums of zeros
    if batch.exact:
        provably |= [
            math.isfinite(channel.magnitude)
            and bounds.exact_in_any_order(row, channel.mean[0], rounding.bits)
            for row, channel in zip(by_channel, channels)
        ]
    depth = float(count) if plain_sums else bounds.depth(count)
    with np.errstate(over="ignore", invalid="ignore"):
        mean_budget = bounds.mean(mean.high, magnitude, depth, rounding)
        biased_budget = bounds.biased_variance(biased.high, mean_budget, depth, rounding)
        unbiased_budget = bounds.unbiased_variance(unbiased.high, biased_budget, count, rounding)

    def quantity(value: DoubleDouble, budget: np.ndarray, nonnegative: bool) -> Quantity:
        budget[~np.isfinite(value.high)] = np.nan
        budget[provably] = 0.0
        return Quantity(value, budget, nonnegative)

    return Statistics(
        count=count,
        mean=quantity(mean, mean_budget, False),
        biased_variance=quantity(biased, biased_budget, True),
        unbiased_variance=quantity(unbiased, unbiased_budget, True),
    )
