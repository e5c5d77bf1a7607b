"""Liars about the sums of a backward pass: values that are left out, and precision that is lost."""

from __future__ import annotations

import torch

from tests.meta.liars.derivative import Kept, Terms
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor
from tests.meta.liars.registry import liar


class _Masked(HonestBatchNorm2d):
    """Sums only the part of the upstream gradient that ``part`` returns."""

    def part(self, g: Tensor) -> Tensor:
        """Return the upstream gradient with zeros where it is not seen; same shape."""
        raise NotImplementedError

    def upstream_sum(self, g: Tensor) -> Tensor:
        return super().upstream_sum(self.part(g))

    def product_sum(self, g: Tensor, deviations: Tensor) -> Tensor:
        return super().product_sum(self.part(g), deviations)


def by_channel(g: Tensor) -> Tensor:
    """Return a copy with a row for each channel: shape (C, n)."""
    return g.transpose(0, 1).reshape(g.shape[1], -1).clone()


def back(rows: Tensor, like: Tensor) -> Tensor:
    """Invert ``by_channel``."""
    n, c, h, w = like.shape
    return rows.reshape(c, n, h, w).transpose(0, 1)


# --- values that are left out ------------------------------------------------------------------


@liar("affine", "g_offset", through="bias gradient")
class LastValueLost(_Masked):
    """Leaves the last value of each channel out of the sums."""

    def part(self, g: Tensor) -> Tensor:
        rows = by_channel(g)
        rows[:, -1:] = 0
        return back(rows, g)


@liar("affine", "g_offset", "n30", through="bias gradient")
class LastRowLost(_Masked):
    """Leaves the last row of each image out of the sums."""

    def part(self, g: Tensor) -> Tensor:
        return torch.cat([g[:, :, :-1], torch.zeros_like(g[:, :, -1:])], 2)


@liar("affine", "g_offset", "n30", through="bias gradient")
class LastColumnLost(_Masked):
    """Leaves the last column of each image out of the sums."""

    def part(self, g: Tensor) -> Tensor:
        return torch.cat([g[..., :-1], torch.zeros_like(g[..., -1:])], 3)


@liar("affine", "g_offset", through="bias gradient")
class LastImageLost(_Masked):
    """Leaves the last image out of the sums."""

    def part(self, g: Tensor) -> Tensor:
        return torch.cat([g[:-1], torch.zeros_like(g[-1:])])


@liar("affine", "g_offset", "n30", through="bias gradient")
class FirstImageAlone(_Masked):
    """Sums over the first image alone, times the number of images."""

    def part(self, g: Tensor) -> Tensor:
        return g[:1].expand(g.shape)


@liar("affine", "g_offset", "n30", through="bias gradient")
class PartialVectorLost(_Masked):
    """Sums vectors of eight values, and leaves out those that do not fill one."""

    def part(self, g: Tensor) -> Tensor:
        rows = by_channel(g)
        if rows.shape[1] >= 8:
            rows[:, rows.shape[1] // 8 * 8 :] = 0
        return back(rows, g)


@liar("affine", "g_ordinary", "n256", through="bias gradient")
class SumsEndAt255(_Masked):
    """Sums at most 255 values of a channel."""

    def part(self, g: Tensor) -> Tensor:
        rows = by_channel(g)
        rows[:, 255:] = 0
        return back(rows, g)


@liar("affine", "n102400", "g_ordinary", through="bias gradient")
class SumsEndAt65536(_Masked):
    """Sums at most 65,536 values of a channel, as a 16-bit index does."""

    def part(self, g: Tensor) -> Tensor:
        rows = by_channel(g)
        rows[:, 65536:] = 0
        return back(rows, g)


class _ChannelsLost(_Masked):
    """Sums only the first ``most`` channels."""

    most = 0

    def part(self, g: Tensor) -> Tensor:
        rows = by_channel(g)
        rows[self.most :] = 0
        return back(rows, g)


@liar("affine", "g_offset", through="bias gradient")
class LastChannelLost(_ChannelsLost):
    """Sums all channels but the last."""

    most = -1


@liar("affine", "g_offset", through="bias gradient")
class EightChannels(_ChannelsLost):
    """Sums the first eight channels alone."""

    most = 8


@liar("extent", "n6_33_channels_float32", through="bias gradient")
class ThirtyTwoChannels(_ChannelsLost):
    """Sums the first 32 channels alone."""

    most = 32


@liar("extent", "n6_65_channels_float32", through="bias gradient")
class SixtyFourChannels(_ChannelsLost):
    """Sums the first 64 channels alone."""

    most = 64


@liar("extent", "n6_129_channels_float32", through="bias gradient")
class HundredTwentyEightChannels(_ChannelsLost):
    """Sums the first 128 channels alone."""

    most = 128


@liar("affine", "g_ordinary", through="bias gradient")
class ChannelsShifted(_Masked):
    """Sums for each channel the upstream gradient of its neighbour."""

    def part(self, g: Tensor) -> Tensor:
        return g.roll(1, 1)


@liar("affine", "g_ordinary", through="weight gradient")
class ProductsShifted(HonestBatchNorm2d):
    """Sums the products of one image's upstream gradient with its neighbour's deviations."""

    def product_sum(self, g: Tensor, deviations: Tensor) -> Tensor:
        return super().product_sum(g.roll(1, 0), deviations)


@liar("affine", "g_ordinary", "n30", through="weight gradient")
class ProductsTransposed(HonestBatchNorm2d):
    """Sums the products of the upstream gradient with deviations in the other order of rows."""

    def product_sum(self, g: Tensor, deviations: Tensor) -> Tensor:
        return super().product_sum(g, deviations.flip(2))


# --- precision ---------------------------------------------------------------------------------


@liar("affine", "float64", "g_ordinary", through="bias gradient")
class SumsInSingle(HonestBatchNorm2d):
    """Sums float64 in float32."""

    def upstream_sum(self, g: Tensor) -> Tensor:
        return super().upstream_sum(g.float()).to(g.dtype)

    def product_sum(self, g: Tensor, deviations: Tensor) -> Tensor:
        return super().product_sum(g.float(), deviations.float()).to(deviations.dtype)


@liar("affine", "float32", "g_ordinary", through="bias gradient")
class SumsInHalf(HonestBatchNorm2d):
    """Sums in bfloat16."""

    def upstream_sum(self, g: Tensor) -> Tensor:
        return super().upstream_sum(g.to(torch.bfloat16)).to(g.dtype)

    def product_sum(self, g: Tensor, deviations: Tensor) -> Tensor:
        found = super().product_sum(g.to(torch.bfloat16), deviations.to(torch.bfloat16))
        return found.to(deviations.dtype)


@liar("affine", "float32", "g_ordinary", through="input gradient")
class UpstreamThroughHalf(HonestBatchNorm2d):
    """Rounds the upstream gradient to bfloat16 on the way to the input."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        return super().input_gradient(g.to(torch.bfloat16).to(g.dtype), kept, terms)


@liar("float32", "g_ordinary", through="input gradient")
class InputGradientThroughHalf(HonestBatchNorm2d):
    """Rounds the input's gradient to bfloat16."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        right = super().input_gradient(g, kept, terms)
        return right.copy_(right.to(torch.bfloat16))


@liar("float64", "g_ordinary", through="input gradient")
class InputGradientThroughSingle(HonestBatchNorm2d):
    """Rounds the input's gradient to float32."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        right = super().input_gradient(g, kept, terms)
        return right.copy_(right.float())


@liar("affine", "float64", "g_ordinary", through="weight gradient")
class WeightGradientThroughSingle(HonestBatchNorm2d):
    """Rounds the weight's gradient to float32."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        right = super().weight_gradient(terms)
        return right.float().to(right.dtype)


@liar("affine", "bounded", "g_outlier", through="bias gradient")
class SumsInFixedPoint(HonestBatchNorm2d):
    """Sums in fixed point with a step of 2**-10."""

    def upstream_sum(self, g: Tensor) -> Tensor:
        return super().upstream_sum((g * 1024).round() / 1024)
