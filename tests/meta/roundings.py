"""Correct BatchNorm2d modules whose arithmetic rounds otherwise than torch's kernel.

Each is the honest rendition of the liars with its statistics, moving averages or outputs computed in
another correct way, forward and backward. None of them sums exactly, so that even on dyadic inputs the
derived bounds apply. They are honest: every case must pass with them.

Infinities are no matter of rounding. A channel with one has an infinite mean and no variance, and an
updating algorithm loses that, because it subtracts infinities. Such channels use plain sums.
"""

from __future__ import annotations

import math
from typing import Dict, Optional, Tuple, Type

import torch

from tests.meta import installed
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import (
    AXES,
    Statistics,
    Tensor,
    plain,
    spread,
    unseen,
    values_per_channel,
    wide,
)

SEQUENTIAL = 4096
"""The largest number of values in a channel that Welford's update takes one by one."""
LANES = 256
"""The number of chains of updates that share the values of a larger channel."""


class Rounding(HonestBatchNorm2d):
    """Computes sums and quotients as they are written; the other classes deviate from it.

    It is judged by the installed release, so it has third derivatives, and refuses integers, as that
    release does.
    """

    sums_exactly = False
    differentiates_thrice = "third_derivatives_refused" not in installed.RULES.holding
    no_mean = RuntimeError if "integer_mean_is_runtime_error" in installed.RULES.holding else NotImplementedError


class TimesReciprocal(Rounding):
    """Computes every quotient as a product: the mean is the sum times 1/n."""

    def two_passes(self, x: Tensor) -> Statistics:
        count = values_per_channel(x)
        mean = x.sum(AXES) * (1.0 / count)
        squares = ((x - spread(mean)) ** 2).sum(AXES)
        return Statistics(mean, squares * (1.0 / count), squares * (1.0 / (count - 1)))


class Updating(Rounding):
    """Updates statistics value by value; those of channels that are not finite are plain sums."""

    def two_passes(self, x: Tensor) -> Statistics:
        finite = torch.isfinite(x).all(3).all(2).all(0)
        pairs = zip(self.updated(x), super().two_passes(x))
        return Statistics(*(torch.where(finite, found, plain) for found, plain in pairs))

    def updated(self, x: Tensor) -> Statistics:
        """Return the statistics of the finite channels."""
        raise NotImplementedError


class VarMean(Updating):
    """Calls ``torch.var_mean``, once for each variance."""

    def updated(self, x: Tensor) -> Statistics:
        biased, mean = torch.var_mean(x, AXES, unbiased=False)
        return Statistics(mean, biased, torch.var(x, AXES, unbiased=True))


class Welford(Updating):
    """Uses Welford's update, value by value; merges lanes of large channels as Chan et al. do."""

    def updated(self, x: Tensor) -> Statistics:
        count, channels = values_per_channel(x), x.shape[1]
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
        return Statistics(merged_mean, merged_squares / count, merged_squares / (count - 1))


def _chain(values: Tensor) -> Tuple[Tensor, Tensor]:
    """Return mean and sum of squared deviations over the first axis, by Welford's update."""
    mean, squares = torch.zeros_like(values[0]), torch.zeros_like(values[0])
    for number, value in enumerate(values, 1):
        off = value - mean
        mean = mean + off / number
        squares = squares + off * (value - mean)
    return mean, squares


class RescaledVariance(Rounding):
    """Computes running_var from the biased variance times n / (n - 1)."""

    def two_passes(self, x: Tensor) -> Statistics:
        count = values_per_channel(x)
        found = super().two_passes(x)
        return found._replace(unbiased=found.biased * (count / (count - 1)))


class Lerp(Rounding):
    """Updates the averages by ``torch.lerp``, wherever no infinity is involved."""

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        old = wide(running.detach().clone())
        super().average(running, new, factor)
        if not math.isfinite(factor):
            return
        with unseen(new):
            new = plain(new)
            moved = torch.lerp(old, new.to(old.dtype), factor)
            finite = torch.isfinite(old) & torch.isfinite(new) & torch.isfinite(running.data)
            running.data.copy_(torch.where(finite, moved, wide(running.data)))


class InFloat64(Rounding):
    """Computes statistics in float64, rounded once to the dtype."""

    def two_passes(self, x: Tensor) -> Statistics:
        return Statistics(*(each.to(x.dtype) for each in super().two_passes(x.double())))


class Folded(Rounding):
    """Computes the output as a*x + c, with one a and one c for each channel."""

    def normalise(
        self,
        x: Tensor,
        mean: Tensor,
        variance: Tensor,
        weight: Optional[Tensor],
        bias: Optional[Tensor],
        eps: float,
    ) -> Tensor:
        values = wide(x)
        slope = (1.0 / self.deviation(wide(variance), eps)).to(values.dtype)
        if weight is not None:
            slope = slope * wide(weight)
        shift = -wide(mean).to(values.dtype) * slope
        if bias is not None:
            shift = shift + wide(bias)
        return (values * spread(slope) + spread(shift)).to(x.dtype)


class ClaimsExactness(RescaledVariance):
    """Claims to sum exactly, but rounds: it is not honest."""

    sums_exactly = True


ROUNDINGS: Dict[str, Type[Rounding]] = {
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
"""Maps a name to its honest subject."""
