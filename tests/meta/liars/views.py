"""Liars about the memory of the input: they misread some views of other tensors."""

from __future__ import annotations

from tests.meta.liars.kernel import Tensor
from tests.meta.liars.planes import WrongWhere, has_plane
from tests.meta.liars.registry import liar


def has_rows(x: Tensor) -> bool:
    """Whether every image lies densely in memory."""
    return x.stride(3) == 1 and x.stride(2) == x.shape[3]


@liar("edge", "planes", "transposed", through="output")
class TransposedInputMisread(WrongWhere):
    """Is wrong where height and width have changed places in memory."""

    def there(self, x: Tensor) -> bool:
        return 0 < x.stride(2) < x.stride(3)


@liar("edge", "planes", "swapped", through="output")
class SwappedInputMisread(WrongWhere):
    """Is wrong where images and channels have changed places in memory."""

    def there(self, x: Tensor) -> bool:
        return 0 < x.stride(0) < x.stride(1) and x.stride(3) == 1


@liar("edge", "planes", "cropped", through="output")
class CroppedInputMisread(WrongWhere):
    """Is wrong for a part of larger images."""

    def there(self, x: Tensor) -> bool:
        return x.stride(3) == 1 and x.shape[3] < x.stride(2) < x.stride(1)


@liar("edge", "planes", "channel_part", through="output")
class PartOfChannelsMisread(WrongWhere):
    """Is wrong for some of the channels of a larger tensor."""

    def there(self, x: Tensor) -> bool:
        dense = has_rows(x) and x.stride(1) == x.shape[2] * x.shape[3]
        return dense and x.stride(0) == 2 * x.shape[1] * x.stride(1)


@liar("edge", "planes", "channel_step", through="output")
class StepOfChannelsMisread(WrongWhere):
    """Is wrong for every second channel of a larger tensor."""

    def there(self, x: Tensor) -> bool:
        return has_rows(x) and x.stride(1) == 2 * x.shape[2] * x.shape[3]


@liar("edge", "planes", "one_row", through="output")
class RepeatedRowMisread(WrongWhere):
    """Is wrong for an image that repeats one row."""

    def there(self, x: Tensor) -> bool:
        return x.stride(2) == 0 != x.stride(3)


@liar("edge", "planes", "one_channel", through="output")
class RepeatedChannelMisread(WrongWhere):
    """Is wrong for one channel that is expanded."""

    def there(self, x: Tensor) -> bool:
        return x.stride(1) == 0 != x.stride(0)


@liar("edge", "planes", "image", through="output")
class RepeatedPixelMisread(WrongWhere):
    """Is wrong for one number that is expanded to an image."""

    def there(self, x: Tensor) -> bool:
        return x.stride(2) == x.stride(3) == 0 != x.stride(0)


@liar("edge", "planes", "channels_last_cropped", through="output")
class CroppedChannelsLastMisread(WrongWhere):
    """Is wrong for a part of larger channels_last images."""

    def there(self, x: Tensor) -> bool:
        pixels = x.stride(1) == 1 < x.stride(3) == x.shape[1]
        return pixels and x.stride(2) > x.shape[3] * x.stride(3)


@liar("edge", "planes", "channels_last_channel_part", through="output")
class PartOfChannelsLastMisread(WrongWhere):
    """Is wrong for some of the channels of a larger channels_last tensor, as chunk gives them."""

    def there(self, x: Tensor) -> bool:
        return x.stride(1) == 1 and x.stride(3) == 2 * x.shape[1]


@liar("edge", "planes", "channels_last_channel_step", through="output")
class StepOfChannelsLastMisread(WrongWhere):
    """Is wrong for every second channel of a larger channels_last tensor."""

    def there(self, x: Tensor) -> bool:
        return x.stride(1) == 2 and x.stride(3) == 2 * x.shape[1]


@liar("edge", "planes", "channels_last_image_step", through="output")
class StepOfChannelsLastImagesMisread(WrongWhere):
    """Is wrong for every second image of a larger channels_last tensor."""

    def there(self, x: Tensor) -> bool:
        image = x.shape[1] * x.shape[2] * x.shape[3]
        return x.stride(1) == 1 < x.stride(3) == x.shape[1] and x.stride(0) == 2 * image


@liar("edge", "planes", "windows", through="output")
class WindowsMisread(WrongWhere):
    """Is wrong for rows that overlap in memory, as unfold makes them."""

    def there(self, x: Tensor) -> bool:
        return has_plane(x) and x.stride(2) == x.stride(3) == 1
