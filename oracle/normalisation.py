"""The formula itself: y = (x - mean) / sqrt(variance + eps) * weight + bias, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from cases.inputs import Batch
from oracle import bounds
from oracle.arithmetic import DoubleDouble
from oracle.averaging import constant
from oracle.quantity import Quantity, settle, stacked

LARGE = 1 << 15
"""An output of more numbers is computed when it is looked at, as a whole or part by part."""
TOGETHER = 16
"""At least so many outputs of one shape are computed at once, and up to LARGE numbers."""

Where = Tuple[slice, ...]
EVERYWHERE: Where = ()


class Terms(NamedTuple):
    """What the output of a channel is made of, shapes (C,), or (K, C) for K outputs.

    ``slope``: weight / sqrt(variance + eps). ``undetermined``: the channels whose variance + eps is 0
    within its error, or whose statistics are undetermined: any output conforms, NaN and infinities
    included.
    """

    mean: DoubleDouble
    slope: np.ndarray
    bias: np.ndarray
    budgets: bounds.OutputBudget
    undetermined: np.ndarray

    def of(self, which: Any) -> Terms:
        """Of some channels, or of one output among K."""
        return Terms(
            DoubleDouble(*(each[which] for each in self.mean)),
            self.slope[which],
            self.bias[which],
            bounds.OutputBudget(*(each[which] for each in self.budgets)),
            self.undetermined[which],
        )


class OutputNumbers(NamedTuple):
    """The expected values, float64, shape (N, C, H, W), and how far each element may be off.

    ``undetermined``: the channels in which anything conforms, shape (C,).
    """

    values: np.ndarray
    budget: np.ndarray
    undetermined: np.ndarray


@dataclass(frozen=True, eq=False)
class ExpectedOutput:
    """What a forward must return. Compared and cached by identity.

    ``mean`` and ``variance`` (shape (C,)) are the batch's own, variance biased, or the running
    buffers. An absent weight is 1, an absent bias 0. Non-positive ``variance + eps`` gives what
    IEEE 754 says of its root, except that ``flat_at_zero`` makes 1/sqrt(0) a 0. ``strides``: the class
    of the output's strides, ``contiguous`` or ``channels_last``.

    The numbers are computed on demand: nothing is for a forward that raises, or that nobody looks
    at, and nothing as large as an input is held.
    """

    batch: Batch
    mean: Quantity
    variance: Quantity
    weight: Optional[Quantity]
    bias: Optional[Quantity]
    eps: float
    strides: str
    flat_at_zero: bool = False
    _foreseen: List[OutputNumbers] = field(default_factory=list, init=False, repr=False)
    """What ``foresee`` holds ready: nothing, or the whole output's numbers."""

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
        """What the numbers are computed from."""
        return _terms((self,)).of(0)

    def numbers(self, where: Where = EVERYWHERE) -> OutputNumbers:
        """What is expected, and the budgets; ``where``: of some samples, channels and rows alone."""
        if self._foreseen and where == EVERYWHERE:
            return self._foreseen[0]
        terms = self.terms if where == EVERYWHERE else self.terms.of(where[1])
        return OutputNumbers(*_numbers(self.batch.values[where], terms), terms.undetermined)

    def forget(self) -> None:
        """Lets go of what ``foresee`` holds."""
        self._foreseen.clear()


normalised = lru_cache(maxsize=1024)(ExpectedOutput)
"""The expected output of one forward: the same object for the same arguments."""


def _terms(outputs: Sequence[ExpectedOutput]) -> Terms:
    """Of K outputs with as many channels each."""
    channels = outputs[0].shape[1]
    one, zero = constant(1.0, channels), constant(0.0, channels)
    mean, mean_budget = stacked([each.mean for each in outputs])
    variance, variance_budget = stacked([each.variance for each in outputs])
    weight = np.array([(each.weight or one).value.high for each in outputs])
    bias = np.array([(each.bias or zero).value.high for each in outputs])
    eps, nonnegative, flat_at_zero = (
        np.array(column)[:, None]
        for column in zip(*((o.eps, o.variance.nonnegative, o.flat_at_zero) for o in outputs))
    )
    rounding = bounds.Rounding.column([bounds.Rounding.of(o.batch.values.dtype) for o in outputs])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        shifted = (variance.high + eps) + variance.low
        slope = weight / np.sqrt(shifted)
        lost = bounds.shortfall(variance.high, variance_budget, nonnegative, eps, rounding)
        undetermined = np.isfinite(shifted) & (np.abs(shifted) <= lost)
        if flat_at_zero.any():
            slope = np.where(flat_at_zero & (shifted == 0), 0.0, slope)
            undetermined &= ~flat_at_zero | (variance_budget > 0)
        undetermined |= np.isinf(mean_budget) | np.isinf(variance_budget)
        budgets = bounds.output(
            slope, bias, mean.high, mean_budget, shifted, lost, variance_budget, rounding
        )
    return Terms(mean, slope, bias, budgets, undetermined)


def _plane(part: np.ndarray) -> np.ndarray:
    """Shape (C,) or (K, C), as it combines with (N, C, H, W) or (K, N, C, H, W)."""
    return part[..., None, :, None, None]


def _numbers(x: np.ndarray, terms: Terms) -> Tuple[np.ndarray, np.ndarray]:
    """Values and budgets for an input, or for K of one shape.

    The mean is subtracted before anything else and as a double-double, so that no digit is lost to
    its size; what follows are four roundings.
    """
    budgets = terms.budgets
    with np.errstate(invalid="ignore", over="ignore"):
        deviation = x - _plane(terms.mean.high)
        deviation -= _plane(terms.mean.low)
        deviation *= _plane(terms.slope)
        values = deviation + _plane(terms.bias)
        budget = np.abs(deviation, out=deviation)
        budget *= _plane(budgets.per_deviation)
        budget += np.abs(x) * _plane(budgets.per_input)
        budget += _plane(budgets.constant)
    return values, budget


def foresee(outputs: Iterable[ExpectedOutput]) -> List[Tuple[List[ExpectedOutput], OutputNumbers]]:
    """Computes the numbers of many outputs in a few calls, and holds them until ``forget`` is called.

    Those of LARGE outputs are computed when they are looked at. Returns those that were computed
    together, with the numbers of K outputs in arrays of K rows.
    """
    computed = []
    alike: Dict[Tuple[int, ...], List[ExpectedOutput]] = {}
    for each in outputs:
        if 0 < each.batch.values.size <= LARGE and not each._foreseen:
            alike.setdefault(each.shape, []).append(each)
    some = [each for group in alike.values() for each in group]
    settle([q for o in some for q in (o.mean, o.variance, o.weight, o.bias) if q is not None])
    for group in alike.values():
        at_once = max(TOGETHER, LARGE // group[0].batch.values.size)
        for start in range(0, len(group), at_once):
            part = group[start : start + at_once]
            terms = _terms(part)
            inputs = np.array([each.batch.values for each in part])
            numbers = OutputNumbers(*_numbers(inputs, terms), terms.undetermined)
            for each, *its in zip(part, *numbers):
                each._foreseen.append(OutputNumbers(*its))
            computed.append((part, numbers))
    return computed
