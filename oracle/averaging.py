"""The moving average of the running buffers, and tensors of known numbers."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Sequence, Union

import numpy as np

from oracle import arithmetic, bounds
from oracle.arithmetic import DoubleDouble
from oracle.quantity import Numbers, Quantity, Source, known, stacked


@lru_cache(maxsize=256)
def constant(value: Union[float, bytes], channels: int) -> Quantity:
    """One value for every channel, or the float64 values in ``bytes``; known, so without a budget."""
    if isinstance(value, bytes):
        values = np.frombuffer(value, dtype=np.float64)
    else:
        values = np.full(channels, value)
    return known(arithmetic.exact(values), np.zeros(channels), bool((values >= 0).all()))


@lru_cache(maxsize=2048)
def moving_average(
    old: Quantity, new: Quantity, factor: float, dtype: str, exact: bool
) -> Quantity:
    """(1 - factor) * old + factor * new, for every channel, as a buffer of ``dtype`` stores it.

    ``factor`` is taken as the float64 number it is and may lie outside [0, 1]: torch does not
    check momentum. The formula is taken literally, so a NaN in ``old`` survives factor 1 and a NaN
    in ``new`` factor 0. ``exact``: the batch belongs to the exact lane, and the budget is 0 wherever
    no operation rounds. The mathematical value is carried on unrounded; the budget says how
    far the stored one may have drifted. Beyond the dtype's largest number it is an infinity. An
    infinite factor leaves a value undetermined that may or may not be 0.
    """
    source = _Average(old, new, factor, dtype, exact)
    nonnegative = old.nonnegative and new.nonnegative and 0 <= factor <= 1
    average = source.average = Quantity(old.channels, nonnegative, source)
    return average


class _Average(Source):
    """What ``moving_average`` was asked for."""

    average: Quantity

    def __init__(self, old: Quantity, new: Quantity, factor: float, dtype: str, exact: bool) -> None:
        self.needs = old, new
        self.factor = factor
        self.rounding = bounds.Rounding.of(np.dtype(dtype))
        self.exact = exact
        self.depth = 1 + max(0 if each.source is None else each.source.depth for each in self.needs)
        self.kind = old.channels, math.isfinite(factor)

    @classmethod
    def compute(cls, sources: Sequence[_Average]) -> None:
        """All of them at once: a row each."""
        old = stacked([each.needs[0] for each in sources])
        new = stacked([each.needs[1] for each in sources])
        factor = np.array([[each.factor] for each in sources], dtype=np.float64)
        exact = np.array([[each.exact] for each in sources])
        rounding = bounds.Rounding.column([each.rounding for each in sources])
        averages = _averages(old, new, factor, rounding, exact)
        for each, high, low, budget in zip(sources, *averages.value, averages.budget):
            each.average.become(Numbers(DoubleDouble(high, low), budget))


def _averages(
    old: Numbers, new: Numbers, factor: np.ndarray, rounding: bounds.Rounding, exact: np.ndarray
) -> Numbers:
    """Of K averages, shapes (K, C); ``factor``, ``rounding`` and ``exact``: (K, 1)."""
    with np.errstate(invalid="ignore", over="ignore"):
        value = _weighted(old.value, new.value, factor)
        budget = bounds.running(
            old.value.high, old.budget, new.value.high, new.budget, factor, rounding
        )
        if exact.any():
            settled = exact & (old.budget == 0) & (new.budget == 0)
            settled &= bounds.exactly_averaged(
                old.value.high, new.value.high, factor, rounding.bits
            )
            budget = np.where(settled, 0.0, budget)
        if not (np.abs(value.high) + budget <= rounding.largest).all():
            return _beyond_numbers(old, new, factor, Numbers(value, budget), rounding)
    return Numbers(value, budget)


def _weighted(old: DoubleDouble, new: DoubleDouble, factor: np.ndarray) -> DoubleDouble:
    if np.isfinite(factor).all():
        kept = arithmetic.scale(old, *arithmetic.two_sum(1.0, -factor))
        return arithmetic.add(kept, arithmetic.scale(new, factor))
    high = (1.0 - factor) * old.high + factor * new.high
    return DoubleDouble(high, np.zeros_like(high))


def _beyond_numbers(
    old: Numbers, new: Numbers, factor: np.ndarray, average: Numbers, rounding: bounds.Rounding
) -> Numbers:
    """Infinite where beyond the largest number; no budget where not finite; undetermined or not."""
    value, budget = average
    undetermined = np.isinf(old.budget) | np.isinf(new.budget)
    for each in (old, new):
        near_zero = (np.abs(each.value.high) <= each.budget) & (each.budget > 0)
        undetermined |= np.isinf(factor) & near_zero
    beyond = np.abs(value.high) > rounding.largest
    high = np.where(beyond, np.copysign(np.inf, value.high), value.high)
    budget = np.where(np.isfinite(high), budget, np.nan)
    budget = np.where(undetermined, np.inf, budget)
    return Numbers(DoubleDouble(high, np.where(beyond, 0.0, value.low)), budget)
