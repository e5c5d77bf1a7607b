"""Liars whose backward pass is wrong for some values of input or upstream gradient."""


from __future__ import annotations

from typing import Any, Tuple

import torch

from tests.meta.liars.derivative import Gradients, Kept, Terms
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor
from tests.meta.liars.registry import liar

Wanted = Tuple[bool, bool, bool]


@liar("bounded", "train_only", "g_ordinary", through="input gradient")
class ConstantChannelGetsNothing(HonestBatchNorm2d):
    """Gives a channel whose variance is 0 a gradient of zeros."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        right = super().slope(kept, terms)
        flat = (terms.deviations == 0).all(3).all(2).all(0)
        return torch.where(flat, torch.zeros_like(right), right)


@liar("g_constant", "affine", through="bias gradient")
class ConstantUpstreamGetsNothing(HonestBatchNorm2d):
    """Gives the parameters nothing where the upstream gradient of a channel is constant."""

    def bias_gradient(self, terms: Terms) -> Tensor:
        return super().bias_gradient(terms) * self.varies

    varies: Any = 1.0

    def upstream_sum(self, g: Tensor) -> Tensor:
        if g.numel():
            self.varies = (g != g[:1, :, :1, :1]).any(3).any(2).any(0)
        return super().upstream_sum(g)


@liar("g_tiny", "affine", through="bias gradient")
class TinyUpstreamFlushed(HonestBatchNorm2d):
    """Takes an upstream gradient below 1e-8 for 0."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        return super().differentiate(torch.where(g.abs() < 1e-8, torch.zeros_like(g), g), kept, wanted)


@liar("g_outlier", "affine", through="bias gradient")
class UpstreamClipped(HonestBatchNorm2d):
    """Clips the upstream gradient at 10."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        return super().differentiate(g.clamp(-10, 10), kept, wanted)


@liar("g_offset", "bounded", "eval_only", through="input gradient")
class InputGradientClipped(HonestBatchNorm2d):
    """Clips the input's gradient at 1,000."""

    def gradient_laid_out(self, gradient: Tensor, g: Tensor, x: Tensor) -> Tensor:
        return super().gradient_laid_out(gradient.clamp(-1e3, 1e3), g, x)


@liar("g_ordinary", "bounded", through="input gradient")
class InputGradientNormalised(HonestBatchNorm2d):
    """Scales the input's gradient down to a norm of 1 where it is larger."""

    def gradient_laid_out(self, gradient: Tensor, g: Tensor, x: Tensor) -> Tensor:
        norm = gradient.norm().clamp(min=1)
        return super().gradient_laid_out(gradient / norm, g, x)


@liar("nonfinite", "train_only", "g_ordinary", through="input gradient")
class NanInEveryChannel(HonestBatchNorm2d):
    """Lets a NaN in one channel into all the others."""

    def mean_term(self, terms: Terms) -> Tensor:
        return super().mean_term(terms) + 0 * terms.inverse.sum()


@liar("nonfinite", "affine", "g_ordinary", through="weight gradient")
class NanCleaned(HonestBatchNorm2d):
    """Returns 0 for a gradient of the weight that is NaN."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        right = super().weight_gradient(terms)
        return torch.where(torch.isnan(right), torch.zeros_like(right), right)


@liar("nonfinite", "eval_only", "g_ordinary", through="weight gradient")
class InfiniteInputSkipped(HonestBatchNorm2d):
    """Leaves what is not finite out of the products."""

    def product_sum(self, g: Tensor, deviations: Tensor) -> Tensor:
        finite = torch.isfinite(deviations)
        return super().product_sum(g, torch.where(finite, deviations, torch.zeros_like(deviations)))


@liar("g_alternating", "affine", through="bias gradient")
class UpstreamRectified(HonestBatchNorm2d):
    """Sums the sizes of the upstream gradient, without their signs."""

    def upstream_sum(self, g: Tensor) -> Tensor:
        return super().upstream_sum(g.abs())
