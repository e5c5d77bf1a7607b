"""Liars about tangents and functions that call the module: forward and backward are right, these are not."""

from __future__ import annotations

from typing import Any, Optional

import torch

from tests.meta.liars.backward_twice import scaled
from tests.meta.liars.derivative import Gradients, Kept, Terms
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import NARROW, Operands, Statistics, Tensor, followed, values_per_channel
from tests.meta.liars.registry import liar

GROUP = "tangent"

# --- the tangent of the output -----------------------------------------------------------------


@liar(GROUP, "offset", through="output tangent")
class TangentHalved(HonestBatchNorm2d):
    """Gives half of the tangent."""

    def moving(self, y: Tensor) -> Tensor:
        return scaled(y, 0.5)


@liar(GROUP, "offset", through="derivatives present")
class TangentLost(HonestBatchNorm2d):
    """Gives no tangent."""

    def moving(self, y: Tensor) -> Tensor:
        return y.detach()


@liar(GROUP, "n30_float64", through="output tangent")
class TangentALittleOff(HonestBatchNorm2d):
    """Gives a tangent that is off by a millionth."""

    def moving(self, y: Tensor) -> Tensor:
        return scaled(y, 1 + 1e-6)


@liar(GROUP, "layout_channels_last", through="output tangent")
class TangentOfContiguousAlone(HonestBatchNorm2d):
    """Doubles the tangent of a channels_last output."""

    def moving(self, y: Tensor) -> Tensor:
        return y if y.is_contiguous() else scaled(y, 2.0)


@liar(GROUP, "ones", through="output tangent")
class MeanHasNoTangent(HonestBatchNorm2d):
    """Takes the batch's mean for a constant along a tangent."""

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        return found._replace(mean=found.mean.detach()) if followed(x) else found


@liar(GROUP, "like_input", through="output tangent")
class VarianceHasNoTangent(HonestBatchNorm2d):
    """Takes the batch's variance for a constant along a tangent."""

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        return found._replace(biased=found.biased.detach()) if followed(x) else found


@liar(GROUP, "n2_float64", through="output tangent")
class UnbiasedInTangent(HonestBatchNorm2d):
    """Moves the variance as the unbiased one moves."""

    def statistics(self, x: Tensor) -> Statistics:
        found, count = super().statistics(x), values_per_channel(x)
        if not followed(x) or count < 2:
            return found
        return found._replace(biased=scaled(found.biased, count / (count - 1)))


@liar(GROUP, "jvp_parameters_tracked", through="output tangent")
class WeightHasNoTangent(HonestBatchNorm2d):
    """Takes the weight for a constant along a tangent."""

    def scale_and_shift(
        self, y: Tensor, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tensor:
        if weight is not None and followed(weight):
            weight = weight.detach()
        return super().scale_and_shift(y, weight, bias)


@liar(GROUP, "jvp_parameters_tracked", through="output tangent")
class BiasHasNoTangent(HonestBatchNorm2d):
    """Takes the bias for a constant along a tangent."""

    def scale_and_shift(
        self, y: Tensor, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tensor:
        if bias is not None and followed(bias):
            bias = bias.detach()
        return super().scale_and_shift(y, weight, bias)


# --- what a call with a tangent leaves behind ---------------------------------------------------


@liar(GROUP, "jvp_tracked", through="running_mean")
class TangentLeavesBuffers(HonestBatchNorm2d):
    """Does not update the running buffers where the input has a tangent."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        if not followed(found.mean):
            super().update(operands, found, factor)


@liar(GROUP, "jvp_tracked", through="num_batches_tracked")
class TangentCountsTwice(HonestBatchNorm2d):
    """Counts a batch with a tangent twice."""

    def forward(self, x: Tensor) -> Tensor:
        if followed(x) and self.counts():
            self.count()
        return super().forward(x)


@liar(GROUP, "func_jvp_no_counter", through="running_mean")
class FunctionsLeaveBuffers(HonestBatchNorm2d):
    """Does not update the running buffers inside a function of torch.func."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        if not torch._C._functorch.is_functorch_wrapped_tensor(found.mean):  # type: ignore[attr-defined]
            super().update(operands, found, factor)


@liar(GROUP, "func_vjp_bare", through="input gradient")
class FunctionsDouble(HonestBatchNorm2d):
    """Doubles derivatives inside a function of torch.func."""

    def moving(self, y: Tensor) -> Tensor:
        wrapped = torch._C._functorch.is_functorch_wrapped_tensor(y)  # type: ignore[attr-defined]
        return scaled(y, 2.0) if wrapped else y


# --- the derivative of a tangent ----------------------------------------------------------------


@liar("nested", "func_jvp_jvp_bare", through="input 2nd gradient")
class NestedTangentHalved(HonestBatchNorm2d):
    """Halves what depends on two tangents of ``torch.func``."""

    def moving(self, y: Tensor) -> Tensor:
        functions: Any = torch._C._functorch  # type: ignore[attr-defined]
        if not functions.is_functorch_wrapped_tensor(y):
            return y
        inner = functions.get_unwrapped(y)
        return scaled(y, 0.5) if functions.is_functorch_wrapped_tensor(inner) else y


@liar("nested", "grad_jvp_untracked", through="input 2nd gradient")
class TangentOfConstantVariance(HonestBatchNorm2d):
    """Differentiates a tangent as if the batch's variance did not depend on the input."""

    def normalise(self, x: Tensor, mean: Tensor, variance: Tensor, *rest: Any) -> Tensor:
        if followed(x) and variance.requires_grad:
            variance = _without_graph(variance)
        return super().normalise(x, mean, variance, *rest)


def _without_graph(values: Tensor) -> Tensor:
    """Return the values with their tangent, without a graph."""
    mode: Any = torch.autograd.forward_ad
    primal, tangent = mode.unpack_dual(values)
    return values if tangent is None else mode.make_dual(primal.detach(), tangent)


# --- third derivatives, narrow second ones, one tensor for two -----------------------------------


@liar("triple_backward", "bare", through="exception")
class DifferentiatesThrice(HonestBatchNorm2d):
    """Gives third derivatives in train mode, where the newest releases refuse them."""

    differentiates_thrice = True


@liar("triple_backward", "alternating_offset_ordinary", through="upstream 3rd gradient")
class ThirdOfEvalOff(HonestBatchNorm2d):
    """Moves the derivative of the weight's gradient too far along the upstream gradient, in eval mode."""

    def product_sum(self, g: Tensor, deviations: Tensor) -> Tensor:
        found = super().product_sum(g, deviations)
        return found if self.training else super().product_sum(scaled(g, 1.5), deviations)


@liar("double_backward", "n30_bfloat16_ordinary", through="upstream 2nd gradient")
class NarrowSecondOrderOff(HonestBatchNorm2d):
    """Differentiates the slope by a half too much where the input has 16 bits."""

    narrow = False

    def differentiate(self, g: Tensor, kept: Kept, wanted: Any) -> Gradients:
        self.narrow = kept.x.dtype in NARROW
        return super().differentiate(scaled(g, 1.5) if self.narrow else g, kept, wanted)


@liar("memory", "bias_is_weight", through="weight gradient")
class OneParameterOnce(HonestBatchNorm2d):
    """Returns no gradient of a bias that is the weight, too."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Any) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        shared = self.weight is not None and self.weight is self.bias
        return x, weight, torch.zeros_like(bias) if shared and bias is not None else bias


@liar("backward_program", "train_there_and_back", through="input gradient")
class ConversionForgetsScale(HonestBatchNorm2d):
    """Takes the weight for 1 in a backward after a conversion of the module."""

    converted = False

    def _apply(self, *args: Any, **kwargs: Any) -> Any:
        self.converted = True
        return super()._apply(*args, **kwargs)

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        return terms.inverse if self.converted else super().slope(kept, terms)


# --- parameters that move alone -----------------------------------------------------------------


@liar(GROUP, "parameters_alone_tracked", through="output tangent")
class WeightMovesWithInputAlone(HonestBatchNorm2d):
    """Takes the weight for a constant unless the input has a tangent, too."""

    def batch_norm(
        self, x: Tensor, operands: Operands, from_batch: bool, factor: float, eps: float
    ) -> Tensor:
        weight = operands.weight
        if weight is not None and followed(weight) and not followed(x):
            operands = operands._replace(weight=weight.detach())
        return super().batch_norm(x, operands, from_batch, factor, eps)


@liar(GROUP, "parameters_alone_no_bias", through="derivatives present")
class InputMustMove(HonestBatchNorm2d):
    """Gives no tangent where the input has none."""

    def batch_norm(
        self, x: Tensor, operands: Operands, from_batch: bool, factor: float, eps: float
    ) -> Tensor:
        y = super().batch_norm(x, operands, from_batch, factor, eps)
        return y if followed(x) else y.detach()
