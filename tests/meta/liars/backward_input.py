"""Liars about the gradient of the input and the terms that it consists of."""

from __future__ import annotations

from typing import Tuple

import torch

from tests.meta.liars.derivative import Gradients, Kept, Terms
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor, spread
from tests.meta.liars.registry import liar

# --- the terms of the batch's own statistics ---------------------------------------------------


@liar("train_only", "g_offset", through="input gradient")
class MeanTermDropped(HonestBatchNorm2d):
    """Takes the batch's mean for a constant."""

    def mean_term(self, terms: Terms) -> Tensor:
        return spread(torch.zeros_like(terms.upstream))


@liar("train_only", "g_like_input", through="input gradient")
class DeviationTermDropped(HonestBatchNorm2d):
    """Takes the batch's variance for a constant."""

    def deviation_term(self, terms: Terms) -> Tensor:
        return torch.zeros_like(terms.deviations)


@liar("train_only", "g_ordinary", through="input gradient")
class StatisticsConstant(HonestBatchNorm2d):
    """Takes mean and variance of the batch for constants, as they are in eval mode."""

    def mean_term(self, terms: Terms) -> Tensor:
        return spread(torch.zeros_like(terms.upstream))

    def deviation_term(self, terms: Terms) -> Tensor:
        return torch.zeros_like(terms.deviations)


@liar("eval_only", "g_offset", through="input gradient")
class StatisticsNeverConstant(HonestBatchNorm2d):
    """Takes the running statistics for functions of the input."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        return super().input_gradient(g, kept._replace(from_batch=True), terms)


@liar("train_only", "g_offset", "n8", through="input gradient")
class MeanTermUnbiased(HonestBatchNorm2d):
    """Divides the sum of the upstream gradient by n - 1."""

    def mean_term(self, terms: Terms) -> Tensor:
        return super().mean_term(terms._replace(values=terms.values - 1))


@liar("train_only", "g_like_input", "n8", through="input gradient")
class DeviationTermUnbiased(HonestBatchNorm2d):
    """Divides the sum of the products by n - 1."""

    def deviation_term(self, terms: Terms) -> Tensor:
        return super().deviation_term(terms._replace(values=terms.values - 1))


@liar("train_only", "g_offset", "n30", through="input gradient")
class MeanTermOverBatch(HonestBatchNorm2d):
    """Divides the sum of the upstream gradient by the number of images."""

    def mean_term(self, terms: Terms) -> Tensor:
        return super().mean_term(terms._replace(values=terms.deviations.shape[0]))


@liar("train_only", "g_ordinary", "n30", through="input gradient")
class MeanTermOfImage(HonestBatchNorm2d):
    """Subtracts the mean of the upstream gradient over each image, not over the batch."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        if kept.from_batch and kept.x.numel():
            g = g + self.mean_term(terms) - g.mean((2, 3), keepdim=True)
        return super().input_gradient(g, kept, terms)


@liar("train_only", "g_offset", through="input gradient")
class MeanTermAcrossChannels(HonestBatchNorm2d):
    """Subtracts one mean over all channels."""

    def mean_term(self, terms: Terms) -> Tensor:
        return super().mean_term(terms).mean().expand(1, len(terms.upstream), 1, 1)


@liar("train_only", "g_offset", through="input gradient")
class MeanTermAdded(HonestBatchNorm2d):
    """Adds the mean of the upstream gradient instead of subtracting it."""

    def mean_term(self, terms: Terms) -> Tensor:
        return -super().mean_term(terms)


@liar("train_only", "g_like_input", through="input gradient")
class DeviationTermAdded(HonestBatchNorm2d):
    """Adds the correction for the variance instead of subtracting it."""

    def deviation_term(self, terms: Terms) -> Tensor:
        return -super().deviation_term(terms)


@liar("train_only", "g_like_input", through="input gradient")
class DeviationTermHalved(HonestBatchNorm2d):
    """Forgets the factor 2 in the derivative of the variance."""

    def deviation_term(self, terms: Terms) -> Tensor:
        return super().deviation_term(terms) / 2


@liar("train_only", "g_like_input", through="input gradient")
class DeviationTermNotSquared(HonestBatchNorm2d):
    """Divides the products by the deviation once, not twice."""

    def deviation_term(self, terms: Terms) -> Tensor:
        return terms.deviations * spread(terms.products * terms.inverse / terms.values)


@liar("train_only", "bounded", "g_like_input", through="input gradient")
class DeviationTermWithoutEps(HonestBatchNorm2d):
    """Divides the products by the variance alone where it is not 0."""

    def deviation_term(self, terms: Terms) -> Tensor:
        squares = (terms.deviations * terms.deviations).sum((0, 2, 3))
        share = torch.where(squares > 0, terms.products / squares, torch.zeros_like(squares))
        return terms.deviations * spread(share)


@liar("train_only", "g_offset", through="input gradient")
class DeviationTermUncentred(HonestBatchNorm2d):
    """Multiplies the correction for the variance by the input, not by its deviation from the mean."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        return super().input_gradient(g, kept, terms._replace(deviations=kept.x))


# --- the factors of the gradient ---------------------------------------------------------------


@liar("affine", "g_ordinary", through="input gradient")
class WeightNotApplied(HonestBatchNorm2d):
    """Leaves the weight out of the input's gradient."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        return terms.inverse


@liar("affine", "g_ordinary", through="input gradient")
class WeightAppliedTwice(HonestBatchNorm2d):
    """Multiplies the input's gradient by the weight twice."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        found = super().slope(kept, terms)
        return found if kept.weight is None else found * kept.weight


@liar("affine", "eval_only", "g_ordinary", through="input gradient")
class WeightNotAppliedInEval(HonestBatchNorm2d):
    """Leaves the weight out of the input's gradient in eval mode."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        return super().slope(kept if kept.from_batch else kept._replace(weight=None), terms)


@liar("affine", "train_only", "g_offset", through="input gradient")
class WeightOnUpstreamAlone(HonestBatchNorm2d):
    """Applies the weight to the upstream gradient, but not to what is subtracted from it."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        weighted = g if kept.weight is None else g * spread(kept.weight)
        return super().input_gradient(weighted, kept._replace(weight=None), terms)


@liar("affine", "g_ordinary", through="input gradient")
class AbsoluteWeight(HonestBatchNorm2d):
    """Takes the weight without its sign."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        return super().slope(kept, terms).abs()


@liar("bounded", "g_ordinary", through="input gradient")
class InverseLeftOut(HonestBatchNorm2d):
    """Does not divide the input's gradient by the deviation."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        return super().slope(kept, terms._replace(inverse=torch.ones_like(terms.inverse)))


@liar("bounded", "g_ordinary", through="input gradient")
class InverseVariance(HonestBatchNorm2d):
    """Divides the input's gradient by the variance."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        return super().slope(kept, terms) * terms.inverse


@liar("g_ordinary", through="input gradient")
class Negated(HonestBatchNorm2d):
    """Returns the input's gradient with the other sign."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        return -super().slope(kept, terms)


@liar("g_ordinary", through="input gradient")
class AveragedOverBatch(HonestBatchNorm2d):
    """Divides the input's gradient by the number of images."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        return super().slope(kept, terms) / max(len(kept.x), 1)


@liar("g_ordinary", "eval_only", through="input gradient")
class UpstreamPassedOn(HonestBatchNorm2d):
    """Gives the input the upstream gradient as it is in eval mode."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        right = super().input_gradient(g, kept, terms)
        return right if kept.from_batch else right.copy_(g)


@liar("affine", "g_ordinary", through="input gradient")
class NoInputGradientWithWeight(HonestBatchNorm2d):
    """Gives the input a gradient of zeros where there is a weight that is trained."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        right = super().input_gradient(g, kept, terms)
        trained = kept.weight is not None and kept.weight.requires_grad
        return torch.zeros_like(right) if trained else right


@liar("g_ordinary", through="input gradient present")
class InputGradientMissing(HonestBatchNorm2d):
    """Gives the input no gradient."""

    def differentiate(
        self, g: Tensor, kept: Kept, wanted: Tuple[bool, bool, bool]
    ) -> Gradients:
        _, weight, bias = super().differentiate(g, kept, wanted)
        return None, weight, bias
