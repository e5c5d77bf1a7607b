"""Liars that are wrong only where two or three circumstances meet, each of which is in many cases."""

from __future__ import annotations

from typing import Tuple

import torch

from tests.meta.liars.derivative import Gradients, Kept
from tests.meta.liars.formats import follows_channels_last
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import NARROW, Operands, Tensor, values_per_channel
from tests.meta.liars.registry import liar


def recorded() -> bool:
    """Whether autograd records what is done."""
    return torch.is_grad_enabled()


def dense(x: Tensor) -> bool:
    """Whether the numbers lie in the order of one of the two memory formats, without gaps."""
    return x.is_contiguous() or x.is_contiguous(memory_format=torch.channels_last)


class WrongWhere(HonestBatchNorm2d):
    """Halves the output where ``wrong`` says so."""

    def batch_norm(
        self, x: Tensor, operands: Operands, from_batch: bool, factor: float, eps: float
    ) -> Tensor:
        y = super().batch_norm(x, operands, from_batch, factor, eps)
        return y / 2 if x.numel() and self.wrong(x, operands, eps) else y

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        raise NotImplementedError


class WrongBackwardWhere(HonestBatchNorm2d):
    """Halves the gradients where ``wrong`` says so."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Tuple[bool, bool, bool]) -> Gradients:
        found = super().differentiate(g, kept, wanted)
        if not self.wrong(kept):
            return found
        halves = [each if each is None else each / 2 for each in found]
        return halves[0], halves[1], halves[2]

    def wrong(self, kept: Kept) -> bool:
        raise NotImplementedError


@liar("pairings", through="output")
class UnrecordedWrongForGapsInFloat64(WrongWhere):
    """Is wrong without recording for a float64 input that is not dense."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return not recorded() and x.dtype == torch.float64 and not dense(x)


@liar("pairings", through="output")
class UnrecordedWrongForGapsIn16Bits(WrongWhere):
    """Is wrong without recording for an input of 16 bits that is not dense."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return not recorded() and x.dtype in NARROW and not dense(x)


@liar("pairings", through="output")
class UnrecordedWrongWithoutBiasInFloat64(WrongWhere):
    """Is wrong without recording in float64 where there is no bias."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return not recorded() and x.dtype == torch.float64 and operands.bias is None


@liar("pairings", through="output")
class UnrecordedWrongUntrackedIn16Bits(WrongWhere):
    """Is wrong without recording in 16 bits where there are no running statistics."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return not recorded() and x.dtype in NARROW and operands.running_mean is None


@liar("pairings", through="output")
class UnrecordedWrongForOneChannelInFloat64(WrongWhere):
    """Is wrong without recording for a single channel in float64."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return not recorded() and x.dtype == torch.float64 and x.shape[1] == 1


@liar("pairings", through="output")
class UnrecordedWrongBareOfManyChannels(WrongWhere):
    """Is wrong without recording for many channels without a weight."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return not recorded() and operands.weight is None and x.shape[1] >= 64


@liar("pairings", through="output")
class UnrecordedWrongBesideFrozenWeight(WrongWhere):
    """Is wrong without recording in float64 where the weight is frozen."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        weight = operands.weight
        frozen = weight is not None and not weight.requires_grad
        return not recorded() and frozen and x.dtype == torch.float64


@liar("pairings", through="output")
class OneImageInGapsWrongInFloat64(WrongWhere):
    """Is wrong in float64 for one image that is not dense."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return x.dtype == torch.float64 and len(x) == 1 and not dense(x)


@liar("pairings", through="output")
class OneImageWithoutWeightWrongInFloat64(WrongWhere):
    """Is wrong in float64 for one image without a weight."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        several = values_per_channel(x) > 1
        return x.dtype == torch.float64 and len(x) == 1 and several and operands.weight is None


@liar("pairings", through="output")
class UntrackedOneChannelWrongInFloat64(WrongWhere):
    """Is wrong in float64 for a single channel without running statistics."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return x.dtype == torch.float64 and x.shape[1] == 1 and operands.running_mean is None


@liar("pairings", through="output")
class ManyImagesWithoutBiasWrong(WrongWhere):
    """Is wrong for sixteen images or more of many channels without a bias."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return len(x) >= 16 and x.shape[1] >= 64 and operands.bias is None


@liar("pairings", through="output")
class LargeEpsInChannelsLastWrong(WrongWhere):
    """Is wrong in channels_last where eps is 1 or more."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return eps >= 1 and follows_channels_last(x)


@liar("pairings", through="output")
class LargeEpsUnrecordedWrong(WrongWhere):
    """Is wrong without recording where eps is 1 or more."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return eps >= 1 and not recorded()


@liar("pairings", through="output")
class LargeEpsIn16BitsWrong(WrongWhere):
    """Is wrong in 16 bits where eps is 1 or more."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return eps >= 1 and x.dtype in NARROW


@liar("pairings", through="output")
class SmallEpsInFloat64IsZero(HonestBatchNorm2d):
    """Takes an eps below 1e-10 for 0 in float64."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        small = variance.dtype == torch.float64 and 0 < eps < 1e-10
        return super().deviation(variance, 0.0 if small else eps)


@liar("pairings", "one_value", through="output")
class OneValueWithoutAffineWrong(WrongWhere):
    """Is wrong for one value a channel without a weight."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return values_per_channel(x) == 1 and operands.weight is None


@liar("pairings", "one_value", through="output")
class OneValueUnrecordedWrong(WrongWhere):
    """Is wrong without recording for one value a channel."""

    def wrong(self, x: Tensor, operands: Operands, eps: float) -> bool:
        return values_per_channel(x) == 1 and not recorded()


@liar("pairings", "width_of_features", through="exception")
class WidthTakenForChannels(HonestBatchNorm2d):
    """Returns an input whose width, but not its second dimension, is the number of features."""

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 4 and x.shape[3] == self.num_features != x.shape[1]:
            return super().forward(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return super().forward(x)


@liar("pairings", through="running_mean")
class HundredthTakenForPercent(HonestBatchNorm2d):
    """Takes a momentum of at most 0.05 for a percentage."""

    def factor(self) -> float:
        factor = super().factor()
        given = isinstance(self.momentum, float) and 1e-6 < self.momentum <= 0.05
        return factor / 100 if given else factor


@liar("pairings", through="running_mean")
class NineTenthsTakenForKept(HonestBatchNorm2d):
    """Takes a momentum between 0.5 and 1 for the part that is kept, as other frameworks have it."""

    def factor(self) -> float:
        factor = super().factor()
        return 1 - factor if isinstance(self.momentum, float) and 0.5 < self.momentum < 1 else factor
