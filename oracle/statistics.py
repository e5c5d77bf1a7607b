"""Mean, biased and unbiased variance of each channel of a batch, and how exactly they can be had.

The mean of a channel runs over its n = N*H*W values (Ioffe & Szegedy 2015, section 3.2: spatial
positions count as further examples). The *biased* variance divides the sum of squared deviations
by n, the *unbiased* one by n - 1 (Bessel's correction).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import List, NamedTuple, Sequence, Tuple

import numpy as np

from cases.inputs import Batch
from oracle import bounds
from oracle.arithmetic import SHORT, DoubleDouble, exact_sums, ratio
from oracle.quantity import Numbers, Quantity, Source


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


@lru_cache(maxsize=512)
def statistics(batch: Batch, plain_sums: bool = False) -> Statistics:
    """The statistics of every channel of a non-empty batch, shape (N, C, H, W).

    The same object for the same batch; the budgets are those of ``oracle.bounds``. ``plain_sums``:
    allow for sums value by value whose rounding errors are not independent (a known defect).
    """
    source = _Batch(batch, plain_sums)
    return Statistics(
        source.way.n, source.mean, source.biased_variance, source.unbiased_variance
    )


class _Batch(Source):
    """What ``statistics`` was asked for."""

    needs = ()
    depth = 0

    def __init__(self, batch: Batch, plain_sums: bool) -> None:
        n, c, h, w = batch.values.shape
        self.values = batch.values
        self.way = _Way(n * h * w, batch.dtype, batch.exact, plain_sums)
        # Of long rows there are few, and one batch of them fills a processor's cache.
        self.kind = self.way if n * h * w <= SHORT else (self.way, id(self))
        self.mean = Quantity(c, False, self)
        self.biased_variance = Quantity(c, True, self)
        self.unbiased_variance = Quantity(c, True, self)

    @classmethod
    def compute(cls, sources: Sequence[_Batch]) -> None:
        """The channels of all of them, a row each."""
        rows = [_by_channel(each.values) for each in sources]
        mean, biased, unbiased = _of_rows(np.concatenate(rows) if rows[1:] else rows[0], sources[0].way)
        start = 0
        for each in sources:
            stop = start + each.mean.channels
            each.mean.become(_part(mean, start, stop))
            each.biased_variance.become(_part(biased, start, stop))
            each.unbiased_variance.become(_part(unbiased, start, stop))
            start = stop


class _Way(NamedTuple):
    """How the statistics of a batch are had, apart from its numbers."""

    n: int
    dtype: str
    exact: bool
    plain_sums: bool


def _by_channel(values: np.ndarray) -> np.ndarray:
    """Shape (N, C, H, W) as float64 of shape (C, N*H*W)."""
    return values.transpose(1, 0, 2, 3).astype(np.float64, order="C").reshape(values.shape[1], -1)


def _part(numbers: Numbers, start: int, stop: int) -> Numbers:
    (high, low), budget = numbers
    return Numbers(DoubleDouble(high[start:stop], low[start:stop]), budget[start:stop])


def _pairs(values: List[Tuple[float, float]]) -> DoubleDouble:
    array = np.array(values, dtype=np.float64)
    return DoubleDouble(array[:, 0].copy(), array[:, 1].copy())


def _of_rows(rows: np.ndarray, way: _Way) -> Tuple[Numbers, Numbers, Numbers]:
    """Mean, biased and unbiased variance of each row."""
    channels = _channels(rows)
    mean = _pairs([channel.mean for channel in channels])
    biased = _pairs([channel.biased for channel in channels])
    unbiased = _pairs([channel.unbiased for channel in channels])
    magnitude = np.array([channel.magnitude for channel in channels])
    rounding = bounds.Rounding.of(np.dtype(way.dtype))
    depth = float(way.n) if way.plain_sums else bounds.depth(way.n)
    with np.errstate(over="ignore", invalid="ignore"):
        mean_budget = bounds.mean(mean.high, magnitude, depth, rounding)
        biased_budget = bounds.biased_variance(biased.high, mean_budget, depth, rounding)
        unbiased_budget = bounds.unbiased_variance(unbiased.high, biased_budget, way.n, rounding)
        provably = magnitude == 0  # sums of zeros
        if way.exact:
            provably |= bounds.exact_in_any_order(rows, mean.high, rounding.bits)

    def numbers(value: DoubleDouble, budget: np.ndarray) -> Numbers:
        budget[~np.isfinite(value.high)] = np.nan
        budget[provably] = 0.0
        return Numbers(value, budget)

    return numbers(mean, mean_budget), numbers(biased, biased_budget), numbers(unbiased, unbiased_budget)
