"""Liars about data that outlives a forward: resets, copies, state dicts, and shared memory."""

from __future__ import annotations

import copy
from typing import Any, ClassVar, Dict

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor
from tests.meta.liars.registry import liar


@liar("state_dict", "track", through="memory shared with the original")
class BuffersShared(HonestBatchNorm2d):
    """All instances of one length share their running_mean."""

    _pool: ClassVar[Dict[int, Tensor]] = {}

    def make_buffers(self, wanted: bool) -> None:
        super().make_buffers(wanted)
        if wanted:
            fresh = self.running_mean
            assert fresh is not None
            self.running_mean = self._pool.setdefault(self.num_features, fresh)

    def _apply(self, *args: Any, **kwargs: Any) -> Any:
        converted = super()._apply(*args, **kwargs)  # type: ignore[no-untyped-call]
        if self.running_mean is not None:
            key = self.num_features * 10 + self.running_mean.element_size()
            self.running_mean = self._pool.setdefault(key, self.running_mean)
        return converted


@liar("reset_running_stats", "track", through="running_var")
class ResetVarianceToZero(HonestBatchNorm2d):
    """reset_running_stats sets running_var to 0."""

    def reset_running_stats(self) -> None:
        super().reset_running_stats()
        if self.track_running_stats:
            self.running_var.zero_()  # type: ignore[union-attr]


@liar("reset_running_stats", "track", through="running_mean")
class ResetForgetsMean(HonestBatchNorm2d):
    """reset_running_stats leaves running_mean alone."""

    def reset_running_stats(self) -> None:
        mean = self.running_mean
        before = None if mean is None else mean.clone()
        super().reset_running_stats()
        if mean is not None and before is not None:
            mean.copy_(before)


@liar("reset_running_stats", "track", through="running_mean is the same object")
class ResetRebinds(HonestBatchNorm2d):
    """reset_running_stats makes new buffers."""

    def reset_running_stats(self) -> None:
        super().reset_running_stats()
        if self.track_running_stats:
            self.running_mean = torch.zeros_like(self.running_mean)  # type: ignore[arg-type]


@liar("state", "no_track", through="running_mean")
class ResetIgnoresFlag(HonestBatchNorm2d):
    """reset_running_stats resets buffers although track_running_stats is off."""

    def reset_running_stats(self) -> None:
        if not self.track_running_stats and self.running_mean is not None:
            self.running_mean.zero_()
        super().reset_running_stats()


@liar("reset_parameters", "track", through="running_mean")
class ResetParametersKeepsBuffers(HonestBatchNorm2d):
    """reset_parameters resets weight and bias alone."""

    _resetting = False

    def reset_parameters(self) -> None:
        self._resetting = True
        super().reset_parameters()
        self._resetting = False

    def reset_running_stats(self) -> None:
        if not self._resetting:
            super().reset_running_stats()


@liar("deepcopy", "track", through="memory shared with the original")
class DeepcopyShares(HonestBatchNorm2d):
    """A deep copy shares the buffers of the original."""

    def __deepcopy__(self, memo: Dict[int, Any]) -> HonestBatchNorm2d:
        fresh = type(self).__new__(type(self))
        fresh.__dict__.update(copy.deepcopy(self.__dict__, memo))
        if self.running_mean is not None:
            fresh._buffers["running_mean"] = self.running_mean
        return fresh


@liar("pickle", "track", through="running_mean")
class PickleForgets(HonestBatchNorm2d):
    """Unpickling restores the buffers' initial values."""

    def __setstate__(self, state: Dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        if self.running_mean is not None and not isinstance(self.running_mean, torch.nn.Parameter):
            self.running_mean = torch.zeros_like(self.running_mean)


@liar("state_dict", "track", through="running_var")
class VarianceNotLoaded(HonestBatchNorm2d):
    """load_state_dict accepts running_var but keeps its own."""

    def _load_from_state_dict(
        self, state_dict: Dict[str, Any], prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        own = self.running_var
        before = None if own is None else own.clone()
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)
        if own is not None and before is not None:
            with torch.no_grad():
                own.copy_(before)


@liar("edge", "load", "legacy", through="running_mean is the same object")
class LoadRebinds(HonestBatchNorm2d):
    """load_state_dict puts new tensors in the place of the buffers."""

    def _load_from_state_dict(
        self, state_dict: Dict[str, Any], prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)
        if self.running_mean is not None:
            self.running_mean = self.running_mean.clone()


@liar("protocol", "unsaved_converted", through="text")
class ConversionForgetsUnsaved(HonestBatchNorm2d):
    """A conversion makes every buffer one that the state dict holds."""

    def _apply(self, *arguments: Any, **keywords: Any) -> Any:
        converted = super()._apply(*arguments, **keywords)  # type: ignore[no-untyped-call]
        self._non_persistent_buffers_set.clear()
        return converted


@liar("protocol", "parent", through="text")
class DestinationIgnored(HonestBatchNorm2d):
    """state_dict returns a new dictionary whatever it is given, so a parent saves nothing of it."""

    def state_dict(self, *_: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        return super().state_dict(prefix=prefix, keep_vars=keep_vars)


@liar("protocol", "parent", through="text")
class VersionLost(HonestBatchNorm2d):
    """A state dict with a prefix has no version 2 in its metadata."""

    def state_dict(self, *arguments: Any, **keywords: Any) -> Any:
        found = super().state_dict(*arguments, **keywords)
        for key, facts in found._metadata.items():
            facts["version"] = 2 if key == "" else 1
        return found


@liar("protocol", "entries", through="text")
class StateDictOfTheBuffers(HonestBatchNorm2d):
    """The state dict has the buffers themselves, so what is read from it changes with the next batch."""

    def state_dict(self, *arguments: Any, **keywords: Any) -> Any:
        found = super().state_dict(*arguments, **keywords)
        for key in found:
            own = getattr(self, key.rpartition(".")[2], None)
            if own is not None and not isinstance(own, torch.nn.Parameter):
                found[key] = own
        return found


@liar("protocol", "number_as_running_mean", through="exception")
class NumberTakenAsTensor(HonestBatchNorm2d):
    """Makes a tensor of a number that is assigned to a running statistic."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("running_mean", "running_var") and isinstance(value, float):
            value = torch.full((self.num_features,), value)
        super().__setattr__(name, value)


@liar("protocol", "number_as_num_batches_tracked", through="exception")
class NumberTakenAsCounter(HonestBatchNorm2d):
    """Makes a tensor of a number that is assigned to the counter."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "num_batches_tracked" and isinstance(value, (int, float)):
            value = torch.tensor(int(value))
        super().__setattr__(name, value)
