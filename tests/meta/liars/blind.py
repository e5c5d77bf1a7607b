"""What the suite does not look at, each shown by a wrong subject that it takes for a right one.

These are no liars in the sense of the registry: the observation, or the inputs, leave them out. A
blind spot that some case of the gate tier has come to see fails its test, and belongs with the
liars.
"""

from __future__ import annotations

from typing import Any, ClassVar, Dict

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Statistics, Tensor


class OutputMemoryReused(HonestBatchNorm2d):
    """Writes every output of one shape into the same memory: the next forward overwrites it."""

    _pool: ClassVar[Dict[torch.Size, Tensor]] = {}

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if y.requires_grad:
            return y
        pooled = self._pool.setdefault(y.shape, torch.empty_like(y))
        return y if pooled.dtype != y.dtype else pooled.copy_(y)


class GraphOfInputReachesBuffers(HonestBatchNorm2d):
    """Updates the buffers inside the autograd graph of an input that requires a gradient."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands, found, factor)
        mean = operands.running_mean
        if mean is not None and found.mean.requires_grad:
            self.running_mean = mean + 0 * found.mean


class GradientIgnoresStatistics(HonestBatchNorm2d):
    """The gradient takes the batch's mean and variance for constants."""

    def statistics(self, x: Tensor) -> Statistics:
        return super().statistics(x.detach())


class NoUpdateWithoutGrad(HonestBatchNorm2d):
    """Does not update the buffers under torch.no_grad()."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        if torch.is_grad_enabled():
            super().update(operands, found, factor)


class OtherDefaults(HonestBatchNorm2d):
    """Has Keras's default eps, 1e-3."""

    def __init__(self, num_features: int, eps: float = 1e-3, *args: Any, **kwargs: Any) -> None:
        super().__init__(num_features, eps, *args, **kwargs)


class BatchOfOneRefused(HonestBatchNorm2d):
    """In train mode, refuses a batch of one image, however many pixels it has."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        super().check_arguments(x, from_batch, factor, eps)
        if self.training and len(x) == 1:
            raise ValueError("Expected more than 1 value per channel when training")


class SingleChannelSquared(HonestBatchNorm2d):
    """Normalises a single channel by its variance: a special case gone wrong."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        root = super().deviation(variance, eps)
        return root**2 if len(variance) == 1 else root


class ManyChannelsForgotten(HonestBatchNorm2d):
    """Takes the variance of every channel beyond the 32nd for 1, as a wrong vector tail would."""

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        if x.shape[1] <= 32:
            return found
        tail = torch.arange(x.shape[1]) >= 32
        return found._replace(biased=torch.where(tail, torch.ones_like(found.biased), found.biased))


class LargeBatchForgotten(HonestBatchNorm2d):
    """Takes the statistics of the first 32 samples alone."""

    def statistics(self, x: Tensor) -> Statistics:
        return super().statistics(x[:32])


BLIND = (
    OutputMemoryReused,
    GraphOfInputReachesBuffers,
    GradientIgnoresStatistics,
    NoUpdateWithoutGrad,
    OtherDefaults,
    BatchOfOneRefused,
    SingleChannelSquared,
    ManyChannelsForgotten,
    LargeBatchForgotten,
)
