"""Correct BatchNorm2d modules whose arithmetic rounds otherwise than torch's kernel.

Each is torch's own module, with its checks, counter, strides and graph, whose statistics, moving averages
or outputs are computed anew in another correct way. None of them sums exactly, so that even on dyadic
inputs the derived bounds apply. They are honest: every case must pass with them.

What becomes of an infinity is no matter of rounding. Its channel has an infinite mean and no variance, which
an update loses, as it subtracts infinities: such channels are left to plain sums.
"""

from __future__ import annotations

import math
from typing import Any, Dict, NamedTuple, Optional, Tuple

import torch
from torch import Tensor

AXES = (0, 2, 3)
"""Batch, height and width: what a channel is averaged over."""
SEQUENTIAL = 4096
"""The most values in a channel that Welford's update takes one by one."""
LANES = 256
"""How many chains of updates share the values of a larger channel."""


class Moments(NamedTuple):
    """The statistics of every channel, shapes (C,)."""

    mean: Tensor
    biased: Tensor
    unbiased: Tensor


def spread(values: Tensor) -> Tensor:
    """One value a channel, in a shape that combines with (N, C, H, W)."""
    return values.reshape(1, -1, 1, 1)


class Rounding(torch.nn.BatchNorm2d):
    """torch's BatchNorm2d with the arithmetic written out: two passes, each a sum over the channel.

    torch's own forward runs first; its numbers are then replaced in place.
    """

    sums_exactly = False

    def forward(self, input: Tensor) -> Tensor:
        buffers = (self.running_mean, self.running_var)
        before = [None if each is None else each.detach().clone() for each in buffers]
        output = super().forward(input)
        if input.numel():
            with torch.no_grad():
                output.data.copy_(self._computed(input.detach(), before))
        return output

    def _computed(self, x: Tensor, before: Any) -> Tensor:
        """The output; leaves the new averages in the buffers. ``before``: their values before."""
        if not (self.training or (self.running_mean is None and self.running_var is None)):
            assert self.running_mean is not None
            assert self.running_var is not None
            return self.normalised(x, self.running_mean, self.running_var)
        found = self.moments(x)
        if self.training and self.track_running_stats:
            buffers = (self.running_mean, self.running_var)
            for buffer, old, new in zip(buffers, before, (found.mean, found.unbiased)):
                if buffer is not None:
                    buffer.data.copy_(self.averaged(old, new, self._factor()))
        return self.normalised(x, found.mean, found.biased)

    def _factor(self) -> float:
        if self.momentum is not None:
            return float(self.momentum)
        counter: Optional[Tensor] = self.num_batches_tracked
        return 0.0 if counter is None else 1.0 / float(counter)

    # --- what subclasses replace --------------------------------------------------------------

    def moments(self, x: Tensor) -> Moments:
        """Mean and variances of a batch of shape (N, C, H, W)."""
        count = x.numel() // x.shape[1]
        mean = x.sum(AXES) / count
        squares = ((x - spread(mean)) ** 2).sum(AXES)
        return Moments(mean, squares / count, squares / (count - 1))

    def averaged(self, old: Tensor, new: Tensor, factor: float) -> Tensor:
        """The moving average."""
        return (1.0 - factor) * old + factor * new

    def normalised(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        """(x - mean) / sqrt(variance + eps) * weight + bias."""
        y = (x - spread(mean)) / spread(torch.sqrt(variance + self.eps))
        if self.weight is not None:
            y = y * spread(self.weight)
        return y if self.bias is None else y + spread(self.bias)


class TimesReciprocal(Rounding):
    """Every quotient is a product: the mean is the sum times 1/n."""

    def moments(self, x: Tensor) -> Moments:
        count = x.numel() // x.shape[1]
        mean = x.sum(AXES) * (1.0 / count)
        squares = ((x - spread(mean)) ** 2).sum(AXES)
        return Moments(mean, squares * (1.0 / count), squares * (1.0 / (count - 1)))


class Updating(Rounding):
    """Statistics by an algorithm that updates them; channels that are not finite by plain sums."""

    def moments(self, x: Tensor) -> Moments:
        finite = torch.isfinite(x).all(3).all(2).all(0)
        pairs = zip(self.updated(x), super().moments(x))
        return Moments(*(torch.where(finite, found, plain) for found, plain in pairs))

    def updated(self, x: Tensor) -> Moments:
        """The statistics of the finite channels."""
        raise NotImplementedError


class VarMean(Updating):
    """``torch.var_mean``, once for each variance."""

    def updated(self, x: Tensor) -> Moments:
        biased, mean = torch.var_mean(x, AXES, unbiased=False)
        return Moments(mean, biased, torch.var(x, AXES, unbiased=True))


class Welford(Updating):
    """Welford's update, value by value; large channels in lanes that are merged as Chan et al. do."""

    def updated(self, x: Tensor) -> Moments:
        count, channels = x.numel() // x.shape[1], x.shape[1]
        rows = x.transpose(0, 1).reshape(channels, -1).t()
        lanes = 1 if count <= SEQUENTIAL else math.gcd(count, LANES)
        mean, squares = _chain(rows.reshape(count // lanes, lanes, channels))
        size = count // lanes
        merged_mean, merged_squares, merged = mean[0], squares[0], size
        for lane in range(1, lanes):
            off = mean[lane] - merged_mean
            total = merged + size
            merged_mean = merged_mean + off * (size / total)
            merged_squares = merged_squares + squares[lane] + off**2 * (merged * size / total)
            merged = total
        return Moments(merged_mean, merged_squares / count, merged_squares / (count - 1))


def _chain(values: Tensor) -> Tuple[Tensor, Tensor]:
    """Mean and sum of squared deviations over the first axis, by Welford's update."""
    mean, squares = torch.zeros_like(values[0]), torch.zeros_like(values[0])
    for number, value in enumerate(values, 1):
        off = value - mean
        mean = mean + off / number
        squares = squares + off * (value - mean)
    return mean, squares


class RescaledVariance(Rounding):
    """running_var takes the biased variance times n / (n - 1)."""

    def moments(self, x: Tensor) -> Moments:
        count = x.numel() // x.shape[1]
        found = super().moments(x)
        return found._replace(unbiased=found.biased * (count / (count - 1)))


class Lerp(Rounding):
    """``torch.lerp`` moves the averages, wherever no infinity is involved."""

    def averaged(self, old: Tensor, new: Tensor, factor: float) -> Tensor:
        plain = super().averaged(old, new, factor)
        if not math.isfinite(factor):
            return plain
        finite = torch.isfinite(old) & torch.isfinite(new) & torch.isfinite(plain)
        return torch.where(finite, torch.lerp(old, new, factor), plain)


class InFloat64(Rounding):
    """Statistics in float64, rounded once to the dtype."""

    def moments(self, x: Tensor) -> Moments:
        return Moments(*(each.to(x.dtype) for each in super().moments(x.double())))


class Folded(Rounding):
    """The output is a*x + c, with one a and one c for each channel."""

    def normalised(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        slope = 1.0 / torch.sqrt(variance + self.eps)
        if self.weight is not None:
            slope = slope * self.weight
        shift = -mean * slope
        if self.bias is not None:
            shift = shift + self.bias
        return x * spread(slope) + spread(shift)


class ClaimsExactness(RescaledVariance):
    """Says that it sums exactly, and rounds all the same: not honest."""

    sums_exactly = True


ROUNDINGS: Dict[str, type] = {
    each.__name__: each
    for each in (
        Rounding,
        TimesReciprocal,
        VarMean,
        Welford,
        RescaledVariance,
        Lerp,
        InFloat64,
        Folded,
    )
}
"""Name to honest subject."""
