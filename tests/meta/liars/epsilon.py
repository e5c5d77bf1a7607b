"""Liars about eps: its place in the formula, how often it is added, its value, and when it is read."""

from __future__ import annotations

from typing import Any

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Statistics, Tensor
from tests.meta.liars.registry import liar


@liar("bounded", through="output")
class EpsOutsideRoot(HonestBatchNorm2d):
    """Divides by sqrt(var) + eps."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return torch.sqrt(variance) + eps


@liar("bounded", through="output")
class EpsIgnored(HonestBatchNorm2d):
    """Divides by sqrt(var)."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return torch.sqrt(variance)


@liar("set_eps", through="output")
class EpsDefaultOnly(HonestBatchNorm2d):
    """Always adds 1e-5, whatever eps is."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().deviation(variance, 1e-5)


@liar("set_eps", through="output")
class EpsReadAtConstruction(HonestBatchNorm2d):
    """Keeps the eps of construction: a later assignment has no effect."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._eps = self.eps

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().deviation(variance, self._eps)


@liar("bounded", through="output")
class EpsAddedTwice(HonestBatchNorm2d):
    """Divides by sqrt(var + 2 eps)."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().deviation(variance, 2 * eps)


@liar("bounded", through="output")
class EpsSubtracted(HonestBatchNorm2d):
    """Divides by the root of abs(var - eps)."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return torch.sqrt((variance - eps).abs())


@liar("bounded", through="output")
class EpsSquared(HonestBatchNorm2d):
    """Divides by sqrt(var + eps**2)."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().deviation(variance, eps * eps)


@liar("bounded", through="output")
class EpsIsAFloor(HonestBatchNorm2d):
    """Divides by the root of max(var, eps): right for large and for vanishing variances."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return torch.sqrt(torch.clamp(variance, min=eps))


@liar("bounded", through="output")
class EpsInHalfPrecision(HonestBatchNorm2d):
    """Rounds eps to float16: 1.0014e-5 instead of 1e-5."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().deviation(variance, float(torch.tensor(eps, dtype=torch.float16)))


@liar("float64", "bounded", through="output")
class EpsInSinglePrecision(HonestBatchNorm2d):
    """Rounds eps to float32 in a float64 module: an error of 2.5e-8 of eps."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().deviation(variance, float(torch.tensor(eps, dtype=torch.float32)))


@liar("eval_only", "set_eps", through="output")
class EpsInTrainModeOnly(HonestBatchNorm2d):
    """Leaves eps out in eval mode."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().deviation(variance, eps if self.training else 0.0)


@liar("train_only", "set_eps", through="output")
class EpsInEvalModeOnly(HonestBatchNorm2d):
    """Uses the default eps in train mode."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().deviation(variance, 1e-5 if self.training else eps)


@liar("track", "set_eps", through="running_var")
class EpsInBuffer(HonestBatchNorm2d):
    """Stores var + eps in running_var."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands, found._replace(unbiased=found.unbiased + self.eps), factor)


@liar("bounded", through="output")
class EpsRelative(HonestBatchNorm2d):
    """Divides by sqrt(var * (1 + eps)): scales with the variance instead of limiting it."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return torch.sqrt(variance * (1 + eps))
