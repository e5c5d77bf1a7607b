"""Liars whose backward pass is wrong in some circumstances alone."""

from __future__ import annotations

from typing import Optional, Tuple

import torch

from tests.meta.liars.derivative import Gradients, Kept, Terms
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor
from tests.meta.liars.registry import liar

Wanted = Tuple[bool, bool, bool]


class WrongBackwardWhere(HonestBatchNorm2d):
    """Doubles the input's gradient in the circumstances for which ``there`` returns True."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        """Whether the circumstances of this backward pass are those."""
        raise NotImplementedError

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        right = super().input_gradient(g, kept, terms)
        return right * 2 if self.there(g, kept) else right


# --- sizes -------------------------------------------------------------------------------------


@liar("n2", "eval_only", "g_ordinary", through="input gradient")
class WrongForTwoValues(WrongBackwardWhere):
    """Is wrong where a channel has two values."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return kept.x.numel() == 2 * kept.x.shape[1]


@liar("backward_layout", "n8_one_image_float32_contiguous_contiguous", through="input gradient")
class WrongForOneImage(WrongBackwardWhere):
    """Is wrong for a single image."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return len(kept.x) == 1


@liar("backward_layout", "n8_one_channel_float32_contiguous_contiguous", through="input gradient")
class WrongForOneChannel(WrongBackwardWhere):
    """Is wrong for a single channel."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return kept.x.shape[1] == 1


@liar("backward_layout", "n8_one_column_float32_contiguous_contiguous", through="input gradient")
class WrongForOneColumn(WrongBackwardWhere):
    """Is wrong for images of one column and several rows."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return kept.x.shape[3] == 1 < kept.x.shape[2]


@liar("n30", "g_ordinary", through="input gradient")
class WrongForOddBatch(WrongBackwardWhere):
    """Is wrong for an odd number of images."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return len(kept.x) % 2 == 1


@liar("extent", "n195_65_images_float32", through="input gradient")
class WrongForManyImages(WrongBackwardWhere):
    """Is wrong from 65 images on."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return len(kept.x) > 64


@liar("extent", "n387_129_wide_float32", through="input gradient")
class WrongForWideRows(WrongBackwardWhere):
    """Is wrong where a row has a multiple of 128 values and one more."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return kept.x.shape[3] > 1 and kept.x.shape[3] % 128 == 1


@liar("extent", "n6_1021_channels_float32", through="input gradient")
class WrongForOddChannels(WrongBackwardWhere):
    """Is wrong from 512 channels on, where their number is odd."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return kept.x.shape[1] >= 512 and kept.x.shape[1] % 2 == 1


@liar("n102400", "g_ordinary", through="input gradient")
class WrongWhenLarge(WrongBackwardWhere):
    """Is wrong where torch would use several threads."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return kept.x.numel() > 1 << 15


@liar("n256", "g_ordinary", "float64", through="input gradient")
class WrongForWholeVectorsOfDoubles(WrongBackwardWhere):
    """Is wrong for float64 images whose size is a multiple of 64."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        pixels = kept.x.shape[2] * kept.x.shape[3]
        return kept.x.dtype == torch.float64 and pixels % 64 == 0


@liar("backward", "input_no_batch_tracked", through="weight gradient")
class EmptyGivesNan(HonestBatchNorm2d):
    """Divides by the number of values, and by the batch's deviation, where there are none."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        right = super().weight_gradient(terms)
        return right / terms.values * terms.values


@liar("backward", "input_no_batch_tracked", through="weight gradient present")
class EmptyGivesNothing(HonestBatchNorm2d):
    """Returns no gradient of the weight for an input without elements."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        return (x, weight if kept.x.numel() else None, bias)


# --- the module --------------------------------------------------------------------------------


@liar("eval_only", "g_ordinary", through="input gradient")
class WrongInEval(WrongBackwardWhere):
    """Is wrong in eval mode alone."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return not self.training


@liar("no_track", "train_only", "g_ordinary", through="input gradient")
class WrongUntracked(WrongBackwardWhere):
    """Is wrong without running statistics."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return kept.running_mean is None


@liar("no_affine", "g_ordinary", through="input gradient")
class WrongWithoutAffine(WrongBackwardWhere):
    """Is wrong without a weight and a bias."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return self.weight is None and self.bias is None


@liar("no_bias", "g_ordinary", through="input gradient")
class WrongWithoutBias(WrongBackwardWhere):
    """Is wrong with a weight alone."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return self.weight is not None and self.bias is None


@liar("backward", "ordinary_cumulative", through="input gradient")
class WrongCumulative(WrongBackwardWhere):
    """Is wrong with momentum None: scales by the share of the batch."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return self.momentum is None


@liar("momentum_0.1", "train_only", "g_ordinary", through="input gradient")
class MomentumApplied(HonestBatchNorm2d):
    """Scales the correction for the mean by the momentum, as if the mean were a moving average."""

    def mean_term(self, terms: Terms) -> Tensor:
        return super().mean_term(terms) * (1.0 if self.momentum is None else self.momentum)


@liar("backward", "input_grad_weight_frozen", through="input gradient")
class FrozenWeightForgotten(HonestBatchNorm2d):
    """Takes a weight that is not trained for 1."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        frozen = kept.weight is None or not kept.weight.requires_grad
        return terms.inverse if frozen else super().slope(kept, terms)


@liar("track_off", "train_only", "g_ordinary", through="input gradient")
class WrongTrackedLess(WrongBackwardWhere):
    """Is wrong in train mode where there are running statistics that are not updated."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return self.training and not self.track_running_stats and self.running_mean is not None


@liar("drop_weight_and_bias", "g_ordinary", through="input gradient")
class DroppedWeightApplied(HonestBatchNorm2d):
    """Goes on with the last weight that there was, after it was set to None."""

    last: Optional[Tensor] = None

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        if kept.weight is not None:
            self.last = kept.weight.detach().clone()
        return terms.inverse if self.last is None else terms.inverse * self.last


@liar("backward_layout", "input_alone_float32_channels_last", through="input gradient")
class InputAloneMisread(HonestBatchNorm2d):
    """Is wrong for a channels_last input where the input alone needs a gradient."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Tuple[bool, bool, bool]) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        last = kept.x.is_contiguous(memory_format=torch.channels_last)
        alone = x is not None and weight is None and bias is None
        return x * 1.03125 if alone and last and x is not None else x, weight, bias


@liar("backward_layout", "affine_alone_float32_channels_last", through="weight gradient")
class AffineAloneMisread(HonestBatchNorm2d):
    """Is wrong in eval mode for a channels_last input where weight and bias alone need a gradient."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Tuple[bool, bool, bool]) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        last = kept.x.is_contiguous(memory_format=torch.channels_last)
        alone = not kept.from_batch and x is None and weight is not None
        return x, weight * 1.03125 if alone and last and weight is not None else weight, bias
