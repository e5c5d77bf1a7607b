"""Liars whose backward pass normalises by other numbers than the forward did."""

from __future__ import annotations

from typing import Any, Tuple

import torch

from tests.meta.liars.derivative import Kept
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Tensor
from tests.meta.liars.registry import liar


@liar("track", "train_only", "g_ordinary", through="input gradient")
class RunningStatisticsInTrain(HonestBatchNorm2d):
    """Differentiates a train-mode forward with the running statistics where there are some."""

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        if kept.running_mean is None or kept.running_var is None:
            return super().normalised_by(kept)
        return kept.running_mean, kept.running_var


@liar("track", "train_only", "g_ordinary", through="weight gradient")
class RunningMeanInTrain(HonestBatchNorm2d):
    """Takes the running mean, but the batch's variance, in train mode."""

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        mean, variance = super().normalised_by(kept)
        return (mean if kept.running_mean is None else kept.running_mean), variance


@liar("eval_only", "g_ordinary", through="input gradient")
class BatchStatisticsInEval(HonestBatchNorm2d):
    """Differentiates an eval-mode forward with the batch's statistics."""

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        return super().normalised_by(kept._replace(from_batch=True))


@liar("eval_only", "g_ordinary", through="weight gradient")
class BatchMeanInEval(HonestBatchNorm2d):
    """Takes the batch's mean, but the running variance, in eval mode."""

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        mean, _ = super().normalised_by(kept._replace(from_batch=True))
        return mean, super().normalised_by(kept)[1]


@liar("train_only", "n2", "g_ordinary", through="input gradient")
class UnbiasedVariance(HonestBatchNorm2d):
    """Takes the unbiased variance in train mode."""

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        mean, variance = super().normalised_by(kept)
        if kept.from_batch and kept.x.numel():
            variance = self.statistics(kept.x).unbiased
        return mean, variance


@liar("eval_only", "n2", "g_ordinary", through="input gradient")
class BiasedRunningVariance(HonestBatchNorm2d):
    """Takes the running variance for unbiased and rescales it in eval mode."""

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        mean, variance = super().normalised_by(kept)
        values = kept.x.numel() // max(kept.x.shape[1], 1)
        return mean, variance if kept.from_batch else variance * (values - 1) / max(values, 1)


@liar("train_only", "bounded", "g_ordinary", through="input gradient")
class EpsAbsent(HonestBatchNorm2d):
    """Leaves eps out of the root where the variance is not 0."""

    def inverse_deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().inverse_deviation(torch.where(variance > 0, variance - eps, variance), eps)


@liar("train_only", "bounded", "g_ordinary", through="input gradient")
class EpsAddedToRoot(HonestBatchNorm2d):
    """Adds eps to the root."""

    def inverse_deviation(self, variance: Tensor, eps: float) -> Tensor:
        return 1 / (torch.sqrt(variance) + eps)


@liar("train_only", "bounded", "g_ordinary", through="input gradient")
class EpsTwice(HonestBatchNorm2d):
    """Adds eps twice."""

    def inverse_deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().inverse_deviation(variance + eps, eps)


@liar("set_eps", "bounded", "g_ordinary", through="input gradient")
class EpsDefault(HonestBatchNorm2d):
    """Takes the default eps, whatever the forward had."""

    def inverse_deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().inverse_deviation(variance, 1e-5)


@liar("train_only", "bounded", "g_ordinary", through="input gradient")
class ReciprocalRootInHalf(HonestBatchNorm2d):
    """Estimates the inverse root to eight bits, and does not refine it."""

    def inverse_deviation(self, variance: Tensor, eps: float) -> Tensor:
        right = super().inverse_deviation(variance, eps)
        return right.to(torch.bfloat16).to(right.dtype)


@liar("train_only", "bounded", "g_ordinary", through="input gradient")
class VarianceOfSquares(HonestBatchNorm2d):
    """Recomputes the variance as the mean of the squares less the square of the mean."""

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        mean, variance = super().normalised_by(kept)
        if kept.from_batch and kept.x.numel():
            squares = (kept.x * kept.x).mean((0, 2, 3))
            variance = (squares - (mean * mean).to(squares.dtype)).clamp(min=0)
        return mean, variance


@liar("alternating", "g_ordinary", through="input gradient")
class FirstStatisticsKept(HonestBatchNorm2d):
    """Keeps for every backward pass of a module the statistics of its first."""

    first: Any = None

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        if not kept.x.numel():
            return super().normalised_by(kept)
        if self.first is None:
            self.first = super().normalised_by(kept)
        found: Tuple[Tensor, Tensor] = self.first
        return found


@liar("no_track", "untrained_eval", "g_ordinary", through="input gradient")
class UntrackedEvalConstant(HonestBatchNorm2d):
    """Takes the batch's statistics for constants in eval mode, as if they were running ones."""

    def differentiable(
        self, y: Tensor, x: Tensor, operands: Operands, from_batch: bool, eps: float
    ) -> Tensor:
        if from_batch and not self.training and x.numel():
            found = self.statistics(x.detach())
            running = found.mean.to(x.dtype), found.biased.to(x.dtype)
            constant = Operands(operands.weight, operands.bias, *running)
            return super().differentiable(y, x, constant, False, eps)
        return super().differentiable(y, x, operands, from_batch, eps)
