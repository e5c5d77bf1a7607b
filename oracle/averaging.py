"""The moving average of the running buffers, and tensors of known numbers."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Tuple, Union

import numpy as np

from oracle import arithmetic, bounds
from oracle.arithmetic import DoubleDouble
from oracle.statistics import Quantity


@lru_cache(maxsize=256)
def constant(value: Union[float, bytes], channels: int) -> Quantity:
    """One value for every channel, or the float64 values in ``bytes``; known, so without a budget."""
    if isinstance(value, bytes):
        values = np.frombuffer(value, dtype=np.float64)
    else:
        values = np.full(channels, value)
    return Quantity(arithmetic.exact(values), np.zeros(channels), bool((values >= 0).all()))


@lru_cache(maxsize=8192)
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
    rounding = bounds.Rounding.of(np.dtype(dtype))
    with np.errstate(invalid="ignore", over="ignore"):
        value = _averaged(old.value, new.value, factor)
        budget = bounds.running(
            old.value.high, old.budget, new.value.high, new.budget, factor, rounding
        )
        if exact:
            settled = (old.budget == 0) & (new.budget == 0)
            settled &= bounds.exactly_averaged(
                old.value.high, new.value.high, factor, rounding.bits
            )
            budget = np.where(settled, 0.0, budget)
        size = np.abs(value.high)
        if not float(np.max(size + budget)) <= rounding.largest:
            value, budget = _beyond_numbers(old, new, factor, value, budget, rounding)
    nonnegative = old.nonnegative and new.nonnegative and 0 <= factor <= 1
    return Quantity(value, budget, nonnegative)


def _averaged(old: DoubleDouble, new: DoubleDouble, factor: float) -> DoubleDouble:
    if math.isfinite(factor):
        kept = arithmetic.scale(old, *arithmetic.two_sum(1.0, -factor))
        return arithmetic.add(kept, arithmetic.scale(new, factor))
    high = (1.0 - factor) * old.high + factor * new.high
    return DoubleDouble(high, np.zeros_like(high))


def _beyond_numbers(
    old: Quantity,
    new: Quantity,
    factor: float,
    value: DoubleDouble,
    budget: np.ndarray,
    rounding: bounds.Rounding,
) -> Tuple[DoubleDouble, np.ndarray]:
    """Infinite where beyond the largest number; no budget where not finite; undetermined or not."""
    undetermined = np.isinf(old.budget) | np.isinf(new.budget)
    if math.isinf(factor):
        for each in (old, new):
            undetermined |= (np.abs(each.value.high) <= each.budget) & (each.budget > 0)
    beyond = np.abs(value.high) > rounding.largest
    high = np.where(beyond, np.copysign(np.inf, value.high), value.high)
    budget = np.where(np.isfinite(high), budget, np.nan)
    budget = np.where(undetermined, np.inf, budget)
    return DoubleDouble(high, np.where(beyond, 0.0, value.low)), budget
