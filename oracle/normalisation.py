"""The formula itself: y = (x - mean) / sqrt(variance + eps) * weight + bias, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple, Optional, Tuple

import numpy as np

from cases.inputs import Batch
from oracle import bounds
from oracle.statistics import Quantity

_BROADCAST = (slice(None), None, None)


class Terms(NamedTuple):
    """What the output of a channel is made of, shapes (C,).

    ``slope``: weight / sqrt(variance + eps). ``undetermined``: the channels whose variance + eps is 0
    within its error, or whose statistics are undetermined: any output conforms, NaN and infinities
    included.
    """

    slope: np.ndarray
    bias: np.ndarray
    budgets: bounds.OutputBudget
    undetermined: np.ndarray


@dataclass(frozen=True, eq=False)
class ExpectedOutput:
    """What a forward must return. Compared and cached by identity.

    The numbers are computed on demand: nothing is for a forward that raises, or that nobody looks
    at, and nothing as large as an input is held. ``mean`` and ``variance`` (shape (C,)) are the batch's
    own, variance biased, or the running buffers. An absent weight is 1, an absent bias 0.
    Non-positive ``variance + eps`` gives what IEEE 754 says of its root, except that ``flat_at_zero``
    makes 1/sqrt(0) a 0. ``strides``: the class of the output's strides, ``contiguous`` or
    ``channels_last``.
    """

    batch: Batch
    mean: Quantity
    variance: Quantity
    weight: Optional[Quantity]
    bias: Optional[Quantity]
    eps: float
    strides: str
    flat_at_zero: bool = False

    @property
    def dtype(self) -> str:
        """The input's: the layer never changes it."""
        return self.batch.dtype

    @property
    def shape(self) -> Tuple[int, ...]:
        """The input's."""
        return self.batch.values.shape

    @cached_property
    def terms(self) -> Terms:
        """What the values and their budget are computed from."""
        mean, variance, eps = self.mean, self.variance, self.eps
        channels = self.shape[1]
        rounding = bounds.Rounding.of(self.batch.values.dtype)
        weight = np.ones(channels) if self.weight is None else self.weight.value.high
        bias = np.zeros(channels) if self.bias is None else self.bias.value.high
        v = variance.value.high
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            shifted = (v + eps) + variance.value.low
            slope = weight / np.sqrt(shifted)
            lost = bounds.shortfall(v, variance.budget, variance.nonnegative, eps, rounding)
            undetermined = np.isfinite(shifted) & (np.abs(shifted) <= lost)
            if self.flat_at_zero:
                slope = np.where(shifted == 0, 0.0, slope)
                undetermined &= variance.budget > 0
            undetermined |= np.isinf(mean.budget) | np.isinf(variance.budget)
            budgets = bounds.output(
                slope, bias, mean.value.high, mean.budget, shifted, lost, variance.budget, rounding
            )
        return Terms(slope, bias, budgets, undetermined)

    def values(self, where: Tuple[slice, ...] = ()) -> np.ndarray:
        """The expected values, float64, shape (N, C, H, W); ``where``: of a part with all channels.

        The mean is subtracted before anything else and as a double-double, so that no digit
        is lost to its size; what follows are four roundings.
        """
        slope, bias = self.terms[:2]
        with np.errstate(invalid="ignore", over="ignore"):
            value = self.batch.values[where] - self.mean.value.high[_BROADCAST]
            value -= self.mean.value.low[_BROADCAST]
            value *= slope[_BROADCAST]
            value += bias[_BROADCAST]
        return np.asarray(value)

    def budget(self, values: np.ndarray, where: Tuple[slice, ...] = ()) -> np.ndarray:
        """How far each element may be off, given the expected ``values`` of the same part."""
        _, bias, budgets, _ = self.terms
        constant, per_deviation, per_input = (part[_BROADCAST] for part in budgets)
        with np.errstate(invalid="ignore"):
            budget = values - bias[_BROADCAST]
            np.abs(budget, out=budget)
            budget *= per_deviation
            budget += np.abs(self.batch.values[where]) * per_input
            budget += constant
        return np.asarray(budget)


normalised = lru_cache(maxsize=4096)(ExpectedOutput)
"""The expected output of one forward: the same object for the same arguments."""
