"""Liars about the running statistics: when they are updated, to what, and which object holds them."""

from __future__ import annotations

from typing import Any, Optional

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Statistics, Tensor
from tests.meta.liars.registry import liar


@liar("track", "eval_only", through="running_mean")
class UpdatedInEval(HonestBatchNorm2d):
    """Updates the buffers in eval mode as well; the output is right."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if not self.training and self.track_running_stats and x.numel():
            self.update(self.operands(), self.statistics(x), 0.1)
        return y


@liar("no_track", "attach_tensors", "eval_only", through="running_mean")
class UpdatedInEvalWhenAttached(HonestBatchNorm2d):
    """Updates the buffers in eval mode where the flag says untracked."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if not self.training and not self.track_running_stats and x.numel():
            self.update(self.operands(), self.statistics(x), 0.1)
        return y


@liar("track", "train_only", through="running_mean is the same object")
class BuffersRebound(HonestBatchNorm2d):
    """Binds the buffers to new tensors at every update."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands, found, factor)
        for name in ("running_mean", "running_var"):
            buffer: Optional[Tensor] = getattr(self, name)
            if buffer is not None and not isinstance(buffer, torch.nn.Parameter):
                setattr(self, name, buffer.clone())


@liar("track", "momentum_1.0", "train_only", through="output")
class UpdatedBeforeUse(HonestBatchNorm2d):
    """Normalises a train-mode batch with the mean that was just stored."""

    def batch_norm(
        self, x: Tensor, operands: Operands, from_batch: bool, factor: float, eps: float
    ) -> Tensor:
        y = super().batch_norm(x, operands, from_batch, factor, eps)
        mean = operands.running_mean
        if not (from_batch and x.numel() and mean is not None):
            return y
        variance = self.statistics(x).biased
        return self.normalise(x, mean, variance, operands.weight, operands.bias, eps)


@liar("track", "bounded", through="running_var")
class VarianceFloor(HonestBatchNorm2d):
    """Stores no variance below 1e-3."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands, found._replace(unbiased=found.unbiased.clamp(min=1e-3)), factor)


@liar("track", "momentum_1.5", through="running_var")
class NegativeVarianceClamped(HonestBatchNorm2d):
    """Clamps running_var at 0 where a momentum above 1 makes it negative."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands, found, factor)
        if operands.running_var is not None:
            operands.running_var.clamp_(min=0)


@liar("track", "train_only", through="running_mean")
class MeanNeverUpdated(HonestBatchNorm2d):
    """Updates running_var alone."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands._replace(running_mean=None), found, factor)


@liar("track", "train_only", through="running_var")
class VarianceNeverUpdated(HonestBatchNorm2d):
    """Updates running_mean alone."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands._replace(running_var=None), found, factor)


@liar("track", "train_only", through="running_var")
class DeviationStored(HonestBatchNorm2d):
    """Stores the standard deviation in running_var."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands, found._replace(unbiased=found.unbiased.sqrt()), factor)


@liar("track", "train_only", through="running_var")
class VarianceInHalfPrecision(HonestBatchNorm2d):
    """Rounds running_var to bfloat16 at every update."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands, found, factor)
        if operands.running_var is not None:
            stored = operands.running_var
            stored.copy_(stored.to(torch.bfloat16).to(stored.dtype))


@liar("nonfinite", "track", through="running_mean")
class NanBatchSkipped(HonestBatchNorm2d):
    """Does not update channels whose batch holds a NaN."""

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        before = running.clone()
        super().average(running, new, factor)
        running.copy_(torch.where(torch.isnan(new), before, running))


@liar("nonfinite", "track", through="running_mean")
class NanBatchDiscarded(HonestBatchNorm2d):
    """Does not update any channel when one of them holds a NaN."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        if not bool(torch.isnan(found.mean).any()):
            super().update(operands, found, factor)


@liar("track", "train_only", through="running_mean")
class UpdateDelayed(HonestBatchNorm2d):
    """Averages a batch in only when the next one comes."""

    _waiting: Optional[Statistics] = None

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        if self._waiting is not None:
            super().update(operands, self._waiting, factor)
        self._waiting = Statistics(*(values.detach() for values in found))


@liar("track", "train_only", through="running_mean")
class UpdatedTwice(HonestBatchNorm2d):
    """Averages every batch in twice."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands, found, factor)
        super().update(operands, found, factor)


@liar("track", "untrained_eval", through="running_var")
class InitialVarianceZero(HonestBatchNorm2d):
    """Starts running_var at 0."""

    def make_buffers(self, wanted: bool) -> None:
        super().make_buffers(wanted)
        if self.running_var is not None:
            self.running_var.zero_()


@liar("attach_parameters", "eval_only", through="output")
class ParametersNotTaken(HonestBatchNorm2d):
    """Takes running statistics that are Parameters for absent."""

    def from_batch(self) -> bool:
        return super().from_batch() or isinstance(self.running_mean, torch.nn.Parameter)

    def operands(self) -> Operands:
        operands = super().operands()
        if self.training or not self.from_batch():
            return operands
        return operands._replace(running_mean=None, running_var=None)


@liar("in_eval", "attach_tensors", through="output")
class EvalStatisticsCached(HonestBatchNorm2d):
    """Reads the running statistics once in eval mode, until train() is called."""

    _cached: Optional[Operands] = None

    def train(self, mode: bool = True) -> Any:
        self._cached = None
        super().train(mode)
        return self

    def from_batch(self) -> bool:
        if self.training:
            return True
        operands = self.operands()
        return operands.running_mean is None and operands.running_var is None

    def operands(self) -> Operands:
        if self.training:
            return super().operands()
        if self._cached is None:
            self._cached = super().operands()
        return self._cached


@liar("affine", "track", "train_only", through="running_mean has a grad_fn")
class GraphReachesBuffers(HonestBatchNorm2d):
    """Keeps the buffers in the autograd graph of the weight."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands, found, factor)
        mean, weight = self.running_mean, operands.weight
        if mean is not None and weight is not None and not isinstance(mean, torch.nn.Parameter):
            self.running_mean = mean + 0 * weight


@liar("track", "train_only", through="running_mean requires_grad")
class BuffersRequireGrad(HonestBatchNorm2d):
    """The running mean asks for a gradient once it was updated."""

    def forward(self, x: Tensor) -> Tensor:
        if self.running_mean is not None and self.updates():
            self.running_mean.requires_grad_(False)
        y = super().forward(x)
        if self.running_mean is not None and self.training and self.updates():
            self.running_mean.requires_grad_(True)
        return y


@liar("nonfinite", "track", through="running_mean")
class InfiniteMeanLost(HonestBatchNorm2d):
    """Stores the largest finite number where the batch's mean is infinite."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        most = torch.finfo(found.mean.dtype).max
        super().update(operands, found._replace(mean=found.mean.clamp(-most, most)), factor)
