"""Liars about the operations of every module: conversions, copies, hooks, names, frozen parameters."""

from __future__ import annotations

import copy
from typing import Any, Iterator, Tuple

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor
from tests.meta.liars.registry import liar

# --- conversions -------------------------------------------------------------------------------


@liar("edge", "convert", "double", through="running_var dtype")
class VarianceNotConverted(HonestBatchNorm2d):
    """A conversion leaves running_var in its dtype."""

    def _apply(self, *args: Any, **kwargs: Any) -> Any:
        before = self.running_var
        converted = super()._apply(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.running_var = before
        return converted


@liar("edge", "convert", "to_channels_last", through="running_mean is the same object")
class BuffersRenewedByFormat(HonestBatchNorm2d):
    """A conversion to a memory format makes other buffers of the same values."""

    def to(self, *args: Any, **kwargs: Any) -> Any:
        if "memory_format" in kwargs and self.running_mean is not None:
            self.running_mean = self.running_mean.clone()
        return super().to(*args, **kwargs)


@liar("edge", "convert", "double", through="num_batches_tracked dtype")
class CounterConverted(HonestBatchNorm2d):
    """A conversion makes the counter a floating-point number."""

    def double(self) -> Any:
        converted = super().double()
        if self.num_batches_tracked is not None:
            self.num_batches_tracked = self.num_batches_tracked.double()
        return converted


@liar("edge", "convert", "to_float64", through="weight is the same object")
class ConversionRenewsWeight(HonestBatchNorm2d):
    """A conversion makes a new Parameter of the weight."""

    def to(self, *args: Any, **kwargs: Any) -> Any:
        converted = super().to(*args, **kwargs)
        if self.weight is not None:
            self.weight = torch.nn.Parameter(self.weight.detach().clone())
        return converted


@liar("edge", "convert", "float_already", through="running_mean is the same object")
class ConversionAlwaysRenews(HonestBatchNorm2d):
    """A conversion to the dtype that the module has makes new buffers."""

    def float(self) -> Any:
        converted = super().float()
        if self.running_mean is not None:
            self.running_mean = self.running_mean.clone()
        return converted


@liar("edge", "convert", "double_and_back", through="running_mean")
class ConversionResets(HonestBatchNorm2d):
    """A conversion to float64 forgets the running statistics."""

    def double(self) -> Any:
        self.reset_running_stats()
        return super().double()


@liar("edge", "convert", "half_and_back", through="running_var")
class NarrowConversionPostponed(HonestBatchNorm2d):
    """A conversion to float16 and back rounds nothing."""

    _wide: Any = None

    def half(self) -> Any:
        self._wide = None if self.running_var is None else self.running_var.clone()
        return super().half()

    def float(self) -> Any:
        converted = super().float()
        if self._wide is not None:
            self.running_var = self._wide
        return converted


# --- results of methods, and names ---------------------------------------------------------------


@liar("edge", "protocol", "order", through="text")
class ToReturnsNothing(HonestBatchNorm2d):
    """to returns None."""

    def to(self, *args: Any, **kwargs: Any) -> Any:
        super().to(*args, **kwargs)


@liar("edge", "protocol", "order", through="text")
class TrainReturnsNothing(HonestBatchNorm2d):
    """train returns None."""

    def train(self, mode: bool = True) -> Any:
        super().train(mode)


@liar("edge", "protocol", "order", through="text")
class EvalReturnsCopy(HonestBatchNorm2d):
    """eval returns a copy of the module."""

    def eval(self) -> Any:
        return copy.copy(super().eval())


@liar("edge", "protocol", "order", through="text")
class VarianceComesFirst(HonestBatchNorm2d):
    """running_var is registered before running_mean."""

    def make_buffers(self, wanted: bool) -> None:
        self.register_buffer("running_var", None)
        super().make_buffers(wanted)


@liar("edge", "protocol", "order", through="text")
class ParameterNamesReversed(HonestBatchNorm2d):
    """named_parameters names the bias before the weight."""

    def named_parameters(self, *args: Any, **kwargs: Any) -> Iterator[Tuple[str, Any]]:
        return iter(list(super().named_parameters(*args, **kwargs))[::-1])


@liar("edge", "protocol", "order_no_bias", through="text")
class ExtraReprForgetsMomentum(HonestBatchNorm2d):
    """extra_repr does not tell the momentum."""

    def extra_repr(self) -> str:
        return super().extra_repr().replace(f"momentum={self.momentum}, ", "")


# --- copies and hooks --------------------------------------------------------------------------


@liar("edge", "protocol", "copy", through="memory shared with the original")
class CopyRenews(HonestBatchNorm2d):
    """copy.copy copies the tensors."""

    def __copy__(self) -> Any:
        return copy.deepcopy(self)


@liar("edge", "protocol", "copy", through="running_mean is the same object")
class CopyRebinds(HonestBatchNorm2d):
    """copy.copy makes a new tensor in the same memory."""

    def __copy__(self) -> Any:
        made = copy.deepcopy(self)
        for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            mine = getattr(self, name)
            if mine is not None:
                getattr(made, name).data = mine.data
        return made


@liar("edge", "protocol", "hooks", through="text")
class HooksNotCalled(HonestBatchNorm2d):
    """A call goes straight to forward."""

    def __call__(self, x: Tensor) -> Tensor:
        return self.forward(x)


@liar("edge", "protocol", "hooks", through="text")
class HooksCalledTwice(HonestBatchNorm2d):
    """A call with hooks goes through them a second time."""

    def __call__(self, x: Tensor) -> Any:
        for hook in list(self._forward_pre_hooks.values()):
            hook(self, (x,))
        return super().__call__(x)


# --- registration ------------------------------------------------------------------------------


@liar("edge", "protocol", "unsaved_running_mean", through="text")
class UnsavedSaved(HonestBatchNorm2d):
    """register_buffer ignores persistent=False."""

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        super().register_buffer(name, tensor)


@liar("edge", "protocol", "frozen", through="bias requires_grad")
class BiasNotFrozen(HonestBatchNorm2d):
    """Lets requires_grad_ change the weight alone."""

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        if self.weight is not None:
            self.weight.requires_grad_(requires_grad)
        return self


@liar("edge", "protocol", "frozen", through="running_mean requires_grad")
class StatisticsRequireGrad(HonestBatchNorm2d):
    """Lets requires_grad_ change running_mean, too."""

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        if self.running_mean is not None:
            self.running_mean.requires_grad_(requires_grad)
        return super().requires_grad_(requires_grad)


@liar("protocol", "entries", through="text")
class SavedCloned(HonestBatchNorm2d):
    """Saves clones, so that a state dict does not follow the module."""

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        found = super().state_dict(*args, **kwargs)
        for name in list(found):
            found[name] = found[name].clone()
        return found


@liar("protocol", "entries", through="text")
class PrefixIgnored(HonestBatchNorm2d):
    """Saves under names without the prefix, so that two layers write the same entries."""

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("prefix", None)
        return super().state_dict(*args, **kwargs)


@liar("protocol", "entries_float16", through="text")
class SavedWide(HonestBatchNorm2d):
    """Saves a module of 16 bits in float32."""

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        found = super().state_dict(*args, **kwargs)
        for name, each in list(found.items()):
            found[name] = each.float() if each.dtype == torch.float16 else each
        return found


@liar("protocol", "entries", through="text")
class ConversionReturnsNone(HonestBatchNorm2d):
    """Returns nothing from ``double()``, so that calls cannot be chained."""

    def double(self) -> Any:
        super().double()


@liar("protocol", "entries", through="text")
class OneStorage(HonestBatchNorm2d):
    """Keeps both running statistics in one piece of memory, which some file formats refuse to save."""

    def make_buffers(self, wanted: bool) -> None:
        super().make_buffers(wanted)
        if wanted:
            memory = torch.cat([self.running_mean, self.running_var])  # type: ignore[list-item]
            mean, variance = memory.split(self.num_features)
            self.register_buffer("running_mean", mean)
            self.register_buffer("running_var", variance)
