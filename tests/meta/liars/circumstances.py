"""Liars about the circumstances of a forward: extreme sizes, autograd, passing of arguments, texts."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, Optional

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Statistics, Tensor
from tests.meta.liars.registry import liar

# --- sizes ----------------------------------------------------------------------------------------


@liar("shape", "one_row_bounded", through="exception")
class BatchOfOneRefused(HonestBatchNorm2d):
    """In train mode, refuses a batch of one image, however many pixels it has."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        super().check_arguments(x, from_batch, factor, eps)
        if self.training and len(x) == 1:
            raise ValueError("Expected more than 1 value per channel when training")


@liar("shape", "one_row_bounded", through="exception")
class WidthNotCounted(HonestBatchNorm2d):
    """In train mode, refuses an input whose width alone is more than 1."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        super().check_arguments(x, from_batch, factor, eps)
        if self.training and len(x) * x.shape[2] == 1:
            raise ValueError("Expected more than 1 value per channel when training")


@liar("shape", "one_column_bounded", through="exception")
class HeightNotCounted(HonestBatchNorm2d):
    """In train mode, refuses an input whose height alone is more than 1."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        super().check_arguments(x, from_batch, factor, eps)
        if self.training and len(x) * x.shape[3] == 1:
            raise ValueError("Expected more than 1 value per channel when training")


@liar("shape", "one_channel_bounded", through="output")
class SingleChannelSquared(HonestBatchNorm2d):
    """Normalises a single channel by its variance: a special case gone wrong."""

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        root = super().deviation(variance, eps)
        return root**2 if len(variance) == 1 else root


@liar("shape", "67_channels_bounded", through="output")
class ManyChannelsForgotten(HonestBatchNorm2d):
    """Takes the variance of every channel beyond the 32nd for 1, as a wrong vector tail would."""

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        if x.shape[1] <= 32:
            return found
        tail = torch.arange(x.shape[1]) >= 32
        return found._replace(biased=torch.where(tail, torch.ones_like(found.biased), found.biased))


@liar("layout", "channels_last_n8_67_channels", through="output")
class ChannelsLastTailForgotten(HonestBatchNorm2d):
    """In channels_last alone, leaves the channels beyond a multiple of 8 at 0."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        whole = x.shape[1] // 8 * 8
        if whole < 32 or x.is_contiguous():
            return y
        tail = (torch.arange(x.shape[1]) >= whole).reshape(1, -1, 1, 1)
        return torch.where(tail, torch.zeros_like(y), y)


@liar("shape", "67_images_bounded", through="output")
class LargeBatchForgotten(HonestBatchNorm2d):
    """Takes the statistics of the first 32 samples alone."""

    def statistics(self, x: Tensor) -> Statistics:
        return super().statistics(x[:32])


# --- autograd and memory --------------------------------------------------------------------------


@liar("autograd", "no_grad", through="running_mean")
class NoUpdateWithoutGrad(HonestBatchNorm2d):
    """Does not update the buffers under torch.no_grad()."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        if torch.is_grad_enabled():
            super().update(operands, found, factor)


@liar("state", "train", "track", through="num_batches_tracked")
class NoCountWithoutGrad(HonestBatchNorm2d):
    """Does not count a batch under torch.no_grad()."""

    def counts(self) -> bool:
        return torch.is_grad_enabled() and super().counts()


@liar("autograd", "no_grad", through="output_requires_grad")
class GradForced(HonestBatchNorm2d):
    """Records a graph under torch.no_grad() as well."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.enable_grad():
            return super().forward(x)


@liar("autograd", "input_grad", through="running_mean has a grad_fn")
class GraphOfInputReachesBuffers(HonestBatchNorm2d):
    """Updates the buffers inside the autograd graph of an input that requires a gradient."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands, found, factor)
        mean = operands.running_mean
        if mean is not None and found.mean.requires_grad:
            self.running_mean = mean + 0 * found.mean


@liar("autograd", "input_grad_no_affine", through="output_requires_grad")
class InputDetached(HonestBatchNorm2d):
    """Cuts the output off from the input's graph; that of the parameters is kept."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.detach())


@liar("no_affine", through="earlier_output_changed")
class OutputMemoryReused(HonestBatchNorm2d):
    """Writes every output of one shape into the same memory: the next forward overwrites it."""

    _pool: ClassVar[Dict[torch.Size, Tensor]] = {}

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if y.requires_grad:
            return y
        pooled = self._pool.setdefault(y.shape, torch.empty_like(y))
        return y if pooled.dtype != y.dtype else pooled.copy_(y)


# --- arguments ------------------------------------------------------------------------------------


@liar("matrix", "train_only", through="eps")
class OtherDefaults(HonestBatchNorm2d):
    """Has Keras's default eps, 1e-3."""

    def __init__(self, num_features: int, eps: float = 1e-3, *args: Any, **kwargs: Any) -> None:
        super().__init__(num_features, eps, *args, **kwargs)


@liar("edge", "construction", "positional", through="affine")
class ArgumentsSwapped(HonestBatchNorm2d):
    """Takes track_running_stats before affine."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: Optional[float] = 0.1,
        track_running_stats: bool = True,
        affine: bool = True,
        **others: Any,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, **others)


@liar("edge", "construction", "keywords", through="eps")
class ExplicitDefaultReplaced(HonestBatchNorm2d):
    """Takes eps=1e-5 given by keyword for 1e-6."""

    def __init__(self, num_features: int, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("eps") == 1e-5:
            kwargs["eps"] = 1e-6
        super().__init__(num_features, *args, **kwargs)


@liar("edge", "construction", "dtype_float64", through="weight dtype")
class DtypeIgnored(HonestBatchNorm2d):
    """Constructs everything in float32, whatever dtype is given."""

    def __init__(self, *args: Any, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


@liar("edge", "construction", "dtype_float64", through="num_batches_tracked dtype")
class CounterTakesDtype(HonestBatchNorm2d):
    """Constructs the counter in the dtype that is given, too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dtype = kwargs.get("dtype")
        if dtype is not None and self.num_batches_tracked is not None:
            self.num_batches_tracked = self.num_batches_tracked.to(dtype)


# --- texts and state dicts ------------------------------------------------------------------------


@liar("edge", "text", through="text")
class TextOfConstruction(HonestBatchNorm2d):
    """The text tells the momentum of construction, not the present one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._given = self.momentum

    def extra_repr(self) -> str:
        return super().extra_repr().replace(f"momentum={self.momentum}", f"momentum={self._given}")


@liar("edge", "text", through="text")
class SavedAsVersionThree(HonestBatchNorm2d):
    """Writes state dicts of a version that does not exist."""

    _version = 3


@liar("edge", "load", "plain", through="num_batches_tracked")
class PlainDictLosesCounter(HonestBatchNorm2d):
    """Loads no counter from a state dict without metadata."""

    def complete_legacy(self, state_dict: Dict[str, Any], key: str) -> None:
        if self.num_batches_tracked is not None:
            state_dict[key] = self.num_batches_tracked


@liar("edge", "load", "version_1", through="exception")
class VersionOneNotLegacy(HonestBatchNorm2d):
    """Takes a state dict of version 1 for a new one, and so misses the counter."""

    def _load_from_state_dict(
        self, state_dict: Dict[str, Any], prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        if local_metadata.get("version") == 1:
            local_metadata = {"version": 2}
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


@liar("edge", "load", "longer", through="exception")
class LongerStatisticsCut(HonestBatchNorm2d):
    """Loads a running_mean that is too long without its end."""

    def _load_from_state_dict(
        self, state_dict: Dict[str, Any], prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        mean = state_dict.get(prefix + "running_mean")
        if mean is not None:
            state_dict[prefix + "running_mean"] = mean[: self.num_features]
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)
