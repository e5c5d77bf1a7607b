"""The formula itself: y = (x - mean) / sqrt(variance + eps) * weight + bias, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Optional, Tuple

import numpy as np

from cases.inputs import Batch
from oracle import bounds
from oracle.statistics import Quantity

_BROADCAST = (slice(None), None, None)


@dataclass(frozen=True, eq=False)
class ExpectedOutput:
    """What a forward must return. Compared and cached by identity.

    The values and their budget are computed on demand, so that nothing as large as an input is
    held for a forward that raises, or whose bytes have been judged before. ``slope``: shape (C,),
    weight / sqrt(variance + eps). ``dtype``: of the output, a NumPy name. ``strides``: the class of
    its strides, ``contiguous`` or ``channels_last``. ``undetermined``: shape (C,), the channels whose
    variance + eps is 0 within its error, or whose statistics are undetermined: any output conforms,
    NaN and infinities included.
    """

    batch: Batch
    mean: Quantity
    slope: np.ndarray
    bias: np.ndarray
    budgets: bounds.OutputBudget
    strides: str
    undetermined: np.ndarray

    @property
    def dtype(self) -> str:
        """The input's: the layer never changes it."""
        return self.batch.dtype

    @property
    def shape(self) -> Tuple[int, ...]:
        """The input's."""
        return self.batch.values.shape

    def values(self, where: Tuple[slice, ...] = ()) -> np.ndarray:
        """The expected values, float64, shape (N, C, H, W); ``where``: of a part with all channels.

        The mean is subtracted before anything else and as a double-double, so that no digit
        is lost to its size; what follows are four roundings.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            value = self.batch.values[where] - self.mean.value.high[_BROADCAST]
            value -= self.mean.value.low[_BROADCAST]
            value *= self.slope[_BROADCAST]
            value += self.bias[_BROADCAST]
        return np.asarray(value)

    def budget(self, values: np.ndarray, where: Tuple[slice, ...] = ()) -> np.ndarray:
        """How far each element may be off, given the expected ``values`` of the same part."""
        constant, per_deviation, per_input = (part[_BROADCAST] for part in self.budgets)
        with np.errstate(invalid="ignore"):
            budget = values - self.bias[_BROADCAST]
            np.abs(budget, out=budget)
            budget *= per_deviation
            budget += np.abs(self.batch.values[where]) * per_input
            budget += constant
        return np.asarray(budget)


@lru_cache(maxsize=1024)
def normalised(
    batch: Batch,
    mean: Quantity,
    variance: Quantity,
    weight: Optional[Quantity],
    bias: Optional[Quantity],
    eps: float,
    strides: str,
    flat_at_zero: bool = False,
) -> ExpectedOutput:
    """The expected output of one forward.

    ``mean`` and ``variance`` (shape (C,)) are the batch's own, variance biased, or the running
    buffers. An absent weight is 1, an absent bias 0. Non-positive ``variance + eps`` gives what IEEE
    754 says of its root, except that ``flat_at_zero`` makes 1/sqrt(0) a 0.
    """
    channels = batch.values.shape[1]
    ones, zeros = np.ones(channels), np.zeros(channels)
    rounding = bounds.Rounding.of(batch.values.dtype)
    v = variance.value.high
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        shifted = (v + eps) + variance.value.low
        slope = (ones if weight is None else weight.value.high) / np.sqrt(shifted)
        lost = bounds.shortfall(v, variance.budget, variance.nonnegative, eps, rounding)
        undetermined = np.isfinite(shifted) & (np.abs(shifted) <= lost)
        if flat_at_zero:
            slope = np.where(shifted == 0, 0.0, slope)
            undetermined &= variance.budget > 0
        undetermined |= np.isinf(mean.budget) | np.isinf(variance.budget)
        offset = zeros if bias is None else bias.value.high
        budgets = bounds.output(
            slope,
            offset,
            mean.value.high,
            mean.budget,
            shifted,
            lost,
            variance.budget,
            rounding,
        )
    return ExpectedOutput(batch, mean, slope, offset, budgets, strides, undetermined)
