"""Liars about the gradients of weight and bias."""

from __future__ import annotations

from typing import Optional, Tuple

import torch

from tests.meta.liars.derivative import Gradients, Kept, Terms
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import AXES, Tensor
from tests.meta.liars.registry import liar

Wanted = Tuple[bool, bool, bool]


@liar("affine", "bounded", "g_offset", through="weight gradient")
class WeightGradientUncentred(HonestBatchNorm2d):
    """Multiplies the upstream gradient by the input, not by its deviation from the mean."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        if weight is not None:
            weight = (g * kept.x).sum(AXES) * self.terms(g, kept).inverse
        return x, weight, bias


@liar("affine", "bounded", "g_ordinary", through="weight gradient")
class WeightGradientNotNormalised(HonestBatchNorm2d):
    """Does not divide the weight's gradient by the deviation."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        return terms.products


@liar("affine", "bounded", "g_ordinary", through="weight gradient")
class WeightGradientOverVariance(HonestBatchNorm2d):
    """Divides the weight's gradient by the variance."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        return super().weight_gradient(terms) * terms.inverse


@liar("affine", "g_ordinary", through="weight gradient")
class WeightGradientMean(HonestBatchNorm2d):
    """Averages the weight's gradient over the values of a channel."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        return super().weight_gradient(terms) / max(terms.values, 1)


@liar("affine", "g_ordinary", through="weight gradient")
class WeightGradientOverBatch(HonestBatchNorm2d):
    """Divides the weight's gradient by the number of images."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        return super().weight_gradient(terms) / max(len(terms.deviations), 1)


@liar("affine", "g_ordinary", through="weight gradient")
class WeightGradientNegated(HonestBatchNorm2d):
    """Returns the weight's gradient with the other sign."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        return -super().weight_gradient(terms)


@liar("affine", "g_ordinary", through="weight gradient")
class WeightGradientTimesWeight(HonestBatchNorm2d):
    """Multiplies the weight's gradient by the weight."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        if weight is not None and kept.weight is not None:
            weight = weight * kept.weight
        return x, weight, bias


@liar("affine", "g_ordinary", through="weight gradient")
class WeightDecayed(HonestBatchNorm2d):
    """Adds a thousandth of the weight to its gradient: weight decay that belongs in the optimiser."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        if weight is not None and kept.weight is not None:
            weight = weight + 1e-3 * kept.weight
        return x, weight, bias


@liar("affine", "g_offset", through="bias gradient")
class BiasGradientMean(HonestBatchNorm2d):
    """Averages the bias's gradient over the values of a channel."""

    def bias_gradient(self, terms: Terms) -> Tensor:
        return super().bias_gradient(terms) / max(terms.values, 1)


@liar("affine", "g_ordinary", through="bias gradient")
class BiasGradientNegated(HonestBatchNorm2d):
    """Returns the bias's gradient with the other sign."""

    def bias_gradient(self, terms: Terms) -> Tensor:
        return -super().bias_gradient(terms)


@liar("affine", "bounded", "g_ordinary", through="bias gradient")
class BiasGradientNormalised(HonestBatchNorm2d):
    """Divides the bias's gradient by the deviation."""

    def bias_gradient(self, terms: Terms) -> Tensor:
        return super().bias_gradient(terms) * terms.inverse


@liar("affine", "g_ordinary", through="bias gradient")
class BiasGradientTimesWeight(HonestBatchNorm2d):
    """Multiplies the bias's gradient by the weight."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        if bias is not None and kept.weight is not None:
            bias = bias * kept.weight
        return x, weight, bias


@liar("affine", "train_only", "g_offset", through="bias gradient")
class BiasGradientCorrected(HonestBatchNorm2d):
    """Sums the input's gradient, whose sum is 0, instead of the upstream gradient in train mode."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        if bias is not None and kept.from_batch:
            bias = self.input_gradient(g, kept, self.terms(g, kept)).sum(AXES)
        return x, weight, bias


@liar("affine", "g_ordinary", through="weight gradient")
class ParameterGradientsSwapped(HonestBatchNorm2d):
    """Gives the weight the bias's gradient, and the bias the weight's."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        return (x, bias, weight) if weight is not None and bias is not None else (x, weight, bias)


@liar("affine", "g_ordinary", through="weight gradient present")
class WeightGradientMissing(HonestBatchNorm2d):
    """Gives the weight no gradient."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        return super().differentiate(g, kept, (wanted[0], False, wanted[2]))


@liar("affine", "g_ordinary", through="bias gradient present")
class BiasGradientMissing(HonestBatchNorm2d):
    """Gives the bias no gradient."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        return super().differentiate(g, kept, (wanted[0], wanted[1], False))


@liar("affine", "eval_only", "g_ordinary", through="weight gradient present")
class ParametersFrozenInEval(HonestBatchNorm2d):
    """Gives weight and bias no gradients in eval mode."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        return (x, weight, bias) if kept.from_batch else (x, None, None)


@liar("drop_weight", "g_ordinary", through="bias gradient present")
class BiasFollowsWeight(HonestBatchNorm2d):
    """Gives the bias a gradient only if there is a weight."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        return x, weight, None if kept.weight is None else bias


@liar("no_bias", "g_ordinary", through="weight gradient present")
class WeightFollowsBias(HonestBatchNorm2d):
    """Gives the weight a gradient only if there is a bias."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        return x, None if bias is None else weight, bias


@liar("affine", "g_ordinary", through="weight gradient")
class WeightGradientOfChannelZero(HonestBatchNorm2d):
    """Gives every channel's weight the gradient of the first."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        right = super().weight_gradient(terms)
        return right[:1].expand_as(right).clone()


@liar("affine", "g_ordinary", through="bias gradient")
class BiasGradientAcrossChannels(HonestBatchNorm2d):
    """Sums over the channels, too."""

    def bias_gradient(self, terms: Terms) -> Tensor:
        right = super().bias_gradient(terms)
        return right.sum().expand_as(right).clone()


@liar("affine", "g_ordinary", through="weight gradient")
class WeightGradientZero(HonestBatchNorm2d):
    """Gives the weight a gradient of zeros."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        return torch.zeros_like(super().weight_gradient(terms))


@liar("affine", "g_ordinary", through="bias gradient")
class BiasGradientZero(HonestBatchNorm2d):
    """Gives the bias a gradient of zeros."""

    def bias_gradient(self, terms: Terms) -> Tensor:
        return torch.zeros_like(super().bias_gradient(terms))


def _doubled(gradient: Optional[Tensor]) -> Optional[Tensor]:
    return None if gradient is None else 2 * gradient


@liar("affine", "g_ordinary", through="weight gradient")
class ParameterGradientsTwice(HonestBatchNorm2d):
    """Counts weight and bias twice, once in the kernel and once in the module."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        return x, _doubled(weight), _doubled(bias)
