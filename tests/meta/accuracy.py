"""Measures the oracle's own error against exact fractions, over the inputs of the matrix.

``python -m tests.meta.accuracy`` prints the bound that ``oracle.numerics.bounds`` states for each quantity
and the largest share of it that was used. Sums and products are integers and fractions, square roots are
integer roots with 200 bits to spare, so nothing here rounds before the comparison.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from fractions import Fraction
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from cases.construction import MOMENTUM
from cases.inputs import Batch, batch, preset
from cases.matrix.schedules import SCHEDULES
from cases.variants import LANES, MATRIX_SHAPES, SHAPES, Variant
from oracle.numerics import bounds
from oracle.numerics.bounds import FLOAT64, gamma
from oracle.numerics.budgeted import Budgeted, known
from oracle.numerics.formats import FORMATS
from oracle.numerics.moving_average import moving_average
from oracle.numerics.normalisation import ExpectedOutput, output_values
from oracle.numerics.statistics import statistics

BATCHES = max(len(modes) for modes in SCHEDULES.values())
MOMENTA: Tuple[Optional[float], ...] = tuple(dict.fromkeys([*MOMENTUM.values(), 0.25]))
EPS = 1e-5
ROOT_BITS = 200
OUTPUTS_A_CHANNEL = 64
"""The number of outputs compared in a channel. With fractions, all of the largest shape would take an
hour."""

STATED: Dict[str, str] = {
    "mean": f"gamma({bounds.ORACLE_MEAN_ROUNDINGS}) |mean|",
    "biased_variance": f"gamma({bounds.ORACLE_VARIANCE_ROUNDINGS}) var + (bound of the mean)^2",
    "unbiased_variance": "the same times n / (n - 1)",
    "normalisation": f"gamma({bounds.ORACLE_OUTPUT_ROUNDINGS}) (|y - b| + |b|)",
    "output": "the same, and the bounds of mean and variance carried along",
    "running_mean": "gamma(3) of both terms + u |result| for each step, carried along",
    "running_var": "as running_mean",
}
"""Maps a quantity to the bound of the oracle's own error, with the unit roundoff of float64."""


@dataclass(frozen=True)
class Exact:
    """One channel's statistics as fractions."""

    mean: Fraction
    biased_variance: Fraction
    unbiased_variance: Fraction


class Largest(NamedTuple):
    """The largest share of a stated bound that was used, and where."""

    share: float
    where: str


class Worst:
    """The largest share of the stated bound of each quantity."""

    def __init__(self) -> None:
        self.values: Dict[str, Largest] = {}

    def note(self, quantity: str, value: float, exact: Fraction, bound: float, where: str) -> None:
        """Take in an error, |value - exact|, against its bound.

        Results below the smallest normal number may be rounded to it, as in every budget.
        """
        error = abs(Fraction(value) - exact)
        share = float(error / (Fraction(bound) + Fraction(FLOAT64.tiny)))
        if share >= self.values.get(quantity, Largest(-1.0, "")).share:
            self.values[quantity] = Largest(share, where)


def variants() -> Iterator[Variant]:
    """Every variant of the matrix, and of the edges with a shape of their own."""
    for lane in LANES:
        for shape in SHAPES:
            if not unused(lane, shape):
                for dtype in ("float32", "float64"):
                    yield Variant(lane, shape, dtype)


def unused(lane: str, shape: str) -> bool:
    """Whether no case has the combination."""
    return (lane, shape) == ("exact", "n102400") or (
        lane == "nonfinite" and shape not in MATRIX_SHAPES
    )


def _integers(values: np.ndarray) -> Tuple[List[int], int]:
    """Return the values as integers in units of 2**exponent, and the exponent."""
    significands, exponents = np.frexp(values.astype(np.float64))
    scaled = (significands * 2.0**53).astype(np.int64).tolist()
    powers = np.where(significands == 0, 0, exponents - 53).tolist()
    least = min(powers)
    return [number << (power - least) for number, power in zip(scaled, powers)], least


def exact_statistics(values: np.ndarray) -> Exact:
    """Return the statistics of one channel of at least two finite values, shape (n,)."""
    numbers, exponent = _integers(values)
    count = len(numbers)
    total = sum(numbers)
    squares = sum(number * number for number in numbers)
    unit = Fraction(2) ** exponent
    spread = (count * squares - total * total) * unit * unit
    return Exact(
        mean=Fraction(total, count) * unit,
        biased_variance=spread / (count * count),
        unbiased_variance=spread / (count * (count - 1)),
    )


def root(value: Fraction) -> Fraction:
    """Return the square root of a positive fraction, with a relative error below 2**-ROOT_BITS."""
    shift = 2 * ROOT_BITS + 2 * max(0, value.denominator.bit_length())
    return Fraction(math.isqrt((value.numerator << shift) // value.denominator), 2 ** (shift // 2))


def _finite_channels(given: Batch) -> Iterator[Tuple[int, np.ndarray]]:
    channels = given.values.astype(np.float64).transpose(1, 0, 2, 3)
    for number, channel in enumerate(channels.reshape(len(channels), -1)):
        if np.isfinite(channel).all():
            yield number, channel


class Own(NamedTuple):
    """The stated bounds of a batch's statistics, one number per channel: shapes (C,)."""

    mean: np.ndarray
    biased_variance: np.ndarray
    unbiased_variance: np.ndarray


def _own(given: Batch) -> Own:
    found = statistics(given, sums_exactly=False)
    mean, biased = found.mean.values, found.biased_variance.values
    bound = bounds.oracle_variance(biased, mean)
    return Own(bounds.oracle_mean(mean), bound, bound * (found.count / (found.count - 1)))


def _measure_statistics(given: Batch, where: str, worst: Worst) -> Dict[int, Exact]:
    found = statistics(given, sums_exactly=False)
    own = _own(given)
    exact: Dict[int, Exact] = {}
    for number, channel in _finite_channels(given):
        truth = exact[number] = exact_statistics(channel)
        for name in Own._fields:
            value = float(getattr(found, name).values[number])
            bound = float(getattr(own, name)[number])
            worst.note(name, value, getattr(truth, name), bound, f"{where} channel {number}")
    return exact


def _measure_outputs(given: Batch, exact: Dict[int, Exact], where: str, worst: Worst) -> None:
    """Measure the formula alone, with the oracle's statistics, and the whole, with the exact ones."""
    channels = given.values.shape[1]
    found, own = statistics(given, sums_exactly=False), _own(given)
    weight, bias = (preset(name, channels) for name in ("weight", "bias"))
    output = ExpectedOutput(
        given, found.mean, found.biased_variance, known(weight), known(bias), EPS,
        batch_statistics=True, memory_format="contiguous", requires_grad=False,
    )  # fmt: skip
    values = output_values(output).values.transpose(1, 0, 2, 3).reshape(channels, -1)
    unit = gamma(bounds.ORACLE_OUTPUT_ROUNDINGS, FLOAT64.unit)
    for number, channel in _finite_channels(given):
        truth, scale, shift = exact[number], Fraction(weight[number]), Fraction(bias[number])
        mean = Fraction(found.mean.values[number])
        slope = scale / root(Fraction(found.biased_variance.values[number]) + Fraction(EPS))
        true_slope = scale / root(truth.biased_variance + Fraction(EPS))
        part = float(own.biased_variance[number]) / (found.biased_variance.values[number] + EPS)
        steeper = 1.0 / math.sqrt(1.0 - part) - 1.0
        for place in range(0, len(channel), max(1, len(channel) // OUTPUTS_A_CHANNEL)):
            value, x = float(values[number, place]), Fraction(channel[place])
            at = f"{where} channel {number}"
            scaled = (x - mean) * slope
            bound = unit * float(abs(scaled) + abs(shift))
            worst.note("normalisation", value, scaled + shift, bound, at)
            carried = float(abs(slope)) * float(own.mean[number]) + steeper * float(abs(scaled))
            worst.note("output", value, (x - truth.mean) * true_slope + shift, bound + carried, at)


def _own_step(old: Budgeted, new: Budgeted, carried: np.ndarray, factor: float) -> np.ndarray:
    """Return the stated bound of the oracle's error after another average; ``carried``: of its terms."""
    keep, take = abs(1.0 - factor), abs(factor)
    terms = keep * np.abs(old.values) + take * np.abs(new.values)
    result = np.abs((1.0 - factor) * old.values + factor * new.values)
    return np.asarray(carried + gamma(3, FLOAT64.unit) * terms + FLOAT64.unit * result)


def measure_averages(
    given: Sequence[Batch], momentum: Optional[float], where: str, worst: Worst
) -> None:
    """Measure the moving averages over the batches, in order, from the preset buffers."""
    channels, dtype = given[0].values.shape[1], given[0].dtype
    exact = [dict(_exact_channels(each)) for each in given]
    for name, attribute in (("running_mean", "mean"), ("running_var", "unbiased_variance")):
        average = known(preset(name, channels))
        own = np.zeros(channels)
        truths = {number: Fraction(average.values[number]) for number in range(channels)}
        for k, each in enumerate(given):
            factor = 1.0 / (k + 1) if momentum is None else float(momentum)
            new: Budgeted = getattr(statistics(each, sums_exactly=False), attribute)
            with np.errstate(invalid="ignore", over="ignore"):
                carried = abs(1.0 - factor) * own + abs(factor) * getattr(_own(each), attribute)
                own = _own_step(average, new, carried, factor)
                average = moving_average(average, new, factor, FORMATS[dtype], exact=False)
            for number in list(truths):
                if number not in exact[k] or not np.isfinite(average.values[number]):
                    del truths[number]
                    continue
                kept = (1 - Fraction(factor)) * truths[number]
                truth = kept + Fraction(factor) * getattr(exact[k][number], attribute)
                truths[number] = truth
                at = f"{where} momentum {momentum} batch {k} channel {number}"
                worst.note(name, float(average.values[number]), truth, float(own[number]), at)


def _exact_channels(given: Batch) -> Iterator[Tuple[int, Exact]]:
    for number, channel in _finite_channels(given):
        yield number, exact_statistics(channel)


def measure(chosen: Iterator[Variant]) -> Worst:
    """Return the oracle's worst errors over the variants' inputs."""
    worst = Worst()
    for variant in chosen:
        given = [batch(variant, f"b{k}") for k in range(BATCHES)]
        where = f"{variant.lane} {variant.shape} {variant.dtype}"
        for k, each in enumerate(given):
            exact = _measure_statistics(each, f"{where} b{k}", worst)
            _measure_outputs(each, exact, f"{where} b{k}", worst)
        for momentum in MOMENTA if variant.shape != "n102400" else ():
            measure_averages(given, momentum, where, worst)
    return worst


def long_series(steps: int, dtype: str) -> Worst:
    """Return the accumulated error of moving averages over many small batches, by every momentum."""
    worst = Worst()
    given = [batch(Variant("bounded", "n8", dtype), f"b{k % 10}") for k in range(steps)]
    for momentum in (0.1, 0.25, 0.001, None):
        measure_averages(given, momentum, f"{steps} steps {dtype}", worst)
    return worst


def lines(worst: Worst) -> List[str]:
    """Return one line for each quantity: how much of the bound was used, the bound, and where."""
    return [
        f"{quantity:18} {found.share:6.1%} of {STATED[quantity]}; {found.where}"
        for quantity, found in worst.values.items()
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines(measure(variants()))) + "\n")
    sys.stdout.write("\n".join(lines(long_series(1000, "float32"))) + "\n")
