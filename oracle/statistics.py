"""Mean, biased and unbiased variance of each channel of a batch, and how exactly they can be had.

The mean of a channel runs over its n = N*H*W values (Ioffe & Szegedy 2015, section 3.2: spatial
positions count as further examples). The *biased* variance divides the sum of squared deviations
by n, the *unbiased* one by n - 1 (Bessel's correction).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import List, NamedTuple, Tuple

import numpy as np

from cases.inputs import Batch
from oracle import bounds
from oracle.arithmetic import DoubleDouble, two_product, two_sum


@dataclass(frozen=True, eq=False)
class Quantity:
    """Values of one quantity for every channel, and how far a correct implementation may be off.

    ``value``: shape (C,). ``budget``: absolute, shape (C,), 0 where every way to compute the value
    gives the same bits, NaN where the value is not finite, infinite where any value conforms.
    ``nonnegative``: no correct implementation gets a value below 0. Compared and cached by identity.
    """

    value: DoubleDouble
    budget: np.ndarray
    nonnegative: bool = False


@dataclass(frozen=True, eq=False)
class Statistics:
    """What one batch says about its channels."""

    count: int
    mean: Quantity
    biased_variance: Quantity
    unbiased_variance: Quantity


class _Channel(NamedTuple):
    mean: Tuple[float, float]
    biased: Tuple[float, float]
    unbiased: Tuple[float, float]
    magnitude: float
    exact: bool


def _quotient(high: float, low: float, divisor: int) -> Tuple[float, float]:
    """``(high + low) / divisor`` as a double-double, for a divisor below 2**53."""
    quotient = high / divisor
    product, error = two_product(np.asarray(quotient), np.asarray(float(divisor)))
    rest = ((high - product) - error) + low
    return float(quotient), float(rest / divisor)


def _finite_channel(x: np.ndarray, precision: int) -> _Channel:
    """Exactly rounded sums over one channel of finite values.

    The channel is first scaled by a power of two (which is exact), so that squares neither
    overflow nor underflow whatever the magnitude of the input.
    """
    count = len(x)
    largest = float(np.max(np.abs(x)))
    exponent = math.frexp(largest)[1] if largest else 0
    scaled = np.ldexp(x, -exponent)
    total = math.fsum(scaled)
    total_low = math.fsum([*scaled.tolist(), -total])
    mean, mean_low = _quotient(total, total_low, count)
    # Deviations from the rounded mean, exact as pairs; then the exact sum of their squares.
    high, low = two_sum(scaled, np.asarray(-mean))
    square, square_low = two_product(high, high)
    terms: List[float] = [*square.tolist(), *square_low.tolist()]
    terms += (2.0 * high * low).tolist() + (low * low).tolist()
    # The deviations are from `mean`, not from `mean + mean_low`: sum (x-m)^2 = M2 + n*mean_low^2.
    terms.append(-count * mean_low * mean_low)
    squares = math.fsum(terms)
    squares_low = math.fsum([*terms, -squares])
    biased = _quotient(squares, squares_low, count)
    unbiased = _quotient(squares, squares_low, count - 1) if count > 1 else (math.nan, math.nan)
    magnitude = math.fsum(np.abs(scaled)) / count

    def unscaled(pair: Tuple[float, float], power: int) -> Tuple[float, float]:
        high = float(np.ldexp(pair[0], power))
        return high, float(np.ldexp(pair[1], power)) if math.isfinite(high) else 0.0

    return _Channel(
        mean=unscaled((mean, mean_low), exponent),
        biased=unscaled(biased, 2 * exponent),
        unbiased=unscaled(unbiased, 2 * exponent),
        magnitude=float(np.ldexp(magnitude, exponent)),
        exact=bounds.exact_in_any_order(x, mean_of=float(np.ldexp(mean, exponent)), bits=precision),
    )


def _channel(x: np.ndarray, precision: int) -> _Channel:
    if np.isfinite(x).all():
        return _finite_channel(x, precision)
    # IEEE 754 decides: inf - inf and NaN both leave a NaN variance.
    with np.errstate(invalid="ignore"):
        mean = float(np.sum(x))
    nan = (math.nan, 0.0)
    return _Channel((mean, 0.0), nan, nan, math.inf, False)


@lru_cache(maxsize=2560)
def statistics(batch: Batch, plain_sums: bool = False) -> Statistics:
    """The statistics of every channel of a non-empty batch, shape (N, C, H, W).

    Computed once for each batch object; the budgets are those of ``oracle.bounds``. ``plain_sums``:
    allow for sums value by value whose rounding errors are not independent (a known defect).
    """
    n, c, h, w = batch.values.shape
    count = n * h * w
    rounding = bounds.Rounding.of(batch.values.dtype)
    by_channel = batch.values.astype(np.float64).transpose(1, 0, 2, 3).reshape(c, count)
    channels = [_channel(row, rounding.bits) for row in by_channel]

    def pairs(values: List[Tuple[float, float]]) -> DoubleDouble:
        array = np.array(values, dtype=np.float64)
        return DoubleDouble(array[:, 0].copy(), array[:, 1].copy())

    mean = pairs([channel.mean for channel in channels])
    biased = pairs([channel.biased for channel in channels])
    unbiased = pairs([channel.unbiased for channel in channels])
    magnitude = np.array([channel.magnitude for channel in channels])
    provably = np.array([channel.exact for channel in channels]) & batch.exact
    provably |= magnitude == 0  # sums of zeros
    depth = float(count) if plain_sums else bounds.depth(count)
    with np.errstate(over="ignore", invalid="ignore"):
        mean_budget = bounds.mean(mean.high, magnitude, depth, rounding)
        biased_budget = bounds.biased_variance(biased.high, mean_budget, depth, rounding)
        unbiased_budget = bounds.unbiased_variance(
            unbiased.high, mean_budget, count, depth, rounding
        )

    def quantity(value: DoubleDouble, budget: np.ndarray, nonnegative: bool) -> Quantity:
        budget = np.where(np.isfinite(value.high), budget, np.nan)
        return Quantity(value, np.where(provably, 0.0, budget), nonnegative)

    return Statistics(
        count=count,
        mean=quantity(mean, mean_budget, False),
        biased_variance=quantity(biased, biased_budget, True),
        unbiased_variance=quantity(unbiased, unbiased_budget, True),
    )
