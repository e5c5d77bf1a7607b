"""Liars about backwards that need only some of the gradients, and about extreme upstream gradients."""

from __future__ import annotations

from typing import Tuple

import torch

from tests.meta.liars.derivative import Gradients, Kept
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor
from tests.meta.liars.registry import liar

Wanted = Tuple[bool, bool, bool]


@liar("backward", "inf_float32", through="input gradient")
class GradientCleaned(HonestBatchNorm2d):
    """Replaces NaN and infinities in the upstream gradient, so that a loss scale is never lowered."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        return super().differentiate(torch.nan_to_num(g), kept, wanted)


@liar("backward", "nan_float32", through="input gradient")
class NanGradientLeaks(HonestBatchNorm2d):
    """Lets a NaN in the upstream gradient of one channel into every other channel."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        return super().differentiate(g + 0 * g.sum(), kept, wanted)


@liar("backward", "huge_float32", through="input gradient")
class GradientClamped(HonestBatchNorm2d):
    """Clamps the upstream gradient to 1e20."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        return super().differentiate(g.clamp(-1e20, 1e20), kept, wanted)


class Needing(HonestBatchNorm2d):
    """Differentiates an upstream gradient that is 1/16 too large where ``wrongly`` says so."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        return super().differentiate(g * 1.0625 if self.wrongly(kept, wanted) else g, kept, wanted)

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        """Whether this backward is wrong. ``wanted``: the gradients of input, weight and bias."""
        raise NotImplementedError


def _last(x: Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()


@liar("frozen", "none_n60_3x8x5x4_float32", through="weight gradient")
class ParametersAloneWrong(Needing):
    """Is wrong for weight and bias alone, unless there are 11 channels."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted == (False, True, True) and kept.x.shape[1] != 11


@liar("frozen", "weight_n30_float32", through="input gradient")
class FrozenWeightWrong(Needing):
    """Is wrong for a channels_last input beside a frozen weight."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted == (True, False, True) and _last(kept.x)


@liar("frozen", "weight_n30_bfloat16", through="bias gradient")
class BiasAloneWrong(Needing):
    """Is wrong for a bias alone in 16 bits."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted == (False, False, True) and kept.x.dtype == torch.bfloat16


@liar("frozen", "bias_n30_float64", through="weight gradient")
class WeightAloneWrong(Needing):
    """Is wrong for a weight alone in float64."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted == (False, True, False) and kept.x.dtype == torch.float64


@liar("frozen", "both_n60_3x8x5x4_float32", through="input gradient")
class InputAloneWrong(Needing):
    """Is wrong for the input alone, where there are eight channels."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted == (True, False, False) and kept.x.shape[1] == 8


@liar("planes", "n60_3x8x5x4_bfloat16", through="input gradient")
class EvenChannelsWrong(Needing):
    """Is wrong in 16 bits for an even number of channels."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return kept.x.dtype == torch.bfloat16 and kept.x.shape[1] % 2 == 0


@liar("planes", "pairs_n60_3x8x5x4", through="input gradient")
class PairOfLayoutsWrong(Needing):
    """Is wrong where a channels_last input meets a contiguous upstream gradient, in vectors of 8 channels."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        given = kept.given
        vectors = kept.x.shape[1] % 8 == 0
        return vectors and _last(kept.x) and given is not None and given.is_contiguous()


@liar("double_backward", "eps_float32", through="input 2nd gradient")
class UsualEpsilonTwice(HonestBatchNorm2d):
    """Adds 1e-5 to the variance in a backward that is differentiated, whatever eps is."""

    def inverse_deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().inverse_deviation(variance, 1e-5 if torch.is_grad_enabled() else eps)


@liar("double_backward", "upstream_ones_scalar", through="upstream 2nd gradient")
class ExpandedTwiceWrong(Needing):
    """Is wrong for an expanded upstream gradient in a backward that is differentiated."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        given = kept.given
        return torch.is_grad_enabled() and given is not None and not any(given.stride())
