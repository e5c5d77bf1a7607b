"""Liars by a hair: an error of four budgets, in one quantity.

They compute the budget that the suite allows, by ``oracle.bounds``, and exceed it fourfold. So
they prove at the same time that the suite compares with that budget, not with a wider one.
"""

from __future__ import annotations

from typing import Optional

import numpy as np
import torch

from oracle import bounds
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import AXES, Operands, Statistics, Tensor, values_per_channel
from tests.meta.liars.registry import liar

EXCESS = 4.0


def _numbers(values: Tensor) -> np.ndarray:
    return np.asarray(values.detach().numpy().astype(np.float64))


def _rounding(x: Tensor) -> bounds.Rounding:
    return bounds.Rounding.of(x.detach().numpy().dtype)


def _off(values: Tensor, budget: np.ndarray) -> Tensor:
    """The values, each too large by EXCESS budgets."""
    return values + torch.from_numpy(EXCESS * np.asarray(budget)).to(values.dtype)


class _Accountant(HonestBatchNorm2d):
    """Knows the budgets of what it computes."""

    def mean_budget(self, x: Tensor, mean: Tensor) -> np.ndarray:
        magnitude = _numbers(x.abs().double().mean(AXES))
        return bounds.mean(_numbers(mean), magnitude, values_per_channel(x), _rounding(x))

    def biased_budget(self, x: Tensor, found: Statistics) -> np.ndarray:
        count = values_per_channel(x)
        mean = self.mean_budget(x, found.mean)
        return bounds.biased_variance(_numbers(found.biased), mean, count, _rounding(x))

    def unbiased_budget(self, x: Tensor, found: Statistics) -> np.ndarray:
        count = values_per_channel(x)
        mean = self.mean_budget(x, found.mean)
        return bounds.unbiased_variance(_numbers(found.unbiased), mean, count, _rounding(x))


@liar("bounded", "track", "train_only")
class RunningMeanOffByFour(_Accountant):
    """running_mean is wrong by four budgets of its update."""

    _batch_budget = np.zeros(0)

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        self._batch_budget = self.mean_budget(x, found.mean)
        return found

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        old = operands.running_mean
        before = None if old is None else _numbers(old)
        super().update(operands, found, factor)
        if old is None or before is None:
            return
        new, spent = _numbers(found.mean), self._batch_budget
        budget = bounds.running(before, 0 * before, new, spent, factor, _rounding(old))
        with torch.no_grad():
            old.copy_(_off(old, budget))


@liar("bounded", "track", "train_only")
class RunningVarianceOffByFour(_Accountant):
    """running_var is wrong by four budgets of its update."""

    _batch_budget = np.zeros(0)

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        self._batch_budget = self.unbiased_budget(x, found)
        return found

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        old = operands.running_var
        before = None if old is None else _numbers(old)
        super().update(operands, found, factor)
        if old is None or before is None:
            return
        new, spent = _numbers(found.unbiased), self._batch_budget
        budget = bounds.running(before, 0 * before, new, spent, factor, _rounding(old))
        with torch.no_grad():
            old.copy_(_off(old, budget))


class _OutputOff(_Accountant):
    """Adds four budgets to the output, in train or in eval mode."""

    in_training = True

    def normalise(
        self,
        x: Tensor,
        mean: Tensor,
        variance: Tensor,
        weight: Optional[Tensor],
        bias: Optional[Tensor],
        eps: float,
    ) -> Tensor:
        y = super().normalise(x, mean, variance, weight, bias, eps)
        if self.training is not self.in_training:
            return y
        m, v = _numbers(mean), _numbers(variance)
        own = self.from_batch()
        m_budget = self.mean_budget(x, mean) if own else 0 * m
        v_budget = self.biased_budget(x, Statistics(mean, variance, variance)) if own else 0 * v
        slope = (1.0 if weight is None else _numbers(weight)) / np.sqrt(v + eps)
        shift = np.zeros_like(m) if bias is None else _numbers(bias)
        parts = bounds.output(slope, shift, m, m_budget, v, v_budget, eps, _rounding(x))
        constant, per_deviation, per_input = (part[:, None, None] for part in parts)
        deviation = np.abs(_numbers(y) - shift[:, None, None])
        return _off(y, constant + per_deviation * deviation + per_input * np.abs(_numbers(x)))


@liar("bounded", "train_only")
class TrainOutputOffByFour(_OutputOff):
    """Outputs of train mode are wrong by four budgets."""


@liar("bounded", "track", "eval_only")
class EvalOutputOffByFour(_OutputOff):
    """Outputs of eval mode are wrong by four budgets."""

    in_training = False


@liar("bounded", "train_only", "n256")
class BatchMeanOffByFour(_Accountant):
    """The mean that normalises is wrong by four budgets; the stored one is right."""

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        return found._replace(mean=_off(found.mean, self.mean_budget(x, found.mean)))

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands, found._replace(mean=self._true), factor)

    _true = torch.zeros(0)

    def check_operands(self, x: Tensor, operands: Operands, from_batch: bool) -> None:
        super().check_operands(x, operands, from_batch)
        if from_batch:
            self._true = HonestBatchNorm2d.statistics(self, x).mean


@liar("bounded", "train_only", "n256")
class BatchVarianceOffByFour(_Accountant):
    """The variance that normalises is wrong by four budgets; the stored one is right."""

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        return found._replace(biased=_off(found.biased, self.biased_budget(x, found)))


@liar("exact", "track", "train_only")
class LastBitOfMean(HonestBatchNorm2d):
    """running_mean is one unit in the last place too large, where it could be exact."""

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        super().average(running, new, factor)
        if running is self.running_mean:
            running.copy_(torch.from_numpy(np.nextafter(running.detach().numpy(), np.inf)))


@liar("exact", "track", "train_only")
class LastBitOfVariance(HonestBatchNorm2d):
    """running_var is one unit in the last place too large, where it could be exact."""

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        super().average(running, new, factor)
        if running is self.running_var:
            running.copy_(torch.from_numpy(np.nextafter(running.detach().numpy(), np.inf)))
