"""Liars about inputs of ordinary networks, and about tensors that do not begin where their storage does."""

from __future__ import annotations

from typing import Any, FrozenSet, Tuple

from tests.meta.liars.backward_circumstances import WrongBackwardWhere
from tests.meta.liars.derivative import Gradients, Kept, Terms
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import NARROW, Tensor
from tests.meta.liars.planes import WrongWhere
from tests.meta.liars.registry import liar
from tests.meta.liars.unrecorded import Unrecorded

PROGRAM = "backward_program"


def pixels(x: Tensor) -> int:
    """Return how many values an image has in a channel."""
    return x.shape[2] * x.shape[3]


def begins_later(x: Tensor) -> bool:
    """Whether the tensor is no contiguous one, and does not begin where its storage does."""
    return bool(x.storage_offset()) and not x.is_contiguous()


# --- many images, channels and pixels at once ---------------------------------------------------


@liar("networks", "n1024_16x64x8x8", through="output")
class ManyImagesOfManyPixelsWrong(WrongWhere):
    """Is wrong for 16 images of 32 pixels and more, which fill a tile."""

    def there(self, x: Tensor) -> bool:
        return len(x) >= 16 and pixels(x) >= 32


@liar("networks", "n8192_2x16x64x64", through="output")
class ManyChannelsOfManyPixelsWrong(WrongWhere):
    """Is wrong for 16 channels of 1,024 pixels and more."""

    def there(self, x: Tensor) -> bool:
        return x.shape[1] >= 16 and pixels(x) >= 1024


@liar("networks", "n16_16x128x1x1", through="input gradient")
class BackwardOfManyVectorsWrong(WrongBackwardWhere):
    """Is wrong in the backward of 16 vectors of 64 channels and more."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return len(kept.x) >= 16 and kept.x.shape[1] >= 64 and pixels(kept.x) == 1


@liar("networks", "n1024_16x64x8x8_float16", through="output")
class ManyImagesInSixteenBitsWrong(WrongWhere):
    """Is wrong in 16 bits for 16 images of 16 pixels and more."""

    def there(self, x: Tensor) -> bool:
        return x.dtype in NARROW and len(x) >= 16 and pixels(x) >= 16


@liar("inference", "n134_67_images", through="output")
class UnrecordedWrongForManyImages(Unrecorded):
    """Is wrong without recording for 16 images and more."""

    def wrongly(self, x: Tensor) -> bool:
        return x.dim() == 4 and len(x) >= 16


# --- tensors that begin later -------------------------------------------------------------------


@liar("planes", "channels_last_image_rest", through="output")
class BeginningOfTheStorageRead(WrongWhere):
    """Is wrong for an input in another order that does not begin where its storage does."""

    def there(self, x: Tensor) -> bool:
        return begins_later(x)


@liar("planes", "channels_last_image_rest", through="input gradient")
class BeginningOfTheGradientRead(WrongBackwardWhere):
    """Is wrong for an upstream gradient in another order that does not begin where its storage does."""

    def there(self, g: Tensor, kept: Kept) -> bool:
        return kept.given is not None and begins_later(kept.given)


# --- graphs that are used again, and differentiated ---------------------------------------------


@liar(PROGRAM, "retained_no_affine", through="input gradient")
class SecondPassWithoutWeightWrong(WrongBackwardWhere):
    """Doubles the input's gradient in the second backward of one graph, in a layer without a weight."""

    passed: FrozenSet[int] = frozenset()

    def there(self, g: Tensor, kept: Kept) -> bool:
        again = id(kept.x) in self.passed
        self.passed |= {id(kept.x)}
        return again and kept.weight is None

    def forward(self, x: Tensor) -> Tensor:
        self.passed = frozenset()
        return super().forward(x)


@liar(PROGRAM, "other_mode_float32_channels_last", through="input gradient")
class ModeOfTheMomentInChannelsLast(HonestBatchNorm2d):
    """Takes the mode of the backward's time for that of the forward, where the input is channels_last."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Any) -> Gradients:
        if not kept.x.is_contiguous() and kept.running_mean is not None:
            kept = kept._replace(from_batch=self.training)
        return super().differentiate(g, kept, wanted)


@liar("double_backward", "channels_last_throughout", through="input 2nd gradient")
class SecondOrderOfContiguousGradientsAlone(HonestBatchNorm2d):
    """Takes the statistics for constants where input and upstream gradient are channels_last."""

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        mean, variance = super().normalised_by(kept)
        if kept.x.is_contiguous() or kept.given is None or kept.given.is_contiguous():
            return mean, variance
        return mean.detach(), variance.detach()


@liar("double_backward", "no_bias_float16", through="upstream 2nd gradient")
class SecondOrderWithoutBiasWrong(HonestBatchNorm2d):
    """Differentiates the mean's term twice in 16 bits, in a layer with a weight and without a bias."""

    def mean_term(self, terms: Terms) -> Tensor:
        found = super().mean_term(terms)
        there = self.bias is None and self.weight is not None and self.weight.dtype in NARROW
        return 2 * found - found.detach() if there else found
