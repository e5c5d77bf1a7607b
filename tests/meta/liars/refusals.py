"""Liars that refuse what they should accept."""

from __future__ import annotations

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor, values_per_channel
from tests.meta.liars.registry import liar


@liar("edge", "shape", "one_value_tracked", through="exception")
class SingleValueRefusedInEval(HonestBatchNorm2d):
    """Refuses one value a channel in eval mode too, where the running statistics serve."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        super().check_arguments(x, from_batch, factor, eps)
        if values_per_channel(x) == 1:
            raise ValueError("Expected more than 1 value per channel when training")


@liar("edge", "eps", "eps_0.0_tracked", through="exception")
class ZeroEpsRefusedInEval(HonestBatchNorm2d):
    """Refuses eps 0 in eval mode too."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        super().check_arguments(x, from_batch, factor, eps)
        if eps == 0:
            raise ValueError("batch_norm eps must be positive")


@liar("edge", "momentum", "momentum_2.0", through="exception")
class MomentumValidated(HonestBatchNorm2d):
    """Refuses a momentum above 1.5."""

    def factor(self) -> float:
        factor = super().factor()
        if isinstance(factor, float) and factor > 1.5:
            raise ValueError(f"momentum must lie in [0, 1], but got {factor}")
        return factor


@liar("train_only", "n2", through="exception")
class TwoValuesRefused(HonestBatchNorm2d):
    """Refuses two values a channel, as a check for n <= 2 would."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        super().check_arguments(x, from_batch, factor, eps)
        if from_batch and values_per_channel(x) == 2:
            raise ValueError(f"Expected more than 1 value per channel, got input size {x.size()}")


@liar("train_only", "nonfinite", through="exception")
class NonfiniteRefused(HonestBatchNorm2d):
    """Raises on an input that holds a NaN or an infinity."""

    def check_input(self, x: Tensor) -> None:
        super().check_input(x)
        if not bool(torch.isfinite(x).all()):
            raise ValueError("the input is not finite")


@liar("edge", "momentum", "momentum_nan", through="exception")
class NanMomentumRefused(HonestBatchNorm2d):
    """Raises when momentum is NaN."""

    def factor(self) -> float:
        factor = super().factor()
        if factor != factor:
            raise ValueError("momentum is NaN")
        return factor
