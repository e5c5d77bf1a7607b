"""Liars about sizes: what they keep for one size and use for another, and kernels of large sizes alone."""

from __future__ import annotations

from typing import Any, Dict, Optional

import torch

from tests.meta.liars.backward_twice import scaled
from tests.meta.liars.derivative import Kept, Terms
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import NARROW, Operands, Statistics, Tensor, values_per_channel
from tests.meta.liars.registry import liar

GROUP = "resized"

# --- a number of values that is kept for a size -------------------------------------------------


class _Counting(HonestBatchNorm2d):
    """Takes the number of values in a channel from an earlier batch with the same ``key``."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.kept: Dict[object, int] = {}

    def key(self, x: Tensor) -> object:
        """Return the key under which the number of values is kept."""
        raise NotImplementedError

    def remembered(self, x: Tensor) -> int:
        """Return the number of values of the first batch with this key."""
        return self.kept.setdefault(self.key(x), values_per_channel(x))


class _ByPlane(_Counting):
    """Remembers it by height and width."""

    def key(self, x: Tensor) -> object:
        return tuple(x.shape[2:])


class _ByBatchSize(_Counting):
    """Remembers it by the number of images."""

    def key(self, x: Tensor) -> object:
        return len(x)


class _CountingForward(_Counting):
    """Remembers it for the factor of the unbiased variance."""

    def two_passes(self, x: Tensor) -> Statistics:
        found = super().two_passes(x)
        n = self.remembered(x)
        if n == values_per_channel(x) or n < 2:
            return found
        return found._replace(unbiased=found.biased * (n / (n - 1)))


@liar(GROUP, "forward_float32", through="running_var")
class CountRememberedByPlane(_ByPlane, _CountingForward):
    """Remembers the number of values by height and width, which a smaller last batch has, too."""


@liar(GROUP, "forward_float32", through="running_var")
class CountRememberedByBatchSize(_ByBatchSize, _CountingForward):
    """Remembers the number of values by the number of images, which other sizes of images have, too."""


class _CountingBackward(_Counting):
    """Remembers it for the backward."""

    def terms(self, g: Tensor, kept: Kept) -> Terms:
        found = super().terms(g, kept)
        return found._replace(values=self.remembered(kept.x)) if kept.x.numel() else found


@liar(GROUP, "backward_float32", through="input gradient")
class BackwardCountRememberedByPlane(_ByPlane, _CountingBackward):
    """Remembers the number of values of a backward by height and width."""


@liar(GROUP, "backward_float32", through="input gradient")
class BackwardCountRememberedByBatchSize(_ByBatchSize, _CountingBackward):
    """Remembers the number of values of a backward by the number of images."""


@liar(GROUP, "earlier", through="input gradient")
class BackwardCountOfLastForward(HonestBatchNorm2d):
    """Takes the number of values of the last forward for the backward of an earlier one."""

    last: Optional[int] = None

    def forward(self, x: Tensor) -> Tensor:
        self.last = values_per_channel(x)
        return super().forward(x)

    def terms(self, g: Tensor, kept: Kept) -> Terms:
        found = super().terms(g, kept)
        return found._replace(values=self.last) if self.last and kept.from_batch else found


@liar(GROUP, "other_dtype", through="output")
class NarrowDtypeOfFirstForward(HonestBatchNorm2d):
    """Rounds every narrow output to the dtype of the first narrow input."""

    first: Optional[torch.dtype] = None

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if x.dtype in NARROW and self.first is None:
            self.first = x.dtype
        return y.to(self.first).to(x.dtype) if x.dtype in NARROW else y


# --- large sizes --------------------------------------------------------------------------------

LARGE = 2**15
"""The number of elements beyond which torch splits the work between threads."""


@liar("inference", "n4096_float32", through="output")
class UnrecordedWrongInEvalIfLarge(HonestBatchNorm2d):
    """Is wrong for large inputs in eval mode without recording."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        wrong = not torch.is_grad_enabled() and not self.training and x.numel() > LARGE
        return y * 1.03125 if wrong else y


@liar("inference", "n4096_float32", through="input_changed")
class UnrecordedWritesLargeInput(HonestBatchNorm2d):
    """Writes the output into a large input if nothing is recorded."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        unrecorded = not torch.is_grad_enabled() and x.numel() > LARGE
        return x.copy_(y) if unrecorded and x.is_contiguous() else y


@liar("planes", "n98_2x512x7x7_float16", through="output")
class WrongForManyChannelsIn16Bits(HonestBatchNorm2d):
    """Is wrong for 512 channels and more in 16 bits."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y * 1.03125 if x.dtype in NARROW and x.shape[1] >= 512 else y


@liar("planes", "transposed_float16", through="output")
class WrongForTransposedIn16Bits(HonestBatchNorm2d):
    """Is wrong in 16 bits where the rows and columns of the input have changed places in memory."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        turned = x.dtype in NARROW and x.stride(2) == 1 and x.stride(3) == x.shape[2] > 1
        return y * 1.03125 if turned and x.shape[3] > 1 else y


@liar("planes", "n65537_65537x2x1x1_float32", through="output")
class WrongForHugeBatch(HonestBatchNorm2d):
    """Is wrong for more than 65,535 images, the largest size of a grid's second dimension in CUDA."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y * 1.03125 if len(x) > 65535 else y


@liar("double_backward", "n8_67_channels", through="input 2nd gradient")
class TwiceWrongForManyChannels(HonestBatchNorm2d):
    """Gives wrong second derivatives for 64 channels and more."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        found = super().input_gradient(g, kept, terms)
        many = torch.is_grad_enabled() and kept.x.shape[1] >= 64
        return scaled(found, 1.03125) if many else found


@liar("double_backward", "n4096", through="input 2nd gradient")
class TwiceWrongIfLarge(HonestBatchNorm2d):
    """Gives wrong second derivatives for large inputs."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        found = super().input_gradient(g, kept, terms)
        return scaled(found, 1.03125) if torch.is_grad_enabled() and kept.x.numel() > LARGE else found


@liar("tangent", "n8_67_channels", through="output tangent")
class TangentWrongForManyChannels(HonestBatchNorm2d):
    """Gives a wrong tangent for 64 channels and more."""

    def moving(self, y: Tensor) -> Tensor:
        found = super().moving(y)
        return scaled(found, 1.03125) if y.shape[1] >= 64 else found


@liar("backward", "rectified_float32", through="input gradient")
class ZerosOfUpstreamSkipped(HonestBatchNorm2d):
    """Leaves the input gradient 0 where the upstream gradient is exactly 0."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        return super().input_gradient(g, kept, terms) * (g != 0)


# --- flags, files and places in memory ------------------------------------------------------------


@liar("protocol", "flag_is_a_number", through="num_batches_tracked")
class FlagComparedWithTrue(HonestBatchNorm2d):
    """Takes a track_running_stats of 1 for False."""

    def counts(self) -> bool:
        return super().counts() and self.track_running_stats is True


@liar("protocol", "reset_keeps_eps", through="eps")
class ResetRestoresEps(HonestBatchNorm2d):
    """reset_parameters gives eps the value that it had at construction."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.made_with = self.eps

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self.eps = self.__dict__.get("made_with", self.eps)


@liar("memory", "shifted_running_mean", through="running_mean")
class StatisticsOffsetIgnored(HonestBatchNorm2d):
    """Writes the running statistics at the beginning of the memory that they are a part of."""

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        start = running.data.as_strided(running.shape, running.stride(), 0)
        super().average(start if running.storage_offset() else running, new, factor)


@liar("memory", "shifted_weight", through="output")
class WeightOffsetIgnored(HonestBatchNorm2d):
    """Reads the weight from the beginning of the memory that it is a part of."""

    def operands(self) -> Operands:
        found = super().operands()
        weight = found.weight
        if weight is None or not weight.storage_offset():
            return found
        start = weight.detach().as_strided(weight.shape, weight.stride(), 0)
        return found._replace(weight=weight + (start - weight.detach()))
