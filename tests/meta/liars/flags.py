"""Liars about the flags: training, affine, track_running_stats, num_features, read when they should
not be, or not read when they should."""

from __future__ import annotations

from typing import Any

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Tensor
from tests.meta.liars.registry import liar


@liar("affine_off", through="output")
class AffineReadLive(HonestBatchNorm2d):
    """Leaves weight and bias unused once affine has been set to False."""

    def operands(self) -> Operands:
        operands = super().operands()
        return operands if self.affine else operands._replace(weight=None, bias=None)


@liar("affine_on", through="weight present")
class AffineOnCreatesParameters(HonestBatchNorm2d):
    """Setting affine to True creates weight and bias."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        built = "weight" in self.__dict__.get("_parameters", {})
        if name == "affine" and value and built and self.weight is None:
            self.make_parameters(True, True)


@liar("affine_off", through="weight present")
class AffineOffDropsParameters(HonestBatchNorm2d):
    """Setting affine to False removes weight and bias."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "affine" and not value:
            self.make_parameters(False, False)


@liar("track_off", "between_train", through="running_mean")
class TrackFlagIgnoredInTrain(HonestBatchNorm2d):
    """A train-mode forward updates the buffers although track_running_stats was turned off."""

    def updates(self) -> bool:
        return True


@liar("track_off", "eval_only", through="output")
class TrackFlagDecidesInEval(HonestBatchNorm2d):
    """In eval mode, track_running_stats alone decides: off means the batch's own statistics."""

    def from_batch(self) -> bool:
        return super().from_batch() or not self.track_running_stats

    def operands(self) -> Operands:
        operands = super().operands()
        if self.track_running_stats:
            return operands
        return operands._replace(running_mean=None, running_var=None)


@liar("track_off", "train_only", through="running_mean")
class TrackFlagReadAtConstruction(HonestBatchNorm2d):
    """A train-mode forward goes by the flag as it was at construction."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tracks = self.track_running_stats

    def counts(self) -> bool:
        return self.training and self._tracks and self.num_batches_tracked is not None

    def updates(self) -> bool:
        return self._tracks


@liar("track_on", through="running_mean present")
class TrackOnCreatesBuffers(HonestBatchNorm2d):
    """Setting track_running_stats to True creates the buffers that are missing."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        built = "running_mean" in self._buffers
        if name == "track_running_stats" and value and built and self.running_mean is None:
            self.make_buffers(True)


@liar("track_off", through="running_mean present")
class TrackOffDropsBuffers(HonestBatchNorm2d):
    """Setting track_running_stats to False removes the buffers."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "track_running_stats" and not value:
            self.make_buffers(False)


@liar("track_off", "train_only", through="output")
class TrackOffUsesBuffersInTrain(HonestBatchNorm2d):
    """In train mode with the flag turned off, normalises with the running statistics."""

    def from_batch(self) -> bool:
        off = not self.track_running_stats and self.running_mean is not None
        return super().from_batch() and not (off and self.running_var is not None)

    def updates(self) -> bool:
        return True


@liar("training_attribute", through="output")
class TrainingCached(HonestBatchNorm2d):
    """Goes by the last train() or eval(), not by the attribute ``training``."""

    _mode = True

    def train(self, mode: bool = True) -> Any:
        self._mode = mode
        super().train(mode)
        return self

    def forward(self, x: Tensor) -> Tensor:
        shown = self.training
        self.training = self._mode
        try:
            return super().forward(x)
        finally:
            self.training = shown


@liar("eval_then_train", through="output")
class NeverLeavesEval(HonestBatchNorm2d):
    """Once a batch was seen in eval mode, train mode goes on with the running statistics."""

    _frozen = False

    def from_batch(self) -> bool:
        self._frozen |= not self.training
        present = self.running_mean is not None and self.running_var is not None
        return super().from_batch() and not (self._frozen and present and self.updates())


@liar("track", "eval_only", through="output")
class EvalUsesBatch(HonestBatchNorm2d):
    """Normalises with the batch's statistics in eval mode too, without updating."""

    def from_batch(self) -> bool:
        return True

    def operands(self) -> Operands:
        operands = super().operands()
        if self.training:
            return operands
        return operands._replace(running_mean=None, running_var=None)


@liar("track", "train_only", through="output")
class TrainUsesBuffers(HonestBatchNorm2d):
    """Updates the buffers in train mode, but normalises with them."""

    def forward(self, x: Tensor) -> Tensor:
        own = super().forward(x)
        mean, variance = self.running_mean, self.running_var
        if not self.training or mean is None or variance is None or not x.numel():
            return own
        return self.normalise(x, mean, variance, self.weight, self.bias, self.eps)


@liar("drop_running_var", "eval_only", through="exception")
class OneMissingBufferIsEnough(HonestBatchNorm2d):
    """In eval mode, one missing buffer suffices to take the batch's statistics."""

    def from_batch(self) -> bool:
        return super().from_batch() or self.running_mean is None or self.running_var is None

    def operands(self) -> Operands:
        operands = super().operands()
        if self.training or not self.from_batch():
            return operands
        return operands._replace(running_mean=None, running_var=None)


@liar("drop_running_mean", "eval_only", through="exception")
class MeanAloneDecides(HonestBatchNorm2d):
    """In eval mode, looks at running_mean alone to choose the statistics."""

    def from_batch(self) -> bool:
        return self.training or self.running_mean is None


@liar("set_num_features", through="exception")
class NumFeaturesReadLive(HonestBatchNorm2d):
    """Refuses an input whose channels are not num_features as it is now."""

    def check_input(self, x: Tensor) -> None:
        super().check_input(x)
        if x.shape[1] != self.num_features:
            raise RuntimeError(f"expected {self.num_features} channels, got {x.shape[1]}")


@liar("set_num_features", through="num_features")
class NumFeaturesFollowsInput(HonestBatchNorm2d):
    """Sets num_features to the channels of the last input."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        self.num_features = x.shape[1]
        return y


@liar("momentum_none", through="momentum")
class MomentumNoneNotKept(HonestBatchNorm2d):
    """Shows the attribute momentum as 0.0 where None was given; averages rightly."""

    _cumulative = False

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "momentum":
            self.__dict__["_cumulative"] = value is None
            value = 0.0 if value is None else value
        super().__setattr__(name, value)

    def factor(self) -> float:
        return self.cumulative_factor() if self._cumulative else super().factor()


@liar("momentum_int_1", through="momentum")
class MomentumBecomesFloat(HonestBatchNorm2d):
    """Converts the attribute momentum to float."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "momentum" and isinstance(value, int):
            value = float(value)
        super().__setattr__(name, value)


@liar("float64", through="eps")
class EpsRounded(HonestBatchNorm2d):
    """Keeps the attribute eps in float32: 9.99999974e-06."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "eps":
            value = float(torch.tensor(value, dtype=torch.float32))
        super().__setattr__(name, value)


@liar("drop_running_stats", through="track_running_stats")
class FlagFollowsBuffers(HonestBatchNorm2d):
    """track_running_stats turns False when the buffers are removed."""

    def forward(self, x: Tensor) -> Tensor:
        if self.running_mean is None and self.running_var is None:
            self.track_running_stats = False
        return super().forward(x)


@liar("no_affine", "drop_counter", through="weight present")
class FlagsSwapped(HonestBatchNorm2d):
    """Swaps affine and track_running_stats at construction."""

    def make_parameters(self, weight: bool, bias: bool) -> None:
        tracked = self.track_running_stats
        super().make_parameters(tracked, tracked)

    def make_buffers(self, wanted: bool) -> None:
        super().make_buffers(self.affine)
