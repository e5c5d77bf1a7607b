"""Liars about settings of torch, which they leave changed for everything that comes after them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor
from tests.meta.liars.registry import liar


@liar("edge", "autograd", through="exception")
class GradModeLeftOff(HonestBatchNorm2d):
    """Leaves the recording of graphs off after a forward in eval mode."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if not self.training:
            torch.set_grad_enabled(False)
        return y


@liar("edge", "dtype", "wrong_float_float64", through="exception")
class DefaultDtypeLeft(HonestBatchNorm2d):
    """Leaves float64 as the default dtype after a forward with such an input."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if x.dtype == torch.float64:
            torch.set_default_dtype(torch.float64)
        return y


@liar("edge", "shape", through="exception")
class RandomNumbersDrawn(HonestBatchNorm2d):
    """Draws a random number in every forward, so that what comes after it is initialised otherwise."""

    def forward(self, x: Tensor) -> Tensor:
        torch.rand(1)
        return super().forward(x)


@liar("edge", "construction", through="exception")
class RandomNumbersDrawnAtConstruction(HonestBatchNorm2d):
    """Draws random numbers for a weight that it then sets to 1."""

    def __init__(self, num_features: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(num_features, *args, **kwargs)
        torch.rand(num_features)


@liar("edge", "reset", through="exception")
class SeedSetByReset(HonestBatchNorm2d):
    """Seeds the random numbers in reset_parameters."""

    def reset_parameters(self) -> None:
        torch.manual_seed(0)
        super().reset_parameters()


@liar("edge", "shape", through="exception")
class SubnormalsFlushed(HonestBatchNorm2d):
    """Has the processor take subnormal numbers for 0 from the first forward on."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        torch.set_flush_denormal(True)
        return y


@liar("edge", "construction", through="exception")
class DeterminismLeft(HonestBatchNorm2d):
    """Asks torch for deterministic algorithms and leaves it so."""

    def __init__(self, num_features: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(num_features, *args, **kwargs)
        torch.use_deterministic_algorithms(True)


@liar("edge", "protocol", "made", through="text")
class DefaultDtypeIgnored(HonestBatchNorm2d):
    """Makes its tensors in float32, whatever the default dtype is."""

    def __init__(self, num_features: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(num_features, *args, **kwargs)
        if kwargs.get("dtype") is None:
            self.float()


@liar("edge", "protocol", "made", through="text")
class DefaultDtypeOfStatisticsIgnored(HonestBatchNorm2d):
    """Makes its running statistics in float32, whatever the default dtype is."""

    def __init__(self, num_features: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(num_features, *args, **kwargs)
        if kwargs.get("dtype") is None and self.running_mean is not None:
            for name in ("running_mean", "running_var"):
                setattr(self, name, getattr(self, name).float())


@liar("edge", "protocol", "made", through="text")
class DeviceIgnored(HonestBatchNorm2d):
    """Makes its tensors on the CPU, whatever the keyword device says."""

    def __init__(self, num_features: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(num_features, *args, **{**kwargs, "device": None})


class _Leaving(HonestBatchNorm2d):
    """Leaves in every forward what ``leave`` sets."""

    def leave(self) -> None:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        self.leave()
        return y


@liar("edge", "shape", through="exception")
class CudnnLeftOff(_Leaving):
    """Turns the library of kernels for GPUs off for everything that comes after it."""

    def leave(self) -> None:
        torch.backends.cudnn.enabled = False


@liar("edge", "shape", through="exception")
class PrecisionLeft(_Leaving):
    """Has products of matrices computed with fewer digits."""

    def leave(self) -> None:
        torch.set_float32_matmul_precision("medium")


@liar("edge", "shape", through="exception")
class WarnOnlyLeft(_Leaving):
    """Asks for warnings in the place of the exceptions of what is not deterministic."""

    def leave(self) -> None:
        torch.use_deterministic_algorithms(False, warn_only=True)


@liar("edge", "shape", through="exception")
class MixedPrecisionLeft(_Leaving):
    """Leaves the context of mixed precision open."""

    def leave(self) -> None:
        torch.set_autocast_enabled("cpu", True)


@liar("edge", "shape", through="exception")
class NumpyErrorsSilenced(_Leaving):
    """Has NumPy compute on without a word where numbers overflow."""

    def leave(self) -> None:
        np.seterr(over="ignore")
