"""Liars about backwards of some gradients alone, where dtype, size or eps is another one, too."""

from __future__ import annotations

from typing import Any, Dict

import torch

from tests.meta.liars.backward_needs import Needing, Wanted
from tests.meta.liars.backward_subsets import Box, _Emptying, _Filling
from tests.meta.liars.derivative import Gradients, Kept
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import NARROW, Tensor
from tests.meta.liars.registry import liar

PARAMETERS = (False, True, True)
BIAS = (False, False, True)
WEIGHT = (False, True, False)


def _frozen(kept: Kept) -> bool:
    return kept.weight is not None and not kept.weight.requires_grad


@liar("frozen", "each_n30_float32", through="weight gradient")
class UsualEpsilonForParametersAlone(HonestBatchNorm2d):
    """Takes 1e-5 for eps in a backward of weight and bias alone."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        kept = kept._replace(eps=1e-5) if wanted == PARAMETERS else kept
        return super().differentiate(g, kept, wanted)


@liar("frozen", "each_n30_bfloat16", through="input gradient")
class UsualEpsilonBesideFrozenWeight(HonestBatchNorm2d):
    """Takes 1e-5 for eps in a backward beside a frozen weight."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        return super().differentiate(g, kept._replace(eps=1e-5) if _frozen(kept) else kept, wanted)


@liar("frozen", "each_n8_one_image_float32", through="weight gradient")
class ParametersOfOneImageWrong(Needing):
    """Is wrong for weight and bias alone of one image."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted == PARAMETERS and kept.x.shape[0] == 1


@liar("frozen", "each_n8_one_channel_float32", through="weight gradient")
class ParametersOfOneChannelWrong(Needing):
    """Is wrong for weight and bias alone of one channel."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted == PARAMETERS and kept.x.shape[1] == 1


@liar("frozen", "each_n24_2x2x4x3_float64", through="bias gradient")
class ParametersOfFewChannelsWrong(Needing):
    """Is wrong for weight and bias alone of fewer than eight channels."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted == PARAMETERS and kept.x.shape[1] < 8


@liar("frozen", "each_n30_float32", through="weight gradient")
class ParametersOfMixedLayoutsWrong(Needing):
    """Is wrong for weight and bias alone of a contiguous input with an upstream gradient in channels_last."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        contiguous = kept.given is None or kept.given.is_contiguous()
        return wanted == PARAMETERS and kept.x.is_contiguous() and not contiguous


@liar("frozen", "each_n30_float16", through="bias gradient")
class BiasAloneInFloat16Wrong(Needing):
    """Is wrong for a bias alone in float16."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted == BIAS and kept.x.dtype == torch.float16


@liar("frozen", "each_n96_2x48x6x8_float32", through="bias gradient")
class BiasAloneOfManyChannelsWrong(Needing):
    """Is wrong for a bias alone of 32 channels and more."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted == BIAS and kept.x.shape[1] >= 32


@liar("frozen", "each_n30_mixed_float16", through="weight gradient")
class WeightAloneInMixedPrecisionWrong(Needing):
    """Is wrong for a weight alone of a narrow input."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted == WEIGHT and kept.x.dtype in NARROW and kept.weight is not None


@liar("frozen", "each_untracked_float32", through="weight gradient")
class WeightAloneUntrackedWrong(Needing):
    """Is wrong for a weight alone without running statistics."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted == WEIGHT and kept.running_mean is None


@liar("frozen", "each_n2_float32", through="input gradient")
class FrozenWeightOfOnePixelWrong(Needing):
    """Is wrong for an input beside a frozen weight for images of one pixel."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted[0] and _frozen(kept) and kept.x.shape[2] * kept.x.shape[3] == 1


@liar("frozen", "each_n96_2x48x6x8_float16", through="input gradient")
class FrozenWeightOfManyChannelsWrong(Needing):
    """Is wrong for an input beside a frozen weight for 32 channels and more."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted[0] and _frozen(kept) and kept.x.shape[1] >= 32


@liar("frozen", "each_untracked_bfloat16", through="input gradient")
class FrozenWeightUntrackedWrong(Needing):
    """Is wrong for an input beside a frozen weight without running statistics."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted[0] and _frozen(kept) and kept.running_mean is None


@liar("frozen", "each_n8_one_image_float32", through="input gradient")
class InputAloneOfOneImageWrong(Needing):
    """Is wrong for the input alone of one image, beside a frozen weight."""

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return not any(wanted[1:]) and _frozen(kept) and kept.x.shape[0] == 1


# --- second derivatives ----------------------------------------------------------------------------------


@liar("double_backward", "asked_tracked", through="input 2nd gradient")
class ConstantUpstreamConstant(HonestBatchNorm2d):
    """Takes the gradients for constants where the upstream gradient is one, as that of a sum."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        found = super().differentiate(g, kept, wanted)
        if g.requires_grad or not torch.is_grad_enabled():
            return found
        first, weight, bias = (None if each is None else each.detach() for each in found)
        if first is not None and kept.x.requires_grad:
            first = first + 0 * kept.x  # so that it can be differentiated
        return first, weight, bias


class _TwiceBeside(HonestBatchNorm2d):
    """Gives the second derivative by ``late`` only where that by ``first`` is asked for, too."""

    late: str
    first: str

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        if not torch.is_grad_enabled():
            return super().differentiate(g, kept, wanted)
        box: Box = {}
        letters: Dict[str, Any] = {"x": kept.x, "weight": kept.weight, "g": g}
        for name, function in ((self.late, _Emptying), (self.first, _Filling)):
            if letters[name] is not None and letters[name].requires_grad:
                letters[name] = function.apply(letters[name], box)
        kept = kept._replace(x=letters["x"], weight=letters["weight"])
        return super().differentiate(letters["g"], kept, wanted)


@liar("double_backward", "asked_tracked", through="weight 2nd gradient")
class WeightTwiceBesideUpstream(_TwiceBeside):
    """Gives the weight a second derivative only beside that of the upstream gradient."""

    late, first = "weight", "g"


class _TwiceNeeding(Needing):
    """Is wrong where a backward is differentiated and ``there`` returns True."""

    def there(self, kept: Kept, wanted: Wanted) -> bool:
        raise NotImplementedError

    def wrongly(self, kept: Kept, wanted: Wanted) -> bool:
        return torch.is_grad_enabled() and self.there(kept, wanted)


@liar("double_backward", "each_n8_one_channel_float16", through="input 2nd gradient")
class TwiceWrongForOneChannelIn16Bits(_TwiceNeeding):
    """Gives wrong second derivatives for one channel in 16 bits."""

    def there(self, kept: Kept, wanted: Wanted) -> bool:
        return kept.x.shape[1] == 1 and kept.x.dtype in NARROW


@liar("double_backward", "each_n8_one_image_float64", through="input 2nd gradient")
class TwiceWrongForOneImageInFloat64(_TwiceNeeding):
    """Gives wrong second derivatives for one image in float64."""

    def there(self, kept: Kept, wanted: Wanted) -> bool:
        return kept.x.shape[0] == 1 and kept.x.dtype == torch.float64


@liar("double_backward", "each_n96_2x48x6x8_mixed_bfloat16", through="input 2nd gradient")
class TwiceWrongForManyChannelsIn16Bits(_TwiceNeeding):
    """Gives wrong second derivatives for 32 channels and more in 16 bits."""

    def there(self, kept: Kept, wanted: Wanted) -> bool:
        return kept.x.shape[1] >= 32 and kept.x.dtype in NARROW


@liar("double_backward", "each_n30_bfloat16", through="input 2nd gradient")
class UsualEpsilonTwiceIn16Bits(HonestBatchNorm2d):
    """Takes 1e-5 for eps in a backward that is differentiated, in 16 bits."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        other = torch.is_grad_enabled() and kept.x.dtype in NARROW
        return super().differentiate(g, kept._replace(eps=1e-5) if other else kept, wanted)


@liar("double_backward", "each_n9_9x5x1x1_float64", through="input 2nd gradient")
class TwiceWrongForVectors(_TwiceNeeding):
    """Gives wrong second derivatives for images of one pixel, unless there are 11 channels."""

    def there(self, kept: Kept, wanted: Wanted) -> bool:
        return kept.x.shape[1] not in (1, 11) and kept.x.shape[2] * kept.x.shape[3] == 1


@liar("double_backward", "each_n30_float32", through="input 2nd gradient")
class TwiceWrongBesideFrozenWeight(_TwiceNeeding):
    """Gives wrong second derivatives of a channels_last input beside a frozen weight."""

    def there(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted[0] and _frozen(kept) and not kept.x.is_contiguous()


@liar("double_backward", "each_n30_float16", through="input 2nd gradient")
class TwiceWrongBesideFrozenBias(_TwiceNeeding):
    """Gives wrong second derivatives beside a frozen bias in 16 bits."""

    def there(self, kept: Kept, wanted: Wanted) -> bool:
        return wanted == (True, True, False) and self.bias is not None and kept.x.dtype in NARROW
