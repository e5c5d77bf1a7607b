"""Liars that show only after many turns, or where there are two reasons for a refusal."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Tensor, followed, plain
from tests.meta.liars.registry import liar


@liar("pairings", "two_faults", through="exception")
class ChannelsBeforeValues(HonestBatchNorm2d):
    """Refuses the number of channels before the number of values."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        if x.numel():
            self.check_length(x, "running_mean", self.running_mean)
        super().check_arguments(x, from_batch, factor, eps)


@liar("pairings", "two_faults", through="exception")
class DtypeBeforeChannels(HonestBatchNorm2d):
    """Refuses the dtype before the number of channels."""

    def check_operands(self, x: Tensor, operands: Operands, from_batch: bool) -> None:
        if x.numel():
            self.check_dtype(x, operands)
        super().check_operands(x, operands, from_batch)


@liar("pairings", "two_faults", through="exception")
class MomentumBeforeValues(HonestBatchNorm2d):
    """Refuses a momentum that is a text before the number of values."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        if isinstance(factor, str):
            raise TypeError("argument 'momentum' (position 7) must be float, not str")
        super().check_arguments(x, from_batch, factor, eps)


@liar("pairings", "cycles", through="output")
class PreparedTwice(HonestBatchNorm2d):
    """Prepares the running statistics for eval mode anew after the first two returns from train mode."""

    def train(self, mode: bool = True) -> Any:
        self.__dict__["turns"] = self.__dict__.get("turns", 0) + bool(mode)
        return super().train(mode)

    def operands(self) -> Operands:
        found = super().operands()
        if self.training or found.running_mean is None or found.running_var is None:
            return found
        kept: Optional[Tuple[Tensor, Tensor]] = self.__dict__.get("prepared")
        if kept is None or self.__dict__.get("turns", 0) <= 2:
            kept = found.running_mean.detach().clone(), found.running_var.detach().clone()
            self.__dict__["prepared"] = kept
        return found._replace(running_mean=kept[0], running_var=kept[1])


@liar("pairings", "cycles", through="num_batches_tracked")
class ThirdTrainingUncounted(HonestBatchNorm2d):
    """Counts no batch after the third return to train mode."""

    def train(self, mode: bool = True) -> Any:
        returned = mode and not self.training
        self.__dict__["returns"] = self.__dict__.get("returns", 0) + bool(returned)
        return super().train(mode)

    def counts(self) -> bool:
        return super().counts() and self.__dict__.get("returns", 0) < 3


@liar("pairings", "cycles", through="output")
class FrozenIsEvalUnrecorded(HonestBatchNorm2d):
    """Takes train mode for eval mode without recording, where weight and bias are frozen."""

    def from_batch(self) -> bool:
        parameters = (self.weight, self.bias)
        frozen = all(each is not None and not each.requires_grad for each in parameters)
        running = self.running_mean is not None and self.running_var is not None
        return super().from_batch() and not (frozen and running and not torch.is_grad_enabled())


@liar("pairings", "cycles", through="num_batches_tracked")
class LoadedCounterIn32Bits(HonestBatchNorm2d):
    """Loads the counter as a number of 32 bits."""

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        found = super().load_state_dict(*args, **kwargs)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.data.copy_(self.num_batches_tracked.to(torch.int32))
        return found


@liar("pairings", through="exception")
class TrueEpsRefused(HonestBatchNorm2d):
    """Refuses True as eps, which is the number 1."""

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        if eps is True:
            raise TypeError("eps must be a number")
        super().check_arguments(x, from_batch, factor, eps)


class _WrongTangent(HonestBatchNorm2d):
    """Halves the tangent where ``wrong`` says so, and leaves the output as it is."""

    def normalise(
        self,
        x: Tensor,
        mean: Tensor,
        variance: Tensor,
        weight: Optional[Tensor],
        bias: Optional[Tensor],
        eps: float,
    ) -> Tensor:
        y = super().normalise(x, mean, variance, weight, bias, eps)
        if not followed(x) or not self.wrong(x, weight):
            return y
        return y / 2 + plain(torch.autograd.forward_ad.unpack_dual(y).primal) / 2

    def wrong(self, x: Tensor, weight: Optional[Tensor]) -> bool:
        raise NotImplementedError


@liar("pairings", "tangent_n63_1x24x9x7", through="output tangent")
class TangentOfOneImageWithoutWeightWrong(_WrongTangent):
    """Halves the tangent of one image in a layer without a weight."""

    def wrong(self, x: Tensor, weight: Optional[Tensor]) -> bool:
        return weight is None and len(x) == 1 and x.shape[1] > 1


@liar("pairings", "tangent_n60_3x1x5x4", through="output tangent")
class TangentOfOneChannelUntrackedWrong(_WrongTangent):
    """Halves the tangent of one channel without running statistics."""

    def wrong(self, x: Tensor, weight: Optional[Tensor]) -> bool:
        return self.running_mean is None and x.shape[1] == 1
