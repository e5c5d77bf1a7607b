"""Liars about the values of parameters and running statistics."""

from __future__ import annotations

from typing import Optional, Tuple

import torch

from tests.meta.liars.derivative import Gradients, Kept, Terms
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Statistics, Tensor, spread
from tests.meta.liars.registry import liar


def rounded(tensor: Optional[Tensor], dtype: torch.dtype) -> Optional[Tensor]:
    """Return the tensor rounded to ``dtype``, in its own dtype; its gradient is that of the tensor."""
    if tensor is None:
        return None
    return tensor + (tensor.to(dtype).to(tensor.dtype) - tensor).detach()


class _Scaling(HonestBatchNorm2d):
    """Scales and shifts with what ``read`` returns of weight and bias."""

    def read(
        self, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tuple[Optional[Tensor], Optional[Tensor]]:
        raise NotImplementedError

    def scale_and_shift(
        self, y: Tensor, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tensor:
        return super().scale_and_shift(y, *self.read(weight, bias))


@liar("edge", "values", "uneven_eval_float32", through="output")
class WeightThroughHalf(_Scaling):
    """Rounds the weight to bfloat16, as mixed precision would that casts every parameter."""

    def read(
        self, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tuple[Optional[Tensor], Optional[Tensor]]:
        return rounded(weight, torch.bfloat16), bias


@liar("edge", "values", "uneven_eval_float32", through="output")
class BiasThroughHalf(_Scaling):
    """Rounds the bias to float16."""

    def read(
        self, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tuple[Optional[Tensor], Optional[Tensor]]:
        return weight, rounded(bias, torch.float16)


@liar("edge", "values", "uneven_eval_float64", through="output")
class BiasThroughSingle(_Scaling):
    """Rounds the bias of a float64 module to float32."""

    def read(
        self, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tuple[Optional[Tensor], Optional[Tensor]]:
        return weight, rounded(bias, torch.float32)


@liar("edge", "values", "uneven_train_float32", through="input gradient")
class SlopeThroughHalf(HonestBatchNorm2d):
    """Rounds the weight to bfloat16 in the backward pass."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        return super().slope(kept._replace(weight=rounded(kept.weight, torch.bfloat16)), terms)


@liar("edge", "values", "zeros_eval_float32", through="output")
class ZeroWeightSkipsChannel(HonestBatchNorm2d):
    """Does not look at a channel whose weight is 0: a NaN in it is lost."""

    def scale_and_shift(
        self, y: Tensor, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tensor:
        if weight is not None and weight.dim() == 1:
            y = torch.where(spread(weight) == 0, torch.zeros_like(y), y)
        return super().scale_and_shift(y, weight, bias)


class _WeightGradientOfZero(HonestBatchNorm2d):
    """Gives a weight that is 0 the gradient ``instead``."""

    instead = 0.0

    def differentiate(self, g: Tensor, kept: Kept, wanted: Tuple[bool, bool, bool]) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        if weight is not None and kept.weight is not None and kept.weight.shape == weight.shape:
            weight = torch.where(kept.weight == 0, torch.full_like(weight, self.instead), weight)
        return x, weight, bias


@liar("edge", "values", "zeros_train_float32", through="weight gradient")
class ZeroWeightStaysZero(_WeightGradientOfZero):
    """Gives a weight that is 0 no gradient but 0, so that it is never trained."""


@liar("edge", "values", "zeros_train_float32", through="weight gradient")
class NormalisedFromOutput(_WeightGradientOfZero):
    """Divides the output by the weight to get back what was normalised: NaN for a weight of 0."""

    instead = float("nan")


@liar("edge", "values", "zeros_eval_float32", through="output")
class ZeroVarianceGivesBias(HonestBatchNorm2d):
    """Takes what is normalised by a running variance of 0 for 0."""

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
        if self.training or variance is not self.running_var or bias is None:
            return y
        return torch.where(spread(variance) == 0, spread(bias).to(y.dtype), y)


class _Variance(HonestBatchNorm2d):
    """Divides by the root of what ``taken`` returns of the variance."""

    def taken(self, variance: Tensor) -> Tensor:
        raise NotImplementedError

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().deviation(self.taken(variance), eps)


@liar("edge", "values", "negative_eval_float32", through="output")
class NegativeVarianceWithoutSign(_Variance):
    """Takes a negative running variance without its sign."""

    def taken(self, variance: Tensor) -> Tensor:
        return variance.abs()


@liar("edge", "values", "negative_eval_float32", through="output")
class NegativeVarianceIsZero(_Variance):
    """Takes a negative running variance for 0."""

    def taken(self, variance: Tensor) -> Tensor:
        return torch.where(variance < 0, torch.zeros_like(variance), variance)


@liar("edge", "values", "nonfinite_eval_float32", through="output")
class NanVarianceIsOne(_Variance):
    """Takes a running variance that is NaN for 1."""

    def taken(self, variance: Tensor) -> Tensor:
        broken = torch.isnan(variance) if not self.training else torch.zeros_like(variance).bool()
        return torch.where(broken, torch.ones_like(variance), variance)


@liar("edge", "values", "nonfinite_eval_float32", through="output")
class NanWeightIsOne(_Scaling):
    """Takes a weight that is NaN for 1."""

    def read(
        self, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tuple[Optional[Tensor], Optional[Tensor]]:
        if weight is not None:
            weight = torch.where(torch.isnan(weight), torch.ones_like(weight), weight)
        return weight, bias


@liar("edge", "values", "nonfinite_eval_float32", through="output")
class BiasCleaned(_Scaling):
    """Takes a bias that is NaN for 0, and one that is infinite for the largest number."""

    def read(
        self, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tuple[Optional[Tensor], Optional[Tensor]]:
        if bias is not None:
            largest = torch.finfo(bias.dtype).max
            bias = torch.where(torch.isnan(bias), torch.zeros_like(bias), bias).clamp(-largest, largest)
        return weight, bias


# --- the last values ---------------------------------------------------------------------------


def _zeroed(x: Tensor) -> Tensor:
    return torch.where(torch.isnan(x), torch.zeros_like(x), x)


@liar("nonfinite", "nan_last", through="running_mean")
class LastImageCleaned(HonestBatchNorm2d):
    """Takes a NaN for 0 where the last image alone has one, as a masked rest of a vector does."""

    def statistics(self, x: Tensor) -> Statistics:
        alone = not torch.isnan(x[:-1]).any()
        return super().statistics(_zeroed(x) if alone and len(x) > 1 else x)


@liar("nonfinite", "nan_last", through="running_var")
class LastChannelCleaned(HonestBatchNorm2d):
    """Takes a NaN for 0 in the last of several channels."""

    def statistics(self, x: Tensor) -> Statistics:
        return super().statistics(torch.cat([x[:, :-1], _zeroed(x[:, -1:])], 1) if x.shape[1] > 1 else x)
