"""Liars about some sizes of the input, as kernels with vectors and threads are."""

from __future__ import annotations

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Tensor, values_per_channel
from tests.meta.liars.registry import liar


def has_plane(x: Tensor) -> bool:
    """Whether the images have several rows and several columns."""
    return x.shape[2] > 1 and x.shape[3] > 1


class WrongWhere(HonestBatchNorm2d):
    """Returns an output that is too large by a part in 32 where ``there`` returns True."""

    def there(self, x: Tensor) -> bool:
        raise NotImplementedError

    def batch_norm(
        self, x: Tensor, operands: Operands, from_batch: bool, factor: float, eps: float
    ) -> Tensor:
        y = super().batch_norm(x, operands, from_batch, factor, eps)
        return y * 1.03125 + 0.03125 if x.numel() and self.there(x) else y


@liar("edge", "planes", "n5_5x2x1x1_float32", through="output")
class TwoChannelsWrong(WrongWhere):
    """Is wrong for two channels."""

    def there(self, x: Tensor) -> bool:
        return x.shape[1] == 2


@liar("edge", "planes", "n3_3x4x1x1_float32", through="output")
class FourChannelsWrong(WrongWhere):
    """Is wrong for four channels, the width of a vector."""

    def there(self, x: Tensor) -> bool:
        return x.shape[1] == 4


@liar("edge", "planes", "n60_3x8x5x4_float32", through="output")
class EightChannelsWrong(WrongWhere):
    """Is wrong for eight channels, the width of a vector."""

    def there(self, x: Tensor) -> bool:
        return x.shape[1] == 8


@liar("edge", "planes", "n256_16x16x4x4_float32", through="output")
class SixteenChannelsWrong(WrongWhere):
    """Is wrong for sixteen channels, the width of a vector."""

    def there(self, x: Tensor) -> bool:
        return x.shape[1] == 16


@liar("edge", "planes", "n108_12x32x3x3_float32", through="output")
class ThirtyTwoChannelsWrong(WrongWhere):
    """Is wrong for 32 channels."""

    def there(self, x: Tensor) -> bool:
        return x.shape[1] == 32


@liar("edge", "planes", "n96_2x48x6x8_float32", through="output")
class FortyEightChannelsWrong(WrongWhere):
    """Is wrong for 48 channels."""

    def there(self, x: Tensor) -> bool:
        return x.shape[1] == 48


@liar("edge", "planes", "n196_1x64x14x14_float32", through="output")
class ManyChannelsOfPlanesWrong(WrongWhere):
    """Is wrong for 64 channels or more of images with rows and columns."""

    def there(self, x: Tensor) -> bool:
        return x.shape[1] >= 64 and has_plane(x)


@liar("edge", "planes", "n24_2x2x4x3_float32", through="output")
class EvenChannelsOfPlanesWrong(WrongWhere):
    """Is wrong for an even number of channels of images with rows and columns."""

    def there(self, x: Tensor) -> bool:
        return x.shape[1] % 2 == 0 and has_plane(x)


@liar("edge", "planes", "n60_3x8x5x4_float32", through="output")
class ThreeImagesWrong(WrongWhere):
    """Is wrong for three images with rows and columns and an even number of channels."""

    def there(self, x: Tensor) -> bool:
        return len(x) == 3 and has_plane(x) and x.shape[1] % 2 == 0


@liar("edge", "planes", "n54_6x5x3x3_float32", through="output")
class SixImagesWrong(WrongWhere):
    """Is wrong for six images."""

    def there(self, x: Tensor) -> bool:
        return len(x) == 6


@liar("edge", "planes", "n256_16x16x4x4_float32", through="output")
class ManyImagesOfPlanesWrong(WrongWhere):
    """Is wrong for sixteen images or more with rows and columns."""

    def there(self, x: Tensor) -> bool:
        return len(x) >= 16 and has_plane(x)


@liar("edge", "planes", "n24_2x2x4x3_float32", through="output")
class TallPlanesWrong(WrongWhere):
    """Is wrong for images with more rows than columns."""

    def there(self, x: Tensor) -> bool:
        return x.shape[2] > x.shape[3] > 1


@liar("edge", "planes", "n54_6x5x3x3_float32", through="output")
class OddPlanesWrong(WrongWhere):
    """Is wrong where the numbers of rows and columns are both odd."""

    def there(self, x: Tensor) -> bool:
        return has_plane(x) and x.shape[2] % 2 == x.shape[3] % 2 == 1


@liar("edge", "planes", "n196_4x6x7x7_float32", through="output")
class SevenColumnsWrong(WrongWhere):
    """Is wrong for images of seven columns, as at the end of many networks."""

    def there(self, x: Tensor) -> bool:
        return x.shape[3] == 7


@liar("edge", "planes", "n3_3x4x1x1_float32", through="output")
class ThreeValuesWrong(WrongWhere):
    """Is wrong where a channel has three values."""

    def there(self, x: Tensor) -> bool:
        return values_per_channel(x) == 3


@liar("edge", "planes", "n5_5x2x1x1_float32", through="output")
class FiveValuesWrong(WrongWhere):
    """Is wrong where a channel has five values."""

    def there(self, x: Tensor) -> bool:
        return values_per_channel(x) == 5


@liar("edge", "planes", "n7_7x8x1x1_float32", through="output")
class SevenValuesWrong(WrongWhere):
    """Is wrong where a channel has seven values."""

    def there(self, x: Tensor) -> bool:
        return values_per_channel(x) == 7


@liar("edge", "planes", "n9_9x5x1x1_float32", through="output")
class NineValuesWrong(WrongWhere):
    """Is wrong where a channel has nine values."""

    def there(self, x: Tensor) -> bool:
        return values_per_channel(x) == 9


@liar("edge", "planes", "n2_1x2x1x2_float32", through="output")
class TwoPixelsWrong(WrongWhere):
    """Is wrong for one image of two pixels."""

    def there(self, x: Tensor) -> bool:
        return len(x) == 1 and values_per_channel(x) == 2


@liar("edge", "planes", "n63_1x24x9x7_float32", through="output")
class OneImageOfManyChannelsWrong(WrongWhere):
    """Is wrong for one image with more than eleven channels."""

    def there(self, x: Tensor) -> bool:
        return len(x) == 1 and x.shape[1] > 11


@liar("edge", "planes", "n63_1x24x9x7_float32", through="output")
class OneLargeImageWrong(WrongWhere):
    """Is wrong for one image of many pixels."""

    def there(self, x: Tensor) -> bool:
        return len(x) == 1 and values_per_channel(x) > 8


@liar("edge", "planes", "n720_2x96x20x18_float32", through="output")
class ManyNumbersOfManyChannelsWrong(WrongWhere):
    """Is wrong where threads share the channels: many of them, and many numbers."""

    def there(self, x: Tensor) -> bool:
        return x.numel() > 32768 and x.shape[1] > 11


@liar("edge", "planes", "n30_5x12x3x2_float64", through="output")
class DoublesOfManyChannelsWrong(WrongWhere):
    """Is wrong for float64 images with rows and columns and more than eleven channels."""

    def there(self, x: Tensor) -> bool:
        return x.dtype == torch.float64 and x.shape[1] > 11 and has_plane(x)


@liar("edge", "extent", "n204800_channels_last", through="output")
class LargeInputWrong(WrongWhere):
    """Is wrong for an input of more than 2**19 numbers."""

    def there(self, x: Tensor) -> bool:
        return x.numel() > 2**19
