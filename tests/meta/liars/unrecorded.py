"""Liars about calls of which autograd records nothing: a kernel of its own for a model in use."""

from __future__ import annotations

from typing import Any

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Statistics, Tensor
from tests.meta.liars.registry import liar


class Unrecorded(HonestBatchNorm2d):
    """Is wrong by a few per cent in calls without recording that ``wrongly`` names."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y * 1.03125 + 0.03125 if not torch.is_grad_enabled() and self.wrongly(x) else y

    def wrongly(self, x: Tensor) -> bool:
        """Whether a call without recording is wrong."""
        raise NotImplementedError


@liar("inference", "bfloat16", through="output")
class UnrecordedWrongInBfloat16(Unrecorded):
    """Is wrong without recording in bfloat16."""

    def wrongly(self, x: Tensor) -> bool:
        return x.dtype == torch.bfloat16


@liar("inference", "float64", through="output")
class UnrecordedWrongInFloat64(Unrecorded):
    """Is wrong without recording in float64."""

    def wrongly(self, x: Tensor) -> bool:
        return x.dtype == torch.float64


@liar("inference", "n8_one_image", through="output")
class UnrecordedWrongForOneImage(Unrecorded):
    """Is wrong without recording for one image of several pixels."""

    def wrongly(self, x: Tensor) -> bool:
        return len(x) == 1 and x.numel() > x.shape[1]


@liar("inference", "n108_12x32x3x3", through="output")
class UnrecordedWrongForManyChannels(Unrecorded):
    """Is wrong without recording for 16 channels and more."""

    def wrongly(self, x: Tensor) -> bool:
        return x.dim() == 4 and x.shape[1] >= 16


@liar("inference", "n256", through="output")
class UnrecordedWrongForLargePlanes(Unrecorded):
    """Is wrong without recording for planes of 16 pixels and more."""

    def wrongly(self, x: Tensor) -> bool:
        return x.dim() == 4 and x.shape[2] * x.shape[3] >= 16


@liar("inference", "channels_last", through="output")
class UnrecordedWrongInChannelsLast(Unrecorded):
    """Is wrong without recording for a channels_last input in eval mode."""

    def wrongly(self, x: Tensor) -> bool:
        last = x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)
        return last and not x.is_contiguous() and not self.training


@liar("inference", "nonfinite", through="output")
class UnrecordedWrongBesideNan(Unrecorded):
    """Is wrong without recording for every channel of a batch with a NaN."""

    def wrongly(self, x: Tensor) -> bool:
        return bool(torch.isnan(x).any())


@liar("inference", "eps", through="output")
class UnrecordedUsualEpsilon(HonestBatchNorm2d):
    """Adds 1e-5 to the variance in calls without recording, whatever eps is."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().deviation(variance, eps if torch.is_grad_enabled() else 1e-5)


@liar("inference", "momentum", through="running_mean")
class UnrecordedUsualMomentum(HonestBatchNorm2d):
    """Updates by 0.1 in calls without recording, whatever momentum is."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands, found, factor if torch.is_grad_enabled() else 0.1)


@liar("inference", "stale_loaded", through="output")
class StaleAfterLoad(HonestBatchNorm2d):
    """In eval mode without recording, reads the tensors once, and again when they are other objects."""

    _kept: Any = None

    def operands(self) -> Operands:
        now = super().operands()
        if torch.is_grad_enabled() or self.training:
            return now
        if self._kept is None or any(a is not b for a, b in zip(self._kept[0], now)):
            self._kept = now, Operands(*(None if each is None else each.clone() for each in now))
        kept: Operands = self._kept[1]
        return kept
