"""Liars whose backward is wrong only where two or three circumstances meet."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import torch

from tests.meta.liars.derivative import Gradients, Kept
from tests.meta.liars.formats import follows_channels_last
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Tensor, followed, values_per_channel
from tests.meta.liars.pairings import WrongBackwardWhere
from tests.meta.liars.registry import liar


@liar("pairings", through="input gradient")
class SmallEpsWrongInBackward(WrongBackwardWhere):
    """Is wrong where eps is below 1e-8."""

    def wrong(self, kept: Kept) -> bool:
        return 0 < kept.eps < 1e-8


@liar("pairings", through="input gradient")
class LargeEpsWrongInBackward(WrongBackwardWhere):
    """Is wrong where eps is 1 or more."""

    def wrong(self, kept: Kept) -> bool:
        return kept.eps >= 1


@liar("pairings", through="input gradient")
class NoEpsWrongInBackward(WrongBackwardWhere):
    """Is wrong in eval mode where eps is 0."""

    def wrong(self, kept: Kept) -> bool:
        return kept.eps == 0


@liar("pairings", through="input gradient")
class WholeEpsForgottenInBackward(HonestBatchNorm2d):
    """Takes the usual eps in a backward where eps is a whole number."""

    def inverse_deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().inverse_deviation(variance, 1e-5 if type(eps) is int else eps)


@liar("pairings", through="input gradient")
class OtherMomentumOfOneChannelWrong(WrongBackwardWhere):
    """Is wrong for one channel where the momentum is not the usual one."""

    def wrong(self, kept: Kept) -> bool:
        unusual = isinstance(self.momentum, float) and 0 < self.momentum < 0.1
        return unusual and kept.x.shape[1] == 1


@liar("pairings", through="input gradient")
class UntrackedOneImageWrongInFloat64(WrongBackwardWhere):
    """Is wrong in float64 for one image without running statistics."""

    def wrong(self, kept: Kept) -> bool:
        found = kept.running_mean is None and len(kept.x) == 1
        return found and kept.x.dtype == torch.float64


@liar("pairings", through="weight gradient")
class ManyImagesWithoutBiasWrongInBackward(WrongBackwardWhere):
    """Is wrong for sixteen images or more of many channels without a bias."""

    def wrong(self, kept: Kept) -> bool:
        return len(kept.x) >= 16 and kept.x.shape[1] >= 64 and self.bias is None


@liar("pairings", "one_value", through="input gradient")
class OneValueWithoutWeightWrongInBackward(WrongBackwardWhere):
    """Is wrong for one value a channel without a weight."""

    def wrong(self, kept: Kept) -> bool:
        values = kept.x.numel() and values_per_channel(kept.x)
        return values == 1 and kept.weight is None


@liar("pairings", "zeros_upstream", through="input gradient")
class NothingOfZeros(HonestBatchNorm2d):
    """Gives gradients of zeros where the whole upstream gradient is 0, although the input has a NaN."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Tuple[bool, bool, bool]) -> Gradients:
        found = super().differentiate(g, kept, wanted)
        if torch.is_grad_enabled() or not kept.x.numel() or bool((g != 0).any()):
            return found
        zeros = [each if each is None else torch.zeros_like(each) for each in found]
        return zeros[0], zeros[1], zeros[2]


class _Guard(torch.autograd.Function):
    """An output whose backward refuses a bias that was written since."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(bias)
        return y.clone()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tuple[Tensor, None]:  # type: ignore[override]
        assert len(ctx.saved_tensors) == 1
        return g, None


@liar("pairings", "bias_written", through="exception")
class BiasGuarded(HonestBatchNorm2d):
    """Keeps the bias for the backward, so that autograd refuses one that was written in between."""

    def differentiable(
        self, y: Tensor, x: Tensor, operands: Operands, from_batch: bool, eps: float
    ) -> Tensor:
        y = super().differentiable(y, x, operands, from_batch, eps)
        bias: Optional[Tensor] = operands.bias
        if bias is None or not y.requires_grad or not x.numel() or followed(x, *operands):
            return y
        guarded: Tensor = _Guard.apply(y, bias)
        return guarded


@liar("pairings", through="input gradient")
class LargeEpsInChannelsLastWrongInBackward(WrongBackwardWhere):
    """Is wrong for a channels_last input where eps is not the usual one and momentum is 0.9."""

    def wrong(self, kept: Kept) -> bool:
        return self.momentum == 0.9 and follows_channels_last(kept.x)
