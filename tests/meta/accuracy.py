"""Measures the oracle's own error against exact rational arithmetic, over the inputs of the matrix.

``python -m tests.meta.accuracy`` prints the largest error of each quantity in float64 ulps. Sums
and products are integers and fractions, square roots are integer roots with 200 bits to spare,
so nothing here rounds before the comparison.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from fractions import Fraction
from typing import Dict, Iterator, List, Optional, Tuple

import numpy as np

from cases.construction import MOMENTUM
from cases.inputs import Batch, batch, preset
from cases.matrix.schedules import SCHEDULES
from cases.variants import DTYPES, LANES, MATRIX_SHAPES, SHAPES, Variant
from oracle import bounds
from oracle.averaging import constant, moving_average
from oracle.normalisation import normalised
from oracle.quantity import Quantity
from oracle.statistics import statistics

BATCHES = max(len(modes) for modes in SCHEDULES.values())
ROOT_BITS = 200
OUTPUTS_A_CHANNEL = 64
"""Outputs compared a channel: with fractions, all of the largest shape would take an hour."""


@dataclass(frozen=True)
class Exact:
    """One channel's statistics as fractions."""

    mean: Fraction
    biased_variance: Fraction
    unbiased_variance: Fraction


def variants() -> Iterator[Variant]:
    """Every variant of the matrix, and of the edges with a shape of their own."""
    for lane in LANES:
        for shape in SHAPES:
            if not unused(lane, shape):
                for dtype in DTYPES:
                    yield Variant(lane, shape, dtype)


def unused(lane: str, shape: str) -> bool:
    """Whether no case has the combination."""
    return (lane, shape) == ("exact", "n102400") or (
        lane == "nonfinite" and shape not in MATRIX_SHAPES
    )


def _integers(values: np.ndarray) -> Tuple[List[int], int]:
    """The values as integers in units of 2**exponent, and the exponent."""
    significands, exponents = np.frexp(values.astype(np.float64))
    scaled = (significands * 2.0**53).astype(np.int64).tolist()
    powers = np.where(significands == 0, 0, exponents - 53).tolist()
    least = min(powers)
    return [number << (power - least) for number, power in zip(scaled, powers)], least


def exact_statistics(values: np.ndarray) -> Exact:
    """Of one channel of finite values, shape (n,)."""
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


def ulps(value: float, exact: Fraction) -> float:
    """How many float64 ulps (of the exact value) ``value`` is off."""
    if exact == 0:
        return 0.0 if value == 0 else math.inf
    return float(abs(Fraction(value) - exact) / Fraction(float(np.spacing(abs(float(exact))))))


def root(value: Fraction) -> Fraction:
    """The square root of a positive fraction, relative error below 2**-ROOT_BITS."""
    shift = 2 * ROOT_BITS + 2 * max(0, value.denominator.bit_length())
    return Fraction(math.isqrt((value.numerator << shift) // value.denominator), 2 ** (shift // 2))


class Worst:
    """The largest value of each quantity, and where it was seen."""

    def __init__(self) -> None:
        self.values: Dict[str, Tuple[float, str]] = {}

    def note(self, quantity: str, value: float, where: str) -> None:
        if value >= self.values.get(quantity, (-1.0, ""))[0]:
            self.values[quantity] = (value, where)


def _finite_channels(given: Batch) -> Iterator[Tuple[int, np.ndarray]]:
    channels = given.values.astype(np.float64).transpose(1, 0, 2, 3)
    for number, channel in enumerate(channels.reshape(len(channels), -1)):
        if np.isfinite(channel).all():
            yield number, channel


def _measure_statistics(given: Batch, where: str, worst: Worst) -> Dict[int, Exact]:
    found = statistics(given)
    exact: Dict[int, Exact] = {}
    for number, channel in _finite_channels(given):
        truth = exact[number] = exact_statistics(channel)
        # Squares of subnormal float64 numbers leave the range of float64 altogether.
        if truth.biased_variance and truth.biased_variance < Fraction(2) ** -1000:
            continue
        place = f"{where} channel {number}"
        worst.note("mean", ulps(float(found.mean.value.high[number]), truth.mean), place)
        for name in ("biased_variance", "unbiased_variance"):
            quantity: Quantity = getattr(found, name)
            value = float(quantity.value.high[number])
            worst.note(name, ulps(value, getattr(truth, name)), place)
    return exact


def _measure_outputs(given: Batch, exact: Dict[int, Exact], where: str, worst: Worst) -> None:
    """In parts of the stated bound: ORACLE_OUTPUT_ROUNDINGS u (|w/s| |x - m| + |b|)."""
    channels = given.values.shape[1]
    found = statistics(given)
    weight, bias = (preset(name, channels) for name in ("weight", "bias"))
    eps = 1e-5
    output = normalised(
        given,
        found.mean,
        found.biased_variance,
        constant(weight.tobytes(), channels),
        constant(bias.tobytes(), channels),
        eps,
        "contiguous",
    )
    values = output.numbers().values.transpose(1, 0, 2, 3).reshape(channels, -1)
    unit = bounds.gamma(bounds.ORACLE_OUTPUT_ROUNDINGS, bounds.FLOAT64.unit)
    for number, channel in _finite_channels(given):
        if number not in exact:
            continue
        truth = exact[number]
        slope = Fraction(weight[number]) / root(truth.biased_variance + Fraction(eps))
        step = max(1, len(channel) // OUTPUTS_A_CHANNEL)
        for place in range(0, len(channel), step):
            scaled = (Fraction(channel[place]) - truth.mean) * slope
            right = scaled + Fraction(bias[number])
            bound = Fraction(unit) * (abs(scaled) + abs(Fraction(bias[number])))
            error = abs(Fraction(float(values[number, place])) - right)
            worst.note("output", float(error / bound), f"{where} channel {number}")


def _measure_buffers(
    variant: Variant, momentum: Optional[float], exact: List[Dict[int, Exact]], worst: Worst
) -> None:
    """The moving averages over all batches of the variant, from the preset buffers."""
    channels = variant.channels
    for name, attribute in (
        ("running_mean", "mean"),
        ("running_var", "unbiased_variance"),
    ):
        start = preset(name, channels)
        average = constant(start.tobytes(), channels)
        truths = {number: Fraction(start[number]) for number in range(channels)}
        for k in range(BATCHES):
            found = statistics(batch(variant, f"b{k}"))
            factor = 1.0 / (k + 1) if momentum is None else float(momentum)
            new: Quantity = getattr(found, attribute)
            average = moving_average(average, new, factor, variant.dtype, False)
            for number in list(truths):
                if number not in exact[k]:
                    del truths[number]
                    continue
                value = getattr(exact[k][number], attribute)
                kept = (1 - Fraction(factor)) * truths[number]
                truths[number] = kept + Fraction(factor) * value
                where = f"{variant} momentum {momentum} batch {k} channel {number}"
                worst.note(name, ulps(float(average.value.high[number]), truths[number]), where)


def measure(chosen: Iterator[Variant]) -> Worst:
    """The oracle's worst errors over the variants' inputs."""
    worst = Worst()
    for variant in chosen:
        exact: List[Dict[int, Exact]] = []
        for k in range(BATCHES):
            given = batch(variant, f"b{k}")
            where = f"{variant.lane} {variant.shape} {variant.dtype} b{k}"
            exact.append(_measure_statistics(given, where, worst))
            _measure_outputs(given, exact[-1], where, worst)
        if variant.shape != "n102400":
            for momentum in dict.fromkeys([*MOMENTUM.values(), 0.25]):
                _measure_buffers(variant, momentum, exact, worst)
    return worst


def lines(worst: Worst) -> List[str]:
    """One line a quantity."""
    unit = {"output": "of the stated bound"}
    return [
        f"{quantity:18} {value:8.3f} {unit.get(quantity, 'float64 ulps'):20} {where}"
        for quantity, (value, where) in worst.values.items()
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines(measure(variants()))) + "\n")
