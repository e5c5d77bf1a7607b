"""Liars that are off by four budgets, in one quantity.

They ask the oracle for the budget that the suite allows, and exceed it fourfold. So they also prove that
the suite compares with that budget, and not with a wider one.
"""

from __future__ import annotations

from typing import Optional

import numpy as np
import torch

from cases.inputs import Batch
from oracle.numerics import statistics as oracle_statistics
from oracle.numerics.budgeted import Budgeted, known
from oracle.numerics.formats import FORMATS
from oracle.numerics.moving_average import moving_average
from oracle.numerics.normalisation import ExpectedOutput, output_values
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Statistics, Tensor
from tests.meta.liars.registry import liar

EXCESS = 4.0


def _known(values: Tensor) -> Budgeted:
    """Return a tensor's numbers, with a budget of 0."""
    return known(values.detach().numpy().astype(np.float64).ravel())


def _off(values: Tensor, budget: np.ndarray) -> Tensor:
    """Return the values, each too large by EXCESS budgets."""
    return values + torch.from_numpy(EXCESS * np.asarray(budget)).to(values.dtype)


def _batch(x: Tensor) -> Batch:
    values = x.detach().numpy()
    return Batch("given", values, str(values.dtype), "contiguous", False, ())


def _oracle(x: Tensor) -> oracle_statistics.Statistics:
    """Return what the oracle computes for the input."""
    return oracle_statistics.statistics(_batch(x), sums_exactly=False)


class _RunningOff(HonestBatchNorm2d):
    """Adds four budgets to one of the buffers at every update."""

    buffer = "running_mean"
    statistic = "mean"
    _budgeted: Optional[Budgeted] = None

    def statistics(self, x: Tensor) -> Statistics:
        self._budgeted = getattr(_oracle(x), self.statistic)
        return super().statistics(x)

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        running: Optional[Tensor] = getattr(operands, self.buffer)
        before = None if running is None else _known(running)
        super().update(operands, found, factor)
        if running is None or before is None or self._budgeted is None:
            return
        fmt = FORMATS[str(running.detach().numpy().dtype)]
        budget = moving_average(before, self._budgeted, factor, fmt, exact=False).budget
        with torch.no_grad():
            running.copy_(_off(running, budget))


@liar("bounded", "track", "train_only", through="running_mean")
class RunningMeanOffByFour(_RunningOff):
    """running_mean is wrong by four budgets of its update."""


@liar("bounded", "track", "train_only", through="running_var")
class RunningVarianceOffByFour(_RunningOff):
    """running_var is wrong by four budgets of its update."""

    buffer = "running_var"
    statistic = "unbiased_variance"


class _OutputOff(HonestBatchNorm2d):
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
        if self.from_batch():
            found = _oracle(x)
            centre, spread_out = found.mean, found.biased_variance
        else:
            centre, spread_out = _known(mean), _known(variance)
        scale, shift = (None if each is None else _known(each) for each in (weight, bias))
        expected = ExpectedOutput(
            _batch(x), centre, spread_out, scale, shift, eps, self.from_batch(), "contiguous", False
        )
        return _off(y, output_values(expected).budget)


@liar("bounded", "train_only", through="output")
class TrainOutputOffByFour(_OutputOff):
    """Outputs of train mode are wrong by four budgets."""


@liar("bounded", "track", "eval_only", through="output")
class EvalOutputOffByFour(_OutputOff):
    """Outputs of eval mode are wrong by four budgets."""

    in_training = False


class _NormalisingOff(HonestBatchNorm2d):
    """Normalises with one statistic off by four budgets; stores the right ones."""

    def distort(self, found: Statistics, x: Tensor) -> Statistics:
        """Return the statistics that normalise."""
        return found

    def batch_norm(
        self, x: Tensor, operands: Operands, from_batch: bool, factor: float, eps: float
    ) -> Tensor:
        y = super().batch_norm(x, operands, from_batch, factor, eps)
        if not from_batch or not x.numel():
            return y
        found = self.distort(self.statistics(x), x)
        return self.normalise(x, found.mean, found.biased, operands.weight, operands.bias, eps)


@liar("bounded", "train_only", "n256", through="output")
class BatchMeanOffByFour(_NormalisingOff):
    """The mean that normalises is wrong by four budgets; the stored one is right."""

    def distort(self, found: Statistics, x: Tensor) -> Statistics:
        return found._replace(mean=_off(found.mean, _oracle(x).mean.budget))


@liar("bounded", "train_only", "n256", through="output")
class BatchVarianceOffByFour(_NormalisingOff):
    """The variance that normalises is wrong by four budgets; the stored one is right."""

    def distort(self, found: Statistics, x: Tensor) -> Statistics:
        return found._replace(biased=_off(found.biased, _oracle(x).biased_variance.budget))


class _LastBit(HonestBatchNorm2d):
    """Stores one of the buffers one unit in the last place too large."""

    buffer = "running_mean"

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        super().average(running, new, factor)
        if running is getattr(self, self.buffer):
            running.copy_(torch.from_numpy(np.nextafter(running.detach().numpy(), np.inf)))


@liar("exact", "track", "train_only", through="running_mean")
class LastBitOfMean(_LastBit):
    """running_mean is one unit in the last place too large, where it could be exact."""


@liar("exact", "track", "train_only", through="running_var")
class LastBitOfVariance(_LastBit):
    """running_var is one unit in the last place too large, where it could be exact."""

    buffer = "running_var"
