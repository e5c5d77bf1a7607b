"""Where no operation rounds, a subject that sums exactly has no budget, and any other subject has one."""

from __future__ import annotations

import pytest

from cases.inputs import batch
from cases.variants import Variant
from oracle.numerics.budgeted import constant
from oracle.numerics.formats import FORMATS
from oracle.numerics.moving_average import moving_average
from oracle.numerics.statistics import statistics
from tests.meta import installed

NAMES = ("mean", "biased_variance", "unbiased_variance")

EXACT_STATISTICS = {
    "n2": 1.0,
    "n8": 0.8,
    "n30": 1.0,
    "n256": 1.0,
    "n134_67_images": 1.0,
}
"""Maps a shape to the share of channels of the exact lane in which no operation rounds. In the others, n
- 1 does not divide the sum of squared deviations."""


@pytest.mark.parametrize("dtype", installed.WIDE)
@pytest.mark.parametrize("shape", EXACT_STATISTICS)
def test_statistics_of_the_exact_lane_have_no_budget(shape: str, dtype: str) -> None:
    """A subject that does not sum exactly gets the derived bound, however exact the input."""
    exact = 0
    batches = [batch(Variant("exact", shape, dtype), f"b{k}") for k in range(12)]
    for given in batches:
        found, other = (statistics(given, sums_exactly=each) for each in (True, False))
        without = [getattr(found, name).budget == 0 for name in NAMES]
        assert all((each == without[0]).all() for each in without)
        exact += int(without[0].sum())
        for name in NAMES:
            assert (getattr(other, name).budget > 0).all()
            assert (getattr(other, name).values == getattr(found, name).values).all()
    assert exact / (12 * 11) >= EXACT_STATISTICS[shape]


@pytest.mark.parametrize("dtype", installed.WIDE)
@pytest.mark.parametrize("factor", [0.0, 0.25, 0.5, 1.0])
def test_the_first_average_of_the_exact_lane_has_no_budget(factor: float, dtype: str) -> None:
    """The average starts from the initial buffers."""
    fmt = FORMATS[dtype]
    for shape in ("n2", "n30", "n256"):
        found = statistics(batch(Variant("exact", shape, dtype), "b0"), sums_exactly=True)
        for new in (found.mean, found.unbiased_variance):
            old = constant(1.0, 11)
            assert (moving_average(old, new, factor, fmt, exact=True).budget == 0).all()
            assert (moving_average(old, new, factor, fmt, exact=False).budget > 0).all()


def test_no_statistic_outside_the_exact_lane_is_without_budget() -> None:
    """Zeros are the exception: their sum is 0 in any order."""
    given = batch(Variant("bounded", "n8", "float32"), "b0")
    found = statistics(given, sums_exactly=True)
    assert [r for r, b in zip(given.regimes, found.mean.budget) if b == 0] == ["signed_zeros"]
