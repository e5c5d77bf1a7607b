"""The oracle's own error, against fractions: at most 2 float64 ulps, outputs within their bound."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, List

import numpy as np
import pytest

from cases.inputs import batch
from cases.variants import LANES, SHAPES, Variant
from oracle.arithmetic import SHORT, exact_sums, quotient, ratios
from oracle.averaging import constant, moving_average
from oracle.quantity import settle
from oracle.statistics import statistics
from tests.meta.accuracy import lines, measure, unused, variants

ULPS = 2.0
EXACT_QUANTITIES = (
    "mean",
    "biased_variance",
    "unbiased_variance",
    "running_mean",
    "running_var",
)


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("lane", LANES)
def test_error_is_at_most_two_ulps(lane: str, shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every kind of batch that a case uses, every momentum that the matrix averages with."""
    chosen = [each for each in variants() if (each.lane, each.shape) == (lane, shape)]
    if not chosen:
        assert unused(lane, shape)
        return
    worst = measure(iter(chosen))
    with capsys.disabled():
        print(f"\noracle error, {lane} {shape}:", *lines(worst), sep="\n  ")
    for quantity in EXACT_QUANTITIES:
        if quantity in worst.values:
            assert worst.values[quantity][0] <= ULPS
    assert {"mean", "biased_variance", "unbiased_variance", "output"} <= set(worst.values)
    assert worst.values["output"][0] <= 1.0


LARGEST = float(np.finfo(np.float64).max)
SMALLEST = 5e-324


@pytest.mark.parametrize(
    "row",
    [
        [LARGEST, -LARGEST, LARGEST],
        [0.0, 2.0**980, 2.0**980],
        [1e-300, 1.0, -1.0],
        [SMALLEST, LARGEST],
        [SMALLEST, -2.2e-308, 0.0],
        [0.0, -0.0],
        [0.1] * SHORT,
        [0.1, -3.0, 1e9] * SHORT,
        [2.0**-200, 1.0] * SHORT,
    ],
    ids=lambda row: f"{row[:3]}-{len(row)}",
)
def test_sums_are_exact(row: List[float]) -> None:
    """However far apart the numbers of a row are, and also of a long one."""
    (found,) = exact_sums(np.array([row]))
    values = [Fraction(each) for each in row]
    unit = Fraction(2) ** -found.unit
    assert found.total * unit == sum(values)
    assert found.sizes * unit == sum(map(abs, values))
    assert found.squares * unit**2 == sum(each**2 for each in values)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_ratio_beyond_float64_is_an_infinity(sign: int) -> None:
    assert quotient(sign * 10**400, 1) == (sign * float("inf"), 0.0)


@pytest.mark.parametrize("bits", [10, 60, 200, 890, 960, 2000])
@pytest.mark.parametrize("denominator", [1, 3, 102400**2])
def test_ratios_are_exact_to_a_hundred_bits(bits: int, denominator: int) -> None:
    """Of integers of every size, and also where the exponent is what brings them back into range."""
    numerators = [0, 1, -7, 2**bits - 1, -(3**20) * 2 ** (bits - 10) + 5]
    exponents = [0, -900, 900, -bits, -bits - 300]
    found = ratios(numerators, denominator, np.array(exponents, dtype=np.intc))
    for numerator, exponent, high, low in zip(numerators, exponents, *map(np.ndarray.tolist, found)):
        wanted = Fraction(numerator, denominator) * Fraction(2) ** exponent
        assert abs(Fraction(high) + Fraction(low) - wanted) <= abs(wanted) / 2**100
        assert abs(low) <= np.spacing(abs(high))


def test_powers_of_two_are_asked_for_in_c_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a C long has 32 bits, ldexp takes no others."""
    real = np.ldexp

    def strict(values: Any, exponents: Any) -> Any:
        assert not isinstance(exponents, np.ndarray) or exponents.dtype == np.intc
        return real(values, exponents)

    monkeypatch.setattr(np, "ldexp", strict)
    for lane in LANES:
        for shape in ("n8", "n4096"):
            given = batch(Variant(lane, shape, "float64"), "b0")
            found = statistics.__wrapped__(given)
            settle((found.mean, found.biased_variance, found.unbiased_variance))
    pair = [
        moving_average(constant(1.0, 3), constant(2.0, 3), 0.5, dtype, True)
        for dtype in ("float32", "float64")
    ]
    settle(pair)


@pytest.mark.parametrize("numerator", [3, 10**400])
def test_ratios_beyond_float64_are_infinite(numerator: int) -> None:
    high, low = ratios([numerator, -numerator], 3, np.array([1100, 1100], dtype=np.intc))
    assert high.tolist() == [float("inf"), -float("inf")]
    assert low.tolist() == [0.0, 0.0]
