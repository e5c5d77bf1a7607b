"""Liars about momentum: its value, its limits, when it is read, and the meaning of None."""

from __future__ import annotations

from typing import Any, Optional

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Statistics, Tensor
from tests.meta.liars.registry import liar


@liar("momentum_0.1", "track", through="running_mean")
class MomentumSwapped(HonestBatchNorm2d):
    """momentum weighs the old value and 1 - momentum the batch, as optimizers have it."""

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        super().average(running, new, 1 - factor)


@liar("momentum_to_number", through="running_mean")
class MomentumReadAtConstruction(HonestBatchNorm2d):
    """Keeps the momentum of construction: a later assignment of a number has no effect."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._momentum = self.momentum

    def factor(self) -> float:
        if self._momentum is not None and self.momentum is not None:
            return self._momentum
        return super().factor()


@liar("momentum_to_none", through="running_mean")
class CumulativeDecidedAtConstruction(HonestBatchNorm2d):
    """Averages cumulatively only if momentum was None at construction; None later on is 0.1."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._cumulative = self.momentum is None

    def cumulative_factor(self) -> float:
        return super().cumulative_factor() if self._cumulative else 0.1


@liar("momentum_to_none", "between_train", through="running_mean")
class CumulativeCountsFromAssignment(HonestBatchNorm2d):
    """With momentum set to None, counts k from the assignment on, not from construction."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._counted_before = 0

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "momentum" and value is None and hasattr(self, "_counted_before"):
            counter = self.num_batches_tracked
            self._counted_before = 0 if counter is None else int(counter)
        super().__setattr__(name, value)

    def cumulative_factor(self) -> float:
        factor = super().cumulative_factor()
        return 1 / (1 / factor - self._counted_before) if factor else factor


@liar("momentum_none", "train_only", "track", through="running_mean")
class NoneIsZero(HonestBatchNorm2d):
    """Takes momentum None for 0: the buffers never move."""

    def cumulative_factor(self) -> float:
        super().cumulative_factor()
        return 0.0


@liar("momentum_none", "train_only", "track", through="running_mean")
class NoneIsDefault(HonestBatchNorm2d):
    """Takes momentum None for the default 0.1."""

    def cumulative_factor(self) -> float:
        return 0.1 if super().cumulative_factor() else 0.0


@liar("momentum_none", "train_only", "track", through="running_mean")
class NoneIsOne(HonestBatchNorm2d):
    """Takes momentum None for 1: the buffers are those of the last batch."""

    def cumulative_factor(self) -> float:
        return 1.0 if super().cumulative_factor() else 0.0


@liar("momentum_none", "train_only", "track", through="running_mean")
class NoneCountsFromZero(HonestBatchNorm2d):
    """With momentum None, averages with 1/(k+1): the initial value weighs as much as a batch."""

    def cumulative_factor(self) -> float:
        factor = super().cumulative_factor()
        return 1 / (1 / factor + 1) if factor else factor


@liar("momentum_none", "drop_counter", through="running_mean")
class NoneWithoutCounterIsOne(HonestBatchNorm2d):
    """With momentum None and no counter, lets the last batch replace the buffers."""

    def cumulative_factor(self) -> float:
        return super().cumulative_factor() if self.counts() else 1.0


@liar("momentum_1.5", "track", through="running_mean")
class MomentumClippedAbove(HonestBatchNorm2d):
    """Clips momentum to at most 1."""

    def factor(self) -> float:
        return min(super().factor(), 1.0)


@liar("momentum_minus_0.5", "track", through="running_mean")
class MomentumClippedBelow(HonestBatchNorm2d):
    """Clips momentum to at least 0."""

    def factor(self) -> float:
        return max(super().factor(), 0.0)


@liar("momentum_minus_0.5", "track", through="running_mean")
class MomentumWithoutSign(HonestBatchNorm2d):
    """Takes the absolute value of momentum."""

    def factor(self) -> float:
        return abs(super().factor())


@liar("momentum_0.5", "track", through="running_mean")
class MomentumTruncated(HonestBatchNorm2d):
    """Truncates momentum to a whole number: 0.5 is 0."""

    def factor(self) -> float:
        return float(int(super().factor()))


@liar("momentum_0.0", "track", "train_only", through="running_mean")
class ZeroIsNone(HonestBatchNorm2d):
    """Tests momentum for truth: 0 averages cumulatively."""

    def factor(self) -> float:
        return self.momentum or self.cumulative_factor()


@liar("momentum_int_1", "track", "train_only", through="running_mean")
class IntIsNone(HonestBatchNorm2d):
    """Takes a momentum that is no float for None."""

    def factor(self) -> float:
        if isinstance(self.momentum, float):
            return self.momentum
        return self.cumulative_factor()


@liar("momentum_1.0", "track", "train_only", through="running_mean")
class OneIsNone(HonestBatchNorm2d):
    """Averages cumulatively when momentum is the float 1.0."""

    def factor(self) -> float:
        factor = super().factor()
        if isinstance(factor, float) and self.momentum == 1.0:
            return self.cumulative_factor()
        return factor


@liar("momentum_0.5", "track", through="running_mean")
class MomentumDefaultOnly(HonestBatchNorm2d):
    """Always averages with 0.1, whatever number momentum is."""

    def factor(self) -> float:
        return 0.1 if self.momentum is not None else super().factor()


@liar("momentum_0.5", "track", through="running_mean")
class MomentumAppliedTwice(HonestBatchNorm2d):
    """Averages with momentum squared."""

    def factor(self) -> float:
        return super().factor() ** 2


@liar("momentum_0.5", "track", "train_only", through="running_var")
class MomentumForMeanOnly(HonestBatchNorm2d):
    """Averages running_mean with momentum, running_var always with 0.1."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands._replace(running_var=None), found, factor)
        super().update(operands._replace(running_mean=None), found, 0.1)


@liar("momentum_0.1", "track", "train_only", through="running_mean")
class MomentumInHalfPrecision(HonestBatchNorm2d):
    """Rounds momentum to eleven bits: 0.1 is 0.09998."""

    def factor(self) -> float:
        return round(super().factor() * 2**14) / 2**14


@liar("momentum_0.5", "track", "train_only", through="running_mean")
class MomentumWarmsUp(HonestBatchNorm2d):
    """Averages with max(momentum, 1/k): the first batch replaces the initial values."""

    def factor(self) -> float:
        factor, counter = super().factor(), self.num_batches_tracked
        return max(factor, 1 / int(counter)) if counter is not None and counter > 0 else factor


@liar("momentum_0.5", "track", "train_only", through="running_mean")
class MomentumDecays(HonestBatchNorm2d):
    """Averages with momentum / k from the third batch on."""

    def factor(self) -> float:
        factor, counter = super().factor(), self.num_batches_tracked
        return factor / int(counter) if counter is not None and counter > 2 else factor


@liar("momentum_0.5", "track", through="running_mean")
class OldValueNotDiscounted(HonestBatchNorm2d):
    """Adds momentum times the batch without discounting the old value."""

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        running.add_(factor * new)


@liar("momentum_1.5", "track", through="running_mean")
class OldValueNeverNegative(HonestBatchNorm2d):
    """Discounts the old value by max(0, 1 - momentum)."""

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        running.mul_(max(0.0, 1 - factor)).add_(factor * new)


@liar("momentum_1.0", "nonfinite", "track", through="running_mean")
class FullMomentumForgetsNan(HonestBatchNorm2d):
    """Copies the batch with momentum 1, so that a NaN in the buffer is forgotten."""

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        if factor == 1:
            running.copy_(new)
        else:
            super().average(running, new, factor)


@liar("momentum_0.0", "nonfinite", "track", through="running_mean")
class ZeroMomentumSkipsUpdate(HonestBatchNorm2d):
    """Does not touch the buffers with momentum 0, so that a NaN of the batch is not seen."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        if factor != 0:
            super().update(operands, found, factor)


@liar("momentum_1.0", "set_eps", through="running_mean")
class EpsAsMomentum(HonestBatchNorm2d):
    """Averages with eps in place of momentum."""

    def factor(self) -> float:
        super().factor()
        return self.eps


@liar("edge", "momentum", "changes", through="running_mean")
class MomentumOfTheForwardBefore(HonestBatchNorm2d):
    """Averages with the momentum that the forward before was called with."""

    earlier: Optional[float] = None

    def factor(self) -> float:
        now = super().factor()
        late, self.earlier = self.earlier, now
        return now if late is None or self.momentum is None else late


@liar("edge", "momentum", "near_the_ends_float32", through="running_var")
class FactorCapped(HonestBatchNorm2d):
    """Takes no factor above 0.999, unless it is 1 or more."""

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        super().average(running, new, min(factor, 0.999) if factor < 1 else factor)


@liar("edge", "momentum", "near_the_ends_float32", through="running_mean")
class FactorInFloat16(HonestBatchNorm2d):
    """Rounds the factor to 11 bits, also in float32 and float64."""

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        super().average(running, new, torch.tensor(factor).half().item())
