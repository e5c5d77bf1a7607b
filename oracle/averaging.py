"""The moving average of the running buffers, and tensors of known numbers."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Hashable, List, Optional, Sequence, Union

import numpy as np

from oracle import arithmetic, bounds
from oracle.arithmetic import DoubleDouble
from oracle.quantity import Numbers, Quantity, Source, known, stacked

LONG = 64
"""At least so many steps of which nobody sees any but the last are worked out in one go."""


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
    old: Quantity, new: Quantity, factor: float, dtype: str, exact: bool, seen: bool = True
) -> Quantity:
    """(1 - factor) * old + factor * new, for every channel, as a buffer of ``dtype`` stores it.

    ``factor`` is taken as the float64 number it is and may lie outside [0, 1]: torch does not
    check momentum. The formula is taken literally, so a NaN in ``old`` survives factor 1 and a NaN
    in ``new`` factor 0. ``exact``: the batch belongs to the exact lane, and the budget is 0 wherever
    no operation rounds. The mathematical value is carried on unrounded; the budget says how
    far the stored one may have drifted. Beyond the dtype's largest number it is an infinity. An
    infinite factor leaves a value undetermined that may or may not be 0. ``seen``: somebody looks at
    this average, and not only at a later one.
    """
    source = _Average(old, new, factor, dtype, exact, seen)
    nonnegative = old.nonnegative and new.nonnegative and 0 <= factor <= 1
    average = source.average = Quantity(old.channels, nonnegative, source)
    return average


class _Average(Source):
    """What ``moving_average`` was asked for."""

    average: Quantity

    def __init__(
        self, old: Quantity, new: Quantity, factor: float, dtype: str, exact: bool, seen: bool
    ) -> None:
        self.old = old
        self.new = new
        self.factor = factor
        self.rounding = bounds.Rounding.of(np.dtype(dtype))
        self.exact = exact
        self.seen = seen
        self.depth = 1 + max(old.depth, new.depth)
        self.series = self._series() if seen else ()
        self.needs: Sequence[Quantity] = (old, new)
        self.kind: Hashable = (old.channels, math.isfinite(factor))
        if self.series:
            self.needs = (self.series[0].old, *(each.new for each in self.series))
            self.kind = old.channels, self.rounding, tuple([each.factor for each in self.series])

    def _series(self) -> Sequence[_Average]:
        """The unseen averages before this one, and itself, when it is worth taking them in one go.

        Not in the exact lane, which all of them belong to or none.
        """
        series, before = [self], self.old.source
        while isinstance(before, _Average) and not before.seen:
            series.append(before)
            before = before.old.source
        return series[::-1] if len(series) >= LONG and not self.exact else ()

    @classmethod
    def compute(cls, sources: Sequence[_Average]) -> None:
        """All of them at once: a row each."""
        if sources[0].series:
            cls._compute_series(sources)
            return
        old = stacked([each.old for each in sources])
        new = stacked([each.new for each in sources])
        factor = np.array([[each.factor] for each in sources], dtype=np.float64)
        exact = np.array([[each.exact] for each in sources])
        rounding = bounds.Rounding.column([each.rounding for each in sources])
        averages = _averages(old, new, factor, rounding, exact)
        for each, high, low, budget in zip(sources, *averages.value, averages.budget):
            each.average.become(Numbers(DoubleDouble(high, low), budget))

    @classmethod
    def _compute_series(cls, sources: Sequence[_Average]) -> None:
        """Of K series with the same N factors; of each alone where that does not go, or step by step."""
        old = stacked([each.series[0].old for each in sources])
        new = stacked([step.new for steps in zip(*[each.series for each in sources]) for step in steps])
        factors = tuple([step.factor for step in sources[0].series])
        last = _last_of_series(old, new, factors, sources[0].rounding)
        if last is not None:
            for each, high, low, budget in zip(sources, *last.value, last.budget):
                each.average.become(Numbers(DoubleDouble(high, low), budget))
            return
        for each in sources:
            if sources[1:]:
                cls._compute_series((each,))
                continue
            *unseen, _ = each.series
            each.series = ()
            for step in (*unseen, each):
                cls.compute((step,))


def _last_of_series(
    old: Numbers, new: Numbers, factors: Sequence[float], rounding: bounds.Rounding
) -> Optional[Numbers]:
    """The averages after N steps from ``old``, shape (K, C), over ``new``, shape (N * K, C).

    It is a weighted sum, and so is its budget: what each step spends, the rest kept of it. None if a
    number on the way is beyond the range of the dtype or is none, or if it, or what is kept of it, comes
    near the ends of float64's range.
    """
    steps = (len(factors), *old.budget.shape)
    values, budgets = (part.reshape(steps) for part in (new.value.high, new.budget))
    factor = np.array(factors)[:, None, None]
    with np.errstate(invalid="ignore", over="ignore"):
        rest = _kept(factors)
        if (np.abs(rest.high[rest.high != 0]) < 2.0**-900).any():
            return None
        after = DoubleDouble(*(part[1:, None, None] for part in rest))
        weights = arithmetic.scale(after, factor)
        first = arithmetic.scale(old.value, rest.high[0], rest.low[0])
        products, errors = arithmetic.two_product(weights.high, values)
        errors += weights.low * values + weights.high * new.value.low.reshape(steps)
        running = [old.value.high]
        for each, value in zip(factors, values):
            running.append((1.0 - each) * running[-1] + each * value)
        before = np.array(running[:-1])
        spent = bounds.running(before, np.zeros(1), values, budgets, factor, rounding)
        budget = abs(rest.high[0]) * old.budget + (np.abs(after.high) * spent).sum(axis=0)
        if not (np.abs(running) + budget <= rounding.largest).all():
            return None
        if not all(np.isfinite(np.abs(each).sum()) for each in (products, errors, first)):
            return None
        terms = np.concatenate((first.high[None], products)).reshape(1 + len(factors), -1).T.tolist()
        high = [math.fsum(each) for each in terms]
        low = [math.fsum([*each, -total]) for each, total in zip(terms, high)]
        rests = np.reshape(low, first.low.shape) + first.low + errors.sum(axis=0)
        value = DoubleDouble(*arithmetic.two_sum(np.reshape(high, first.high.shape), rests))
    return Numbers(value, budget)


def _kept(factors: Sequence[float]) -> DoubleDouble:
    """Of N steps: how much of what was there before each, and after the last, is in the end result.

    Shape (N + 1,).
    """
    kept: List[Any] = [DoubleDouble(1.0, 0.0)]  # type: ignore[arg-type]
    for factor in reversed(factors):
        product = arithmetic.scale(kept[-1], *arithmetic.two_sum(1.0, -factor))
        kept.append(DoubleDouble(*arithmetic.two_sum(*product)))
    high, low = np.array(kept[::-1]).T
    return DoubleDouble(high, low)


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
