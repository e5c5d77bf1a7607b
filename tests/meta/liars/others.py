"""Liars about what a module has beside its numbers: lists, memory, conversions, and kinds of outputs."""

from __future__ import annotations

import copy
import random
import warnings
import weakref
from typing import Any, Dict, Iterator

import numpy as np
import torch
from torch.nn import Parameter

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor, followed
from tests.meta.liars.registry import liar


@liar("protocol", "others", through="text")
class TrainIgnoresMode(HonestBatchNorm2d):
    """train(False) enters train mode; eval() is right."""

    def train(self, mode: bool = True) -> Any:
        return super().train(True)

    def eval(self) -> Any:
        self.training = False
        return self


@liar("protocol", "others", through="text")
class WeightWithGaps(HonestBatchNorm2d):
    """Makes a weight that is every second number of its memory."""

    def make_parameters(self, weight: bool, bias: bool) -> None:
        super().make_parameters(weight, bias)
        if weight:
            self.weight = Parameter(torch.ones(2 * self.num_features)[::2])


@liar("protocol", "others", through="text")
class MeanInLargerMemory(HonestBatchNorm2d):
    """Makes a running mean that is the beginning of a larger memory, all of which is saved with it."""

    def make_buffers(self, wanted: bool) -> None:
        super().make_buffers(wanted)
        if wanted:
            self.running_mean = torch.zeros(2 * self.num_features)[: self.num_features]


@liar("protocol", "others", through="text")
class DtypeKeywordIgnored(HonestBatchNorm2d):
    """to heeds a dtype that it is given alone, but not one after a keyword."""

    def to(self, *args: Any, **kwargs: Any) -> Any:
        kwargs = {name: value for name, value in kwargs.items() if name != "dtype"}
        return super().to(*args, **kwargs) if args or kwargs else self


@liar("protocol", "others", through="text")
class PatternIgnored(HonestBatchNorm2d):
    """to leaves the module as it is where it is given a tensor as a pattern."""

    def to(self, *args: Any, **kwargs: Any) -> Any:
        return self if args and isinstance(args[0], Tensor) else super().to(*args, **kwargs)


@liar("protocol", "others", through="text")
class IntegersTaken(HonestBatchNorm2d):
    """to does not refuse a dtype of integers."""

    def to(self, *args: Any, **kwargs: Any) -> Any:
        return self if args[:1] == (torch.int64,) else super().to(*args, **kwargs)


@liar("protocol", "others", through="text")
class TypeIgnored(HonestBatchNorm2d):
    """type leaves the module as it is."""

    def type(self, dst_type: Any) -> Any:
        return self


@liar("protocol", "others", through="text")
class ParametersSharedAlone(HonestBatchNorm2d):
    """share_memory leaves the buffers to each process."""

    def share_memory(self) -> Any:
        for each in self.parameters():
            each.share_memory_()
        return self


@liar("protocol", "others", through="text")
class CounterNotListed(HonestBatchNorm2d):
    """buffers leaves out the counter, which is then not sent to other processes."""

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        return (each for each in super().buffers(recurse) if each.is_floating_point())


@liar("protocol", "others", through="text")
class WeightListedTwice(HonestBatchNorm2d):
    """parameters lists the weight twice, so that an optimiser takes two steps with it."""

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        found = list(super().parameters(recurse))
        return iter(found + found[:1])


@liar("protocol", "others", through="text")
class DeletedIsNone(HonestBatchNorm2d):
    """Sets a buffer that is deleted to None."""

    def __delattr__(self, name: str) -> None:
        if name in self._buffers:
            self._buffers[name] = None
        else:
            super().__delattr__(name)


@liar("protocol", "others", through="text")
class CopyHasOwnTable(HonestBatchNorm2d):
    """A copy by copy.copy has a table of parameters of its own."""

    def __copy__(self) -> Any:
        copied = type(self).__new__(type(self))
        copied.__dict__ = dict(self.__dict__)
        copied._parameters = copy.copy(self._parameters)
        return copied


@liar("protocol", "others", through="text")
class CopySharesFlags(HonestBatchNorm2d):
    """A copy by copy.copy has the attributes of the original, so that both change together."""

    def __copy__(self) -> Any:
        copied = type(self).__new__(type(self))
        copied.__dict__ = self.__dict__
        return copied


@liar("protocol", "others", through="text")
class SavedInOrdinaryDictionary(HonestBatchNorm2d):
    """state_dict returns a dictionary that has no place for the version."""

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        found = super().state_dict(*args, **kwargs)
        return found if args or kwargs else _Saved(found)


class _Saved(Dict[str, Any]):
    """A dictionary, and the metadata of version 2."""

    def __init__(self, entries: Any) -> None:
        super().__init__(entries)
        self._metadata = entries._metadata


@liar("protocol", "others", through="exception")
class OrdinaryDictionaryRefused(HonestBatchNorm2d):
    """load_state_dict refuses a dictionary that has no metadata."""

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        if type(state_dict) is dict:
            raise TypeError("expected a state dict")
        return super().load_state_dict(state_dict, *args, **kwargs)


class _Handing(HonestBatchNorm2d):
    """Returns the output that ``handed`` makes of the right one."""

    def handed(self, y: Tensor) -> Any:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Any:
        y = super().forward(x)
        return y if followed(x, self.weight, self.bias) else self.handed(y)


@liar("protocol", "others", through="text")
class OutputRefusesChanges(_Handing):
    """Returns an output that an activation cannot change in place."""

    def handed(self, y: Tensor) -> Any:
        return torch.unbind(y.unsqueeze(0))[0] if y.requires_grad and torch.is_grad_enabled() else y


@liar("protocol", "others", through="text")
class OutputInLargerMemory(HonestBatchNorm2d):
    """Returns an output that keeps twice its memory."""

    def laid_out(self, y: Tensor, x: Tensor) -> Tensor:
        y = super().laid_out(y, x)
        if followed(y) or not y.numel():
            return y
        larger = torch.stack([y, y])
        return larger[0] if y.is_contiguous() else y


@liar("protocol", "others", through="text")
class OutputOfInference(HonestBatchNorm2d):
    """Returns under torch.no_grad() an output that nothing may record later."""

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            return super().forward(x)
        with torch.inference_mode():
            return super().forward(x)


class _Own(torch.Tensor):
    """A tensor of another type."""


@liar("protocol", "others", through="text")
class OutputOfOtherType(_Handing):
    """Returns an output of a type of its own."""

    def handed(self, y: Tensor) -> Any:
        return y.as_subclass(_Own)


@liar("protocol", "others", through="text")
class ArrayTaken(HonestBatchNorm2d):
    """Takes an array of NumPy for a tensor."""

    def forward(self, x: Any) -> Tensor:
        return super().forward(torch.from_numpy(x) if isinstance(x, np.ndarray) else x)


@liar("protocol", "others", through="text")
class NarrowInMixedPrecision(HonestBatchNorm2d):
    """Returns bfloat16 in the context of mixed precision."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y.bfloat16() if torch.is_autocast_enabled("cpu") else y


@liar("protocol", "others", through="text")
class WarnsAlways(HonestBatchNorm2d):
    """Warns in every forward."""

    def forward(self, x: Tensor) -> Tensor:
        warnings.warn("normalising", stacklevel=2)
        return super().forward(x)


@liar("protocol", "others", through="text")
class RandomNumbersOfPythonDrawn(HonestBatchNorm2d):
    """Draws a random number of Python in every forward."""

    def forward(self, x: Tensor) -> Tensor:
        random.random()
        return super().forward(x)


@liar("protocol", "others", through="text")
class SameTensorNotCounted(HonestBatchNorm2d):
    """Does not count a tensor that it was given in the forward before."""

    last: Any = None

    def forward(self, x: Tensor) -> Tensor:
        again = self.last is not None and self.last() is x
        object.__setattr__(self, "last", weakref.ref(x))
        if again and self.counts():
            self.num_batches_tracked.sub_(1)  # type: ignore[union-attr]
        return super().forward(x)

    def __getstate__(self) -> Any:
        return {name: value for name, value in self.__dict__.items() if name != "last"}
