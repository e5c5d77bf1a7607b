"""Liars about forwards under ``torch.inference_mode()``."""

from __future__ import annotations

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Statistics, Tensor
from tests.meta.liars.registry import liar


@liar("accumulation", "tracked_inference", through="num_batches_tracked")
class NotCountedInInference(HonestBatchNorm2d):
    """Does not count a train-mode forward in inference mode."""

    def counts(self) -> bool:
        return super().counts() and not torch.is_inference_mode_enabled()


@liar("accumulation", "tracked_inference", through="running_mean")
class NotUpdatedInInference(HonestBatchNorm2d):
    """Counts a train-mode forward in inference mode, but leaves the running statistics as they are."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        if not torch.is_inference_mode_enabled():
            super().update(operands, found, factor)


@liar("accumulation", "tracked_inference", through="output")
class EvalInInference(HonestBatchNorm2d):
    """Takes inference mode for eval mode: the running statistics normalise."""

    def from_batch(self) -> bool:
        if torch.is_inference_mode_enabled() and self.running_mean is not None:
            return False
        return super().from_batch()


@liar("accumulation", "tracked_inference", through="num_batches_tracked is the same object")
class CounterReboundInInference(HonestBatchNorm2d):
    """Counts in inference mode with a new tensor."""

    def count(self) -> None:
        if torch.is_inference_mode_enabled():
            self.num_batches_tracked = torch.add(self.num_batches_tracked, 1)  # type: ignore[arg-type]
        else:
            super().count()


@liar("accumulation", "tracked_inference", through="running_var is the same object")
class BuffersReboundInInference(HonestBatchNorm2d):
    """Replaces the running variance in inference mode by a tensor that autograd cannot use."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if torch.is_inference_mode_enabled() and self.running_var is not None:
            self.running_var = self.running_var.clone()
        return y


@liar("accumulation", "cumulative_inference", through="running_var")
class AverageRestartsInInference(HonestBatchNorm2d):
    """Takes a batch in inference mode for the first of a cumulative average."""

    def cumulative_factor(self) -> float:
        return 1.0 if torch.is_inference_mode_enabled() and self.counts() else super().cumulative_factor()


@liar("accumulation", "tracked_inference", through="output")
class NotNormalisedInInference(HonestBatchNorm2d):
    """Leaves the weight out in inference mode."""

    def operands(self) -> Operands:
        found = super().operands()
        return found._replace(weight=None) if torch.is_inference_mode_enabled() else found
