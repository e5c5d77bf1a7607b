"""Liars about exceptions: of the wrong class, too late, too early, swallowed, or unnecessary."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Tensor, values_per_channel
from tests.meta.liars.registry import liar


@liar("drop_running_mean", "eval_only", through="exception")
class MissingBufferIsValueError(HonestBatchNorm2d):
    """A buffer that is missing in eval mode raises ValueError, not RuntimeError."""

    def forward(self, x: Tensor) -> Tensor:
        try:
            return super().forward(x)
        except RuntimeError as error:
            raise ValueError(str(error)) from error


@liar("drop_running_mean", "eval_only", through="exception")
class MissingMeanIsZero(HonestBatchNorm2d):
    """A running_mean that is missing in eval mode counts as 0, and nothing is raised."""

    def operands(self) -> Operands:
        operands = super().operands()
        var = operands.running_var
        if self.training or operands.running_mean is not None or var is None:
            return operands
        return operands._replace(running_mean=torch.zeros_like(var))


@liar("drop_running_var", "eval_only", through="exception")
class MissingVarianceIsOne(HonestBatchNorm2d):
    """A running_var that is missing in eval mode counts as 1, and nothing is raised."""

    def operands(self) -> Operands:
        operands = super().operands()
        mean = operands.running_mean
        if self.training or operands.running_var is not None or mean is None:
            return operands
        return operands._replace(running_var=torch.ones_like(mean))


@liar("drop_running_var", "train_only", through="exception")
class OneBufferUpdatedAlone(HonestBatchNorm2d):
    """In train mode with one buffer, updates it, and raises nothing."""

    def check_operands(self, x: Tensor, operands: Operands, from_batch: bool) -> None:
        if from_batch:
            operands = operands._replace(running_mean=None, running_var=None)
        super().check_operands(x, operands, from_batch)


@liar("drop_running_var", "train_only", through="running_mean")
class RaisesAfterUpdate(HonestBatchNorm2d):
    """In train mode with one buffer, raises as it should, but after that buffer was updated."""

    def check_operands(self, x: Tensor, operands: Operands, from_batch: bool) -> None:
        try:
            super().check_operands(x, operands, from_batch)
        except ValueError:
            self.update(operands, self.statistics(x), self.factor())
            raise


@liar("drop_running_var", "train_only", through="num_batches_tracked")
class RaisesBeforeCounting(HonestBatchNorm2d):
    """In train mode with one buffer, raises before the batch is counted."""

    def check_input(self, x: Tensor) -> None:
        super().check_input(x)
        one = (self.running_mean is None) != (self.running_var is None)
        if one and self.training and self.track_running_stats:
            raise ValueError(
                "running_mean and running_var must either both be None or neither be None"
            )


@liar("drop_running_mean", "eval_only", through="exception")
class EverythingSwallowed(HonestBatchNorm2d):
    """Returns a copy of the input where an exception is due."""

    def forward(self, x: Tensor) -> Tensor:
        try:
            return super().forward(x)
        except (ValueError, RuntimeError):
            return x.clone()


@liar("edge", "shape", "three_dims", through="exception")
class ThreeDimensionsAccepted(HonestBatchNorm2d):
    """Takes a three-dimensional input for rows of pixels, as BatchNorm1d does."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x[..., None])[..., 0] if x.dim() == 3 else super().forward(x)


@liar("edge", "shape", "five_dims", through="exception")
class FiveDimensionsAccepted(HonestBatchNorm2d):
    """Normalises an input of five dimensions."""

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 5:
            return super().forward(x)
        return super().forward(x.flatten(3)).reshape(x.shape)


@liar("edge", "shape", "two_dims", through="num_batches_tracked")
class DimensionsCheckedAfterCounting(HonestBatchNorm2d):
    """Counts an input that has the wrong number of dimensions before it raises."""

    def check_input(self, x: Tensor) -> None:
        if x.dim() != 4 and self.counts():
            self.count()
        super().check_input(x)


@liar("edge", "shape", "two_dims", through="exception")
class DimensionsMessageEmpty(HonestBatchNorm2d):
    """Raises ValueError without a message for the wrong number of dimensions."""

    def check_input(self, x: Tensor) -> None:
        if x.dim() != 4:
            raise ValueError


@liar("edge", "shape", "one_value_tracked", through="exception")
class SingleValueAccepted(HonestBatchNorm2d):
    """In train mode, accepts one value a channel."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        single = values_per_channel(x) == 1
        super().check_arguments(x, from_batch and not single, factor, eps)


@liar("edge", "shape", "one_value_tracked", through="exception")
class SingleValueIsRuntimeError(HonestBatchNorm2d):
    """One value a channel raises RuntimeError, not ValueError."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        try:
            super().check_arguments(x, from_batch, factor, eps)
        except ValueError as error:
            raise RuntimeError(str(error)) from error


@liar("edge", "eps", "eps_0.0_tracked", through="exception")
class ZeroEpsAccepted(HonestBatchNorm2d):
    """Accepts eps 0 in train mode."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        super().check_arguments(x, from_batch, factor, eps or 1.0)


@liar("edge", "eps", "eps_minus_1.0_tracked", through="exception")
class NegativeEpsAccepted(HonestBatchNorm2d):
    """Accepts a negative eps in eval mode."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        super().check_arguments(x, from_batch, factor, eps if from_batch else abs(eps))


@liar("edge", "momentum", "momentum_text", through="exception")
class MomentumConverted(HonestBatchNorm2d):
    """Takes a momentum that is a text for 0.1."""

    def factor(self) -> float:
        factor: object = super().factor()
        return 0.1 if isinstance(factor, str) else super().factor()


@liar("edge", "shape", "wrong_channels_tracked", through="exception")
class ChannelsCutOff(HonestBatchNorm2d):
    """Ignores the channels of an input that the module has no statistics for."""

    def forward(self, x: Tensor) -> Tensor:
        known = self.running_mean
        if known is not None and x.dim() == 4 and x.shape[1] > len(known):
            return super().forward(x[:, : len(known)])
        return super().forward(x)


@liar("edge", "shape", "wrong_channels_untracked", through="exception")
class ParameterLengthUnchecked(HonestBatchNorm2d):
    """Leaves parameters of the wrong length to broadcasting, and its exception."""

    def check_length(self, x: Tensor, name: str, tensor: Optional[Tensor]) -> None:
        if name not in ("weight", "bias"):
            super().check_length(x, name, tensor)


@liar("edge", "counter", "minus_one", through="exception")
class DivisionByZeroIsInfinity(HonestBatchNorm2d):
    """With momentum None and a counter at 0, averages with an infinite factor."""

    def cumulative_factor(self) -> float:
        try:
            return super().cumulative_factor()
        except ZeroDivisionError:
            return float("inf")


@liar("edge", "reset", "partial", through="exception")
class ResetOfMissingBuffersSwallowed(HonestBatchNorm2d):
    """reset_running_stats passes over buffers that are missing."""

    def reset_running_stats(self) -> None:
        try:
            super().reset_running_stats()
        except AttributeError:
            return


@liar("edge", "load", "no_counter", through="exception")
class MissingKeyIgnored(HonestBatchNorm2d):
    """Loads a state dict that lacks the counter without complaint, whatever its version."""

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, metadata: Any, *rest: Any
    ) -> None:
        self.complete_legacy(state_dict, prefix + "num_batches_tracked")
        super()._load_from_state_dict(state_dict, prefix, metadata, *rest)


@liar("edge", "attach", "trainable_eval", through="exception")
class TrainableStatisticsAccepted(HonestBatchNorm2d):
    """Uses running statistics that require a gradient."""

    def check_no_grad(self, running: Tuple[Tuple[str, Optional[Tensor]], ...]) -> None:
        return

    def normalise(
        self,
        x: Tensor,
        mean: Tensor,
        variance: Tensor,
        weight: Optional[Tensor],
        bias: Optional[Tensor],
        eps: float,
    ) -> Tensor:
        return super().normalise(x, mean.detach(), variance.detach(), weight, bias, eps)


@liar("edge", "dtype", "integers", through="exception")
class IntegersAccepted(HonestBatchNorm2d):
    """Converts integers to float."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if x.is_floating_point() else x.float())


@liar("edge", "dtype", "wrong_float", through="exception")
class OtherPrecisionAccepted(HonestBatchNorm2d):
    """Computes inputs of another floating-point dtype in the dtype of the weight."""

    def forward(self, x: Tensor) -> Tensor:
        own = self.weight
        if own is None or not x.is_floating_point() or x.dtype == own.dtype:
            return super().forward(x)
        return super().forward(x.to(own.dtype)).to(x.dtype)


@liar("edge", "dtype", "bytes", through="exception")
class BytesConverted(HonestBatchNorm2d):
    """Takes an image of bytes for one of floating-point numbers."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.float() if x.dtype == torch.uint8 else x)
