"""The oracle's own error, against fractions: at most 2 float64 ulps, outputs within their bound."""

from __future__ import annotations

import pytest

from cases.variants import LANES, SHAPES
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
