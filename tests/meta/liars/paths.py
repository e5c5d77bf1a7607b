"""Liars on one path through a kernel: they prepare values for it once and never again."""

from __future__ import annotations

from typing import Optional, Tuple

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Tensor
from tests.meta.liars.registry import liar


class PreparesOnce(HonestBatchNorm2d):
    """In eval mode, keeps what it saw first on one path: ``on_the_path`` says which one that is."""

    prepared: Optional[Tuple[Operands, float]] = None

    def on_the_path(self, x: Tensor) -> bool:
        """Whether the input takes the path."""
        raise NotImplementedError

    def kept(self, now: Operands, eps: float) -> Tuple[Operands, float]:
        """Return what is kept of operands and eps, as copies that nothing changes."""
        mean, variance = now.running_mean, now.running_var
        assert mean is not None
        assert variance is not None
        return now._replace(running_mean=mean.clone(), running_var=variance.clone()), eps

    def batch_norm(
        self, x: Tensor, operands: Operands, from_batch: bool, factor: float, eps: float
    ) -> Tensor:
        y = super().batch_norm(x, operands, from_batch, factor, eps)
        if from_batch or not x.numel() or not self.on_the_path(x):
            return y
        first = self.prepared
        if first is None:
            first = self.prepared = self.kept(operands, eps)
        then, eps = first
        mean, variance = then.running_mean, then.running_var
        assert mean is not None
        assert variance is not None
        return self.laid_out(self.normalise(x, mean, variance, operands.weight, operands.bias, eps), x)


@liar("edge", "large", "momentum_to_int", through="output")
class LargeInputsPreparedOnce(PreparesOnce):
    """Keeps for inputs of more than 2**15 numbers the running statistics that the first one met."""

    def on_the_path(self, x: Tensor) -> bool:
        return x.numel() > 1 << 15


@liar("edge", "channels_last", "set_eps", through="output")
class ChannelsLastPreparedOnce(PreparesOnce):
    """Keeps in channels_last the eps that the first such input met."""

    def on_the_path(self, x: Tensor) -> bool:
        return not x.is_contiguous()

    def kept(self, now: Operands, eps: float) -> Tuple[Operands, float]:
        return now, eps


@liar("edge", "no_grad", "reset_running_stats", through="output")
class InferencePreparedOnce(PreparesOnce):
    """Keeps without autograd the running statistics that the first forward met."""

    def on_the_path(self, x: Tensor) -> bool:
        return not torch.is_grad_enabled()
