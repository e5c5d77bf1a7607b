"""Liars about loading a state dict: the values that are copied, the report, and the source."""

from __future__ import annotations

from typing import Any, Dict

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.registry import liar


@liar("edge", "load", "legacy", through="input_changed")
class SourceCompleted(HonestBatchNorm2d):
    """load_state_dict completes the state dict that it is given, and not a copy of it."""

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        found = super().load_state_dict(state_dict, *args, **kwargs)
        if self.num_batches_tracked is not None:
            state_dict.setdefault("num_batches_tracked", self.num_batches_tracked.clone())
        return found


@liar("edge", "load", "plain", through="input_changed")
class SourceEmptied(HonestBatchNorm2d):
    """load_state_dict takes every entry that it has loaded out of the state dict."""

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        found = super().load_state_dict(state_dict, *args, **kwargs)
        state_dict.pop("running_mean", None)
        return found


@liar("edge", "load", "plain", through="text")
class SourceShared(HonestBatchNorm2d):
    """running_mean lies in the memory of the state dict that was loaded last."""

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        found = super().load_state_dict(state_dict, *args, **kwargs)
        if self.running_mean is not None and "running_mean" in state_dict:
            self.running_mean.data = state_dict["running_mean"]
        return found


@liar("edge", "load", "whole_loose_untracked", through="text")
class UnexpectedConcealed(HonestBatchNorm2d):
    """load_state_dict does not tell which keys it did not expect."""

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        found = super().load_state_dict(*args, **kwargs)
        return type(found)(found.missing_keys, [])


@liar("edge", "load", "other_names_loose", through="text")
class MissingConcealed(HonestBatchNorm2d):
    """load_state_dict does not tell which keys are missing."""

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        found = super().load_state_dict(*args, **kwargs)
        return type(found)([], found.unexpected_keys)


@liar("edge", "load", "plain", through="text")
class NothingReturned(HonestBatchNorm2d):
    """load_state_dict returns None."""

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        super().load_state_dict(*args, **kwargs)


@liar("edge", "load", "assigned", through="text")
class AssignCopies(HonestBatchNorm2d):
    """assign=True copies the values as usual."""

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> Any:
        return super().load_state_dict(state_dict, strict)


@liar("edge", "load", "assigned_frozen", through="weight requires_grad")
class AssignUnfreezes(HonestBatchNorm2d):
    """assign=True makes every Parameter trainable."""

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> Any:
        found = super().load_state_dict(state_dict, strict, assign)
        if assign and self.weight is not None:
            self.weight.requires_grad_()
        return found


@liar("edge", "load", "float64", through="running_mean dtype")
class SourceDtypeTaken(HonestBatchNorm2d):
    """Loading gives running_mean the dtype of the state dict."""

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        found = super().load_state_dict(state_dict, *args, **kwargs)
        given = state_dict.get("running_mean")
        if self.running_mean is not None and given is not None:
            self.running_mean.data = self.running_mean.to(given.dtype)
        return found


class _Completing(HonestBatchNorm2d):
    """Loads another state dict than the one that it is given."""

    def _load_from_state_dict(
        self, state_dict: Dict[str, Any], prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        self.adapt(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def adapt(self, state_dict: Dict[str, Any], prefix: str) -> None:
        """Change the state dict, which is a copy of the one that was given."""
        raise NotImplementedError


@liar("edge", "load", "counter_float", through="num_batches_tracked")
class CounterRounded(_Completing):
    """A counter that is no whole number is rounded to the nearest."""

    def adapt(self, state_dict: Dict[str, Any], prefix: str) -> None:
        count = state_dict.get(prefix + "num_batches_tracked")
        if count is not None and count.is_floating_point():
            state_dict[prefix + "num_batches_tracked"] = count.round()


@liar("edge", "load", "counter_of_one", through="exception")
class CounterOfOneRefused(_Completing):
    """A counter of shape [1], as old files have it, is refused."""

    def adapt(self, state_dict: Dict[str, Any], prefix: str) -> None:
        count = state_dict.get(prefix + "num_batches_tracked")
        if count is not None and count.shape == (1,):
            state_dict[prefix + "num_batches_tracked"] = torch.cat([count, count])


@liar("edge", "load", "counter_of_two", through="exception")
class CounterOfTwoTaken(_Completing):
    """Takes the first value of a counter of shape [2]."""

    def adapt(self, state_dict: Dict[str, Any], prefix: str) -> None:
        count = state_dict.get(prefix + "num_batches_tracked")
        if count is not None and count.shape == (2,):
            state_dict[prefix + "num_batches_tracked"] = count[0]


@liar("edge", "load", "longer_loose", through="exception")
class LooseAboutSizes(_Completing):
    """An entry that is too long is cut."""

    def adapt(self, state_dict: Dict[str, Any], prefix: str) -> None:
        given = state_dict.get(prefix + "running_mean")
        if given is not None:
            state_dict[prefix + "running_mean"] = given[: self.num_features]


@liar("edge", "load", "wrapped_loose", through="text")
class PrefixStripped(_Completing):
    """The prefix of a DataParallel is taken off the keys."""

    def adapt(self, state_dict: Dict[str, Any], prefix: str) -> None:
        for key in [key for key in state_dict if key.startswith("module.")]:
            state_dict[prefix + key[len("module.") :]] = state_dict.pop(key)


@liar("edge", "load", "parent", through="running_mean")
class PrefixMisread(HonestBatchNorm2d):
    """Loads another running_mean as a part of a larger module than alone."""

    def _load_from_state_dict(
        self, state_dict: Dict[str, Any], prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)
        if prefix and self.running_mean is not None:
            self.running_mean.zero_()


@liar("edge", "load", "emptied", through="weight requires_grad")
class EmptiedFrozen(HonestBatchNorm2d):
    """to_empty makes Parameters that require no gradient."""

    def to_empty(self, **kwargs: Any) -> Any:
        return super().to_empty(**kwargs).requires_grad_(False)


@liar("edge", "load", "assigned_legacy", through="num_batches_tracked")
class AssignedCounterLost(HonestBatchNorm2d):
    """Assigning a state dict without a counter sets the counter to 0."""

    def _load_from_state_dict(
        self, state_dict: Dict[str, Any], prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        before = self.num_batches_tracked
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)
        lacked = before is not None and self.num_batches_tracked is before
        if lacked and local_metadata.get("assign_to_params_buffers"):
            self.num_batches_tracked = torch.tensor(0)


@liar("load", "assigned_parameters", through="text")
class AssignedParameterCloned(HonestBatchNorm2d):
    """Puts a copy of an entry that is a Parameter in the place of its own."""

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        given: Any = type(state_dict)(state_dict)
        given._metadata = getattr(state_dict, "_metadata", None)
        for key, each in state_dict.items():
            given[key] = each.detach().clone() if isinstance(each, torch.nn.Parameter) else each
        return super().load_state_dict(given, *args, **kwargs)


@liar("load", "assigned_parameters_frozen", through="weight requires_grad")
class AssignedParameterUnfrozen(HonestBatchNorm2d):
    """Lets a Parameter that comes in the place of a frozen one be trained."""

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        found = super().load_state_dict(state_dict, *args, **kwargs)
        if kwargs.get("assign") and isinstance(state_dict.get("weight"), torch.nn.Parameter):
            self.weight.requires_grad_(True)  # type: ignore[union-attr]
        return found


@liar("load", "parameters", through="text")
class ParametersTakenAsTheyAre(HonestBatchNorm2d):
    """Takes an entry that is a Parameter for its own, without being asked to assign."""

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        found = super().load_state_dict(state_dict, *args, **kwargs)
        if isinstance(state_dict.get("weight"), torch.nn.Parameter):
            self.weight = state_dict["weight"]
        return found
