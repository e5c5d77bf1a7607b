"""Liars about the statistics: which values they cover, over which axes, and the divisor."""

from __future__ import annotations

from typing import Optional

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import (
    AXES,
    Operands,
    Statistics,
    Tensor,
    spread,
    values_per_channel,
)
from tests.meta.liars.registry import liar


def _variances(x: Tensor, mean: Tensor) -> Statistics:
    """Return statistics around a given mean."""
    squares = ((x - spread(mean)) ** 2).sum(AXES)
    count = values_per_channel(x)
    return Statistics(mean, squares / count, squares / (count - 1))


@liar("train_only", through="output")
class UnbiasedNormalises(HonestBatchNorm2d):
    """Normalises with the unbiased variance."""

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        return found._replace(biased=found.unbiased)


@liar("track", "train_only", through="running_var")
class BiasedIsStored(HonestBatchNorm2d):
    """Stores the biased variance in running_var: no Bessel's correction."""

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        return found._replace(unbiased=found.biased)


@liar("track", "train_only", through="output")
class VariancesSwapped(HonestBatchNorm2d):
    """Normalises with the unbiased variance and stores the biased one."""

    def statistics(self, x: Tensor) -> Statistics:
        mean, biased, unbiased = super().statistics(x)
        return Statistics(mean, unbiased, biased)


@liar("track", "n2", through="running_var")
class BesselTwice(HonestBatchNorm2d):
    """Applies Bessel's correction n/(n-1) twice."""

    def statistics(self, x: Tensor) -> Statistics:
        found, count = super().statistics(x), values_per_channel(x)
        return found._replace(unbiased=found.unbiased * (count / (count - 1)))


@liar("track", "n2", through="running_var")
class BesselInverted(HonestBatchNorm2d):
    """Multiplies by (n-1)/n instead of n/(n-1)."""

    def statistics(self, x: Tensor) -> Statistics:
        found, count = super().statistics(x), values_per_channel(x)
        return found._replace(unbiased=found.biased * ((count - 1) / count))


@liar("track", "n256", through="running_var")
class BesselByBatchSize(HonestBatchNorm2d):
    """Bessel's correction with the batch size N for n, forgetting height and width."""

    def statistics(self, x: Tensor) -> Statistics:
        found, samples = super().statistics(x), x.shape[0]
        return found._replace(unbiased=found.biased * (samples / (samples - 1)))


@liar("n8", through="output")
class DividesByPositions(HonestBatchNorm2d):
    """Divides the sum of squares by H*W, forgetting the batch axis."""

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        return found._replace(biased=found.biased * x.shape[0])


@liar("n8", through="output")
class InstanceStatistics(HonestBatchNorm2d):
    """Takes the statistics over H and W of the first sample alone."""

    def statistics(self, x: Tensor) -> Statistics:
        return _variances(x[:1], x[:1].mean(AXES))


@liar("n8", through="output")
class StatisticsOverBatchOnly(HonestBatchNorm2d):
    """Averages over N alone, at position (0, 0), not over H and W."""

    def statistics(self, x: Tensor) -> Statistics:
        corner = x[:, :, :1, :1]
        return _variances(corner, corner.mean(AXES))


@liar("train_only", through="output")
class StatisticsOverChannels(HonestBatchNorm2d):
    """One mean and variance for all channels."""

    def statistics(self, x: Tensor) -> Statistics:
        found = _variances(x, x.mean().expand(x.shape[1]))
        return Statistics(*(values.mean().expand(x.shape[1]) for values in found))


@liar("train_only", through="output")
class NextChannelsStatistics(HonestBatchNorm2d):
    """Takes each channel's statistics from its neighbour."""

    def statistics(self, x: Tensor) -> Statistics:
        return Statistics(*(values.roll(1) for values in super().statistics(x)))


@liar("bounded", through="output")
class TextbookVariance(HonestBatchNorm2d):
    """Computes mean(x**2) - mean(x)**2, which cancels where the mean is large."""

    def statistics(self, x: Tensor) -> Statistics:
        found, count = super().statistics(x), values_per_channel(x)
        biased = (x * x).mean(AXES) - found.mean * found.mean
        return Statistics(found.mean, biased, biased * (count / (count - 1)))


@liar("bounded", through="output")
class HalfPrecisionMean(HonestBatchNorm2d):
    """Two passes, but the mean is rounded to float16 in between."""

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        return _variances(x, found.mean.to(torch.float16).to(x.dtype))


@liar("bounded", through="output")
class HalfPrecisionVariance(HonestBatchNorm2d):
    """Rounds the variance to bfloat16 before the root."""

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        return found._replace(biased=found.biased.to(torch.bfloat16).to(x.dtype))


@liar("float64", "bounded", through="output")
class SinglePrecisionStatistics(HonestBatchNorm2d):
    """Computes the statistics of float64 inputs in float32."""

    def statistics(self, x: Tensor) -> Statistics:
        return Statistics(*(values.to(x.dtype) for values in super().statistics(x.float())))


@liar("n8", through="output")
class LastSampleDropped(HonestBatchNorm2d):
    """Leaves the last sample of a batch out of the statistics."""

    def statistics(self, x: Tensor) -> Statistics:
        return super().statistics(x[:-1])


@liar("n256", through="output")
class LastColumnDropped(HonestBatchNorm2d):
    """Leaves the last column of wide images out of the statistics."""

    def statistics(self, x: Tensor) -> Statistics:
        return super().statistics(x[..., :-1] if x.shape[-1] >= 8 else x)


@liar("n102400", through="output")
class SubsampledStatistics(HonestBatchNorm2d):
    """Estimates the statistics of large images from every second row."""

    def statistics(self, x: Tensor) -> Statistics:
        return super().statistics(x[:, :, ::2] if x.shape[2] >= 64 else x)


@liar("n102400", "float32", through="output")
class CountInHalfPrecision(HonestBatchNorm2d):
    """Counts values in float16, which has no room for more than 65504."""

    def statistics(self, x: Tensor) -> Statistics:
        found, count = super().statistics(x), values_per_channel(x)
        return found._replace(mean=found.mean * (count / min(count, 65504)))


@liar("train_then_eval", through="output")
class StaleStatistics(HonestBatchNorm2d):
    """Uses the statistics of the batch before."""

    _previous: Optional[Statistics] = None

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        previous, self._previous = self._previous or found, found
        return previous


@liar("train_only", through="output")
class DeviationForVariance(HonestBatchNorm2d):
    """Uses the mean absolute deviation in place of the standard deviation."""

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        return found._replace(biased=(x - spread(found.mean)).abs().mean(AXES) ** 2)


@liar("train_only", through="output")
class MedianForMean(HonestBatchNorm2d):
    """Centres on the median."""

    def statistics(self, x: Tensor) -> Statistics:
        by_channel = x.transpose(0, 1).reshape(x.shape[1], -1)
        return super().statistics(x)._replace(mean=by_channel.median(1)[0])


@liar("track", "train_only", through="running_var")
class VarianceAroundRunningMean(HonestBatchNorm2d):
    """Measures the stored variance around running_mean, not around the batch's mean."""

    def statistics(self, x: Tensor) -> Statistics:
        found, around = super().statistics(x), self.running_mean
        if around is None:
            return found
        return found._replace(unbiased=_variances(x, around.detach()).unbiased)


@liar("nonfinite", through="output")
class NanSkipped(HonestBatchNorm2d):
    """Leaves NaNs out of the statistics."""

    def statistics(self, x: Tensor) -> Statistics:
        return super().statistics(torch.where(torch.isnan(x), torch.zeros_like(x), x))


@liar("nonfinite", through="output")
class InfinityClamped(HonestBatchNorm2d):
    """Replaces infinities by 100 before taking the statistics."""

    def statistics(self, x: Tensor) -> Statistics:
        return super().statistics(torch.where(torch.isinf(x), torch.full_like(x, 100.0), x))


@liar("nonfinite", through="output")
class NanLeaksAcrossChannels(HonestBatchNorm2d):
    """A NaN in one channel reaches the statistics of all."""

    def statistics(self, x: Tensor) -> Statistics:
        poison = 0 * torch.where(torch.isnan(x), x, torch.zeros_like(x)).sum()
        return Statistics(*(values + poison for values in super().statistics(x)))


@liar("nonfinite", through="running_mean")
class InfinityLeaksIntoBuffers(HonestBatchNorm2d):
    """An infinity in one channel makes every running mean NaN; outputs stay right."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        poison = 0 * torch.where(torch.isinf(found.mean), found.mean, 0 * found.biased).sum()
        super().update(operands, found._replace(mean=found.mean + poison), factor)


@liar("n256", through="output")
class OutliersTrimmed(HonestBatchNorm2d):
    """Clips values beyond three standard deviations before taking the variance."""

    def statistics(self, x: Tensor) -> Statistics:
        found = super().statistics(x)
        reach = spread(3 * found.biased.sqrt())
        centred = torch.min(torch.max(x - spread(found.mean), -reach), reach)
        return found._replace(biased=(centred**2).mean(AXES))
