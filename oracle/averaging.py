"""The moving average of the running buffers, and tensors of known numbers."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Union

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
    undetermined = np.isinf(old.budget) | np.isinf(new.budget)
    if math.isinf(factor):
        for each in (old, new):
            undetermined |= (np.abs(each.value.high) <= each.budget) & (each.budget > 0)
    with np.errstate(invalid="ignore", over="ignore"):
        if math.isfinite(factor):
            kept = arithmetic.scale(old.value, *arithmetic.two_sum(1.0, -factor))
            value = arithmetic.add(kept, arithmetic.scale(new.value, factor))
        else:
            high = (1.0 - factor) * old.value.high + factor * new.value.high
            value = DoubleDouble(high, np.zeros_like(high))
        largest = float(np.finfo(dtype).max)
        if (np.abs(value.high) > largest).any():
            beyond = np.abs(value.high) > largest
            high = np.where(beyond, np.copysign(np.inf, value.high), value.high)
            value = DoubleDouble(high, np.where(beyond, 0.0, value.low))
        budget = bounds.running(
            old.value.high, old.budget, new.value.high, new.budget, factor, rounding
        )
        if exact:
            settled = (old.budget == 0) & (new.budget == 0)
            settled &= bounds.exactly_averaged(
                old.value.high, new.value.high, factor, rounding.bits
            )
            budget = np.where(settled, 0.0, budget)
        budget = np.where(np.isfinite(value.high), budget, np.nan)
        budget = np.where(undetermined, np.inf, budget)
    nonnegative = old.nonnegative and new.nonnegative and 0 <= factor <= 1
    return Quantity(value, budget, nonnegative)
