"""The oracle's own error, measured against fractions, stays within its stated bounds."""

from __future__ import annotations

from fractions import Fraction
from typing import List

import numpy as np
import pytest

from cases.variants import LANES, MATRIX_SHAPES, SHAPES
from oracle.numerics import bounds
from oracle.numerics.bounds import FLOAT64
from oracle.numerics.statistics import moments
from tests.meta.accuracy import (
    STATED,
    Worst,
    exact_statistics,
    lines,
    long_series,
    measure,
    unused,
    variants,
)


def show(title: str, worst: Worst, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\noracle error, {title}:", *lines(worst), sep="\n  ")


SLOW = {name for name in SHAPES if name not in MATRIX_SHAPES} | {"n102400"}
"""Shapes whose fractions take minutes together."""


@pytest.mark.parametrize(
    "shape",
    [pytest.param(name, marks=[pytest.mark.long] if name in SLOW else []) for name in sorted(SHAPES)],
)
@pytest.mark.parametrize("lane", LANES)
def test_no_stated_bound_is_exceeded(lane: str, shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The test covers every kind of batch that a case uses and every momentum of the matrix."""
    chosen = [each for each in variants() if (each.lane, each.shape) == (lane, shape)]
    if not chosen:
        assert unused(lane, shape)
        return
    worst = measure(iter(chosen))
    show(f"{lane} {shape}", worst, capsys)
    averages = set() if shape == "n102400" else {"running_mean", "running_var"}
    assert set(worst.values) >= set(STATED) - {"running_mean", "running_var"} | averages
    for quantity, found in worst.values.items():
        assert found.share <= 1.0, (quantity, found)


@pytest.mark.parametrize("steps", [250, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_error_of_many_averages_stays_within_the_bound(
    dtype: str, steps: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each step carries the error of those before it along and adds its own."""
    worst = long_series(steps, dtype)
    show(f"{steps} averages, {dtype}", worst, capsys)
    assert set(worst.values) == {"running_mean", "running_var"}
    assert max(found.share for found in worst.values.values()) <= 1.0


def test_the_bounds_are_not_far_too_wide() -> None:
    """Some input uses a tenth of each bound, so that a factor forgotten in a formula shows."""
    chosen = [each for each in variants() if each.shape in ("n8", "n30") and each.lane != "nonfinite"]
    for quantity, found in measure(iter(chosen)).values.items():
        assert found.share > 0.1, (quantity, found)


def test_the_budgets_include_the_oracles_own_error() -> None:
    """The budget is the oracle's bound in a format without any rounding of its own."""
    exact = FLOAT64._replace(unit=0.0, tiny=0.0)
    value, mean = np.array([2.0, 3e10]), np.array([-7.0, 1e6])
    found = bounds.mean(mean, np.abs(mean), 8.0, exact)
    np.testing.assert_array_equal(found, bounds.oracle_mean(mean))
    own = bounds.biased_variance(value, mean, np.zeros(2), 8.0, exact)
    np.testing.assert_array_equal(own, bounds.oracle_variance(value, mean))
    running = bounds.running(mean, np.zeros(2), value, np.zeros(2), 0.25, exact)
    terms = 0.75 * np.abs(mean) + 0.25 * value
    least = bounds.gamma(3, FLOAT64.unit) * terms + FLOAT64.unit * np.abs(0.75 * mean + 0.25 * value)
    np.testing.assert_allclose(running, least, rtol=1e-12)


def test_a_bound_that_is_exceeded_is_told() -> None:
    """This is the control of the measurement itself."""
    worst = Worst()
    worst.note("mean", 1.0 + 2.0**-40, Fraction(1), 2.0**-41, "here")
    worst.note("mean", 1.0, Fraction(1), 2.0**-41, "there")
    assert worst.values["mean"].share == pytest.approx(2.0)
    assert "200.0% of gamma(2) |mean|; here" in lines(worst)[0]


SMALLEST = 5e-324


@pytest.mark.parametrize(
    "row",
    [
        [1e-300, 1.0, -1.0],
        [SMALLEST, 1e150],
        [SMALLEST, -2.2e-308, 0.0],
        [0.0, -0.0],
        [0.1] * 100,
        [0.1, -3.0, 1e9] * 100,
        [2.0**-200, 1.0] * 100,
        [1e8 + 1, -1e8, 1e-8],
    ],
    ids=lambda row: f"{row[:3]}-{len(row)}",
)
def test_means_are_rounded_twice_however_far_apart_the_numbers_are(row: List[float]) -> None:
    """The sum is rounded once and the quotient once, whatever cancels."""
    found = moments(np.array(row))
    exact = exact_statistics(np.array(row)).mean
    assert abs(Fraction(found.mean) - exact) <= 2 * Fraction(FLOAT64.unit) * abs(exact) + Fraction(SMALLEST)
