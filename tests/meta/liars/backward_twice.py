"""Liars about gradients of gradients: the first derivative is right, the second is not."""

from __future__ import annotations

from typing import Any, Callable, Tuple

import torch

from tests.meta.liars.derivative import Gradients, Kept, Terms
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor, spread
from tests.meta.liars.registry import liar

GROUP = "double_backward"


def scaled(values: Tensor, factor: float) -> Tensor:
    """Return the values themselves, but with a derivative that is off by a factor."""
    return factor * values + (1 - factor) * values.detach()


# --- terms that are taken for constants --------------------------------------------------------


@liar(GROUP, "ordinary_alternating", through="exception")
class GradientsConstant(HonestBatchNorm2d):
    """Takes all gradients for constants: nothing is left to differentiate."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Any) -> Gradients:
        first, second, third = super().differentiate(g, kept, wanted)
        return tuple(  # type: ignore[return-value]
            None if each is None else each.detach() for each in (first, second, third)
        )


@liar(GROUP, "offset_ordinary", through="upstream 2nd gradient")
class MeanOfUpstreamConstant(HonestBatchNorm2d):
    """Takes the mean of the upstream gradient for a constant."""

    def mean_term(self, terms: Terms) -> Tensor:
        return super().mean_term(terms).detach()


@liar(GROUP, "ordinary_alternating", through="input 2nd gradient")
class DeviationTermConstant(HonestBatchNorm2d):
    """Takes the correction for the variance for a constant."""

    def deviation_term(self, terms: Terms) -> Tensor:
        return super().deviation_term(terms).detach()


@liar(GROUP, "ordinary_alternating", through="input 2nd gradient")
class StatisticsConstantTwice(HonestBatchNorm2d):
    """Takes the batch's statistics for constants, as if they were running ones."""

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        mean, variance = super().normalised_by(kept)
        return mean.detach(), variance.detach()


@liar(GROUP, "ordinary_alternating", through="input 2nd gradient")
class MeanConstantTwice(HonestBatchNorm2d):
    """Takes the batch's mean for a constant."""

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        mean, variance = super().normalised_by(kept)
        return mean.detach(), variance


@liar(GROUP, "ordinary_alternating", through="input 2nd gradient")
class InverseConstantTwice(HonestBatchNorm2d):
    """Takes the inverse deviation for a constant."""

    def inverse_deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().inverse_deviation(variance, eps).detach()


@liar(GROUP, "ordinary_alternating", through="weight 2nd gradient")
class WeightConstantTwice(HonestBatchNorm2d):
    """Takes the weight for a constant."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        weight = None if kept.weight is None else kept.weight.detach()
        return super().slope(kept._replace(weight=weight), terms)


@liar(GROUP, "parameters_alone", through="upstream 2nd gradient")
class WeightGradientConstant(HonestBatchNorm2d):
    """Takes the weight's gradient for a constant."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        return scaled(super().weight_gradient(terms), 0)


@liar(GROUP, "parameters_alone", through="upstream 2nd gradient")
class BiasGradientConstant(HonestBatchNorm2d):
    """Takes the bias's gradient for a constant."""

    def bias_gradient(self, terms: Terms) -> Tensor:
        return scaled(super().bias_gradient(terms), 0)


@liar(GROUP, "ordinary_alternating", through="upstream 2nd gradient")
class UpstreamConstant(HonestBatchNorm2d):
    """Takes the sum of the products for a constant of the upstream gradient."""

    def product_sum(self, g: Tensor, deviations: Tensor) -> Tensor:
        return super().product_sum(g.detach(), deviations)


@liar(GROUP, "untracked", through="input 2nd gradient")
class EvalWeightGradientConstant(HonestBatchNorm2d):
    """Takes, without running statistics, the deviations of the weight's gradient for constants."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        found = super().weight_gradient(terms)
        return found.detach() + 0 * terms.upstream if self.running_mean is None else found


@liar(GROUP, "n30_float64", through="input 2nd gradient")
class EvalDeviationsConstant(HonestBatchNorm2d):
    """Takes the input for a constant in eval mode."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Any) -> Gradients:
        if not kept.from_batch:
            kept = kept._replace(x=kept.x.detach())
        return super().differentiate(g, kept, wanted)


# --- terms of the wrong size -------------------------------------------------------------------


@liar(GROUP, "like_input_like_input", through="input 2nd gradient")
class CubeForFifthPower(HonestBatchNorm2d):
    """Differentiates the squared inverse deviation in the correction as if it stood there once."""

    def deviation_term(self, terms: Terms) -> Tensor:
        share = terms.products * terms.inverse * terms.inverse.detach() / terms.values
        return terms.deviations * spread(share)


@liar(GROUP, "ordinary_offset", through="upstream 2nd gradient")
class DirectionNotCentred(HonestBatchNorm2d):
    """Subtracts only half of the mean of the direction."""

    def mean_term(self, terms: Terms) -> Tensor:
        return scaled(super().mean_term(terms), 0.5)


@liar(GROUP, "n2_float64", through="input 2nd gradient")
class UnbiasedInSecondOrder(HonestBatchNorm2d):
    """Divides the correction by n - 1 where a graph of the gradients is made."""

    def deviation_term(self, terms: Terms) -> Tensor:
        found = super().deviation_term(terms)
        return scaled(found, terms.values / (terms.values - 1)) if torch.is_grad_enabled() else found


@liar(GROUP, "n256_float32", through="input 2nd gradient")
class VarianceChangesTooLittle(HonestBatchNorm2d):
    """Differentiates the inverse deviation with a thousandth too little."""

    def inverse_deviation(self, variance: Tensor, eps: float) -> Tensor:
        return scaled(super().inverse_deviation(variance, eps), 0.999)


@liar(GROUP, "no_bias", through="weight 2nd gradient")
class WeightTwiceWithoutBias(HonestBatchNorm2d):
    """Doubles the derivative of the slope of a layer without a bias."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        found = super().slope(kept, terms)
        return found if self.bias is not None else scaled(found, 2.0)


@liar(GROUP, "channels_last", through="input 2nd gradient")
class SecondOrderOfContiguousAlone(HonestBatchNorm2d):
    """Takes the statistics of a channels_last input for constants."""

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        mean, variance = super().normalised_by(kept)
        if kept.x.is_contiguous():
            return mean, variance
        return mean.detach(), variance.detach()


# --- side effects ------------------------------------------------------------------------------


@liar(GROUP, "repeated", through="grads present")
class GradsOfGradsLeft(HonestBatchNorm2d):
    """Leaves something in the .grad of the weight where a graph of the gradients is made."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        if torch.is_grad_enabled() and self.weight is not None:
            self.weight.grad = torch.zeros_like(self.weight)
        return super().weight_gradient(terms)


@liar(GROUP, "repeated", through="exception")
class DoubleBackwardOnce(HonestBatchNorm2d):
    """Refuses a second double backward of one output."""

    graphs = 0

    def differentiate(self, g: Tensor, kept: Kept, wanted: Any) -> Gradients:
        self.graphs += torch.is_grad_enabled()
        if self.graphs > 1:
            raise RuntimeError("Trying to backward through the graph a second time")
        return super().differentiate(g, kept, wanted)


@liar(GROUP, "ordinary_alternating", through="weight")
class DoubleBackwardUpdates(HonestBatchNorm2d):
    """Moves the weight a little where a graph of the gradients is made."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        found = super().weight_gradient(terms)
        if torch.is_grad_enabled() and self.weight is not None:
            self.weight.data.add_(1e-3)
        return found


# --- gradients that are differentiated alone ----------------------------------------------------


class _Together(torch.autograd.Function):
    """Returns three gradients; ``directed`` may change their directions, None where there is none."""

    @staticmethod
    def forward(ctx: Any, directed: Callable[[Gradients], Gradients], *gradients: Tensor) -> Any:
        ctx.set_materialize_grads(False)
        ctx.directed = directed
        return tuple(each.view_as(each) for each in gradients)

    @staticmethod
    def backward(ctx: Any, *directions: Any) -> Any:
        return (None, *ctx.directed(directions))


class _Directed(HonestBatchNorm2d):
    """Hands the directions of all three gradients to ``directed`` before it differentiates them."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Any) -> Gradients:
        found = super().differentiate(g, kept, wanted)
        if not torch.is_grad_enabled() or not all(wanted):
            return found
        together: Gradients = _Together.apply(self.directed, *found)
        return together

    def directed(self, directions: Gradients) -> Gradients:
        return directions


@liar(GROUP, "of_input", through="upstream 2nd gradient")
class PenaltyOnInputAloneHalved(_Directed):
    """Halves second derivatives where the input's gradient alone is differentiated."""

    def directed(self, directions: Gradients) -> Gradients:
        first, second, third = directions
        alone = first is not None and second is None and third is None
        return (first / 2, None, None) if alone and first is not None else directions


@liar(GROUP, "of_parameters", through="exception")
class NeedsADirectionOfTheInput(_Directed):
    """Multiplies by the direction of the input's gradient, also where that is not differentiated."""

    def directed(self, directions: Gradients) -> Gradients:
        return torch.mul(directions[0], 1.0), *directions[1:]  # type: ignore[arg-type]
