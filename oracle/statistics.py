"""Mean, biased and unbiased variance of each channel of a batch, and how exactly they can be had.

The mean of a channel runs over its n = N*H*W values (Ioffe & Szegedy 2015, section 3.2: spatial
positions count as further examples). The *biased* variance divides the sum of squared deviations
by n, the *unbiased* one by n - 1 (Bessel's correction).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Sequence, Tuple, Union

import numpy as np

from cases.inputs import Batch
from oracle import bounds
from oracle.arithmetic import SHORT, DoubleDouble, exact_sums, ratios
from oracle.quantity import Numbers, Quantity, Source


@dataclass(frozen=True, eq=False)
class Statistics:
    """What one batch says about its channels."""

    count: int
    mean: Quantity
    biased_variance: Quantity
    unbiased_variance: Quantity


class _Moments(NamedTuple):
    """Of each row, shapes (R,): mean and variances, NaN where there are none; ``magnitude``: mean |x|."""

    mean: DoubleDouble
    biased: DoubleDouble
    unbiased: DoubleDouble
    magnitude: np.ndarray


def _finite_moments(x: np.ndarray) -> _Moments:
    """Of rows of finite values, from sums in integer arithmetic.

    With exact sums no digit cancels, so the variance may be had from the sum of squares:
    n * (sum of squared deviations) = n * sum(x**2) - sum(x)**2.
    """
    count = x.shape[1]
    sums = exact_sums(x)
    deviations = [count * each.squares - each.total * each.total for each in sums]
    exponents = np.array([-each.unit for each in sums], dtype=np.intc)
    unbiased = DoubleDouble(np.full(len(x), np.nan), np.zeros(len(x)))
    if count > 1:
        unbiased = ratios(deviations, count * (count - 1), 2 * exponents)
    return _Moments(
        mean=ratios([each.total for each in sums], count, exponents),
        biased=ratios(deviations, count * count, 2 * exponents),
        unbiased=unbiased,
        magnitude=ratios([each.sizes for each in sums], count, exponents).high,
    )


def _moments(x: np.ndarray) -> _Moments:
    """Of other rows IEEE 754 decides: inf - inf and NaN both leave a NaN variance."""
    finite = np.isfinite(x).all(axis=1)
    if finite.all():
        return _finite_moments(x)
    with np.errstate(invalid="ignore", over="ignore"):
        sums = np.sum(x, axis=1)
    found = _finite_moments(x[finite])

    def among_others(values: np.ndarray, others: Union[float, np.ndarray]) -> np.ndarray:
        everything = np.where(finite, 0.0, others)
        everything[finite] = values
        return everything

    mean, biased, unbiased = (
        DoubleDouble(among_others(value.high, other), among_others(value.low, 0.0))
        for value, other in (
            (found.mean, sums),
            (found.biased, math.nan),
            (found.unbiased, math.nan),
        )
    )
    return _Moments(mean, biased, unbiased, among_others(found.magnitude, math.inf))


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


def _of_rows(rows: np.ndarray, way: _Way) -> Tuple[Numbers, Numbers, Numbers]:
    """Mean, biased and unbiased variance of each row."""
    mean, biased, unbiased, magnitude = _moments(rows)
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
