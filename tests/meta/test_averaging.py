"""A long series of averages of which only the last is seen is that of one step after the other."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, List, Sequence

import numpy as np
import pytest

from cases import states
from cases.inputs import batch
from oracle import averaging
from oracle.arithmetic import DoubleDouble
from oracle.averaging import LONG, constant, moving_average
from oracle.bounds import FLOAT64
from oracle.quantity import Numbers, Quantity, known, settle

STEPS = 3 * LONG
CHANNELS = 4

FACTORS = {
    "a tenth": [0.1] * STEPS,
    "cumulative": [1 / k for k in range(1, STEPS + 1)],
    "one": [1.0] * STEPS,
    "nothing": [0.0] * STEPS,
    "outside": [1.01, -0.01] * (STEPS // 2),
}


def batches(seed: int, largest: float = 1e3) -> List[Quantity]:
    """As many as there are steps, with budgets."""
    stream = np.random.default_rng(seed)
    rows = stream.uniform(-largest, largest, (STEPS, CHANNELS))
    rests = rows * stream.uniform(-1e-17, 1e-17, rows.shape)
    budgets = np.abs(rows) * 1e-6
    return [known(DoubleDouble(*each[:2]), each[2]) for each in zip(rows, rests, budgets)]


def after(
    old: Quantity,
    news: Sequence[Quantity],
    factors: Sequence[float],
    dtype: str,
    seen: bool,
    exact: bool = False,
) -> Quantity:
    """The last average; ``seen``: whether the others are looked at."""
    averaging.moving_average.cache_clear()
    average = old
    for place, (new, factor) in enumerate(zip(news, factors), 1):
        last = place == len(news)
        average = moving_average(average, new, factor, dtype, exact, seen or last)
    return average


def numbers(*arguments: Any, **switches: bool) -> Numbers:
    return after(*arguments, **switches).settled()


def bits(found: Numbers) -> List[bytes]:
    return [each.tobytes() for each in (*found.value, found.budget)]


def value(numbers: DoubleDouble, channel: int) -> Fraction:
    return Fraction(float(numbers.high[channel])) + Fraction(float(numbers.low[channel]))


@pytest.mark.parametrize("factors", list(FACTORS.values()), ids=list(FACTORS))
def test_a_series_is_what_its_steps_are(factors: List[float]) -> None:
    """The value to 100 bits, the budget to what float64 can tell."""
    start, news = constant(0.75, CHANNELS), batches(1)
    at_once = numbers(start, news, factors, "float32", seen=False)
    one_by_one = numbers(start, news, factors, "float32", seen=True)
    np.testing.assert_allclose(at_once.budget, one_by_one.budget, rtol=1e-12)
    for channel in range(CHANNELS):
        exact, size = value(start.value, channel), Fraction(0)
        for new, factor in zip(news, factors):
            exact = (1 - Fraction(factor)) * exact + Fraction(factor) * value(new.value, channel)
            size = max(size, abs(exact))
        assert abs(value(at_once.value, channel) - exact) <= size / 2**96
    assert np.all(np.abs(at_once.value.low) <= np.spacing(np.abs(at_once.value.high)))
    assert FLOAT64.unit < at_once.budget.min()


def test_series_with_the_same_factors_are_taken_together(monkeypatch: pytest.MonkeyPatch) -> None:
    together: List[int] = []
    real = averaging._last_of_series

    def watched(old: Numbers, *rest: object) -> object:
        together.append(len(old.budget))
        return real(old, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(averaging, "_last_of_series", watched)
    alone = [
        bits(numbers(constant(1.0, CHANNELS), batches(seed), FACTORS["a tenth"], "float64", seen=False))
        for seed in (1, 2)
    ]
    pair = [
        after(constant(1.0, CHANNELS), batches(seed), FACTORS["a tenth"], "float64", False)
        for seed in (1, 2)
    ]
    settle(pair)
    assert together == [1, 1, 2]
    assert [bits(each.settled()) for each in pair] == alone


@pytest.mark.parametrize("largest", [1e300, 1e40, np.nan, np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_too_large_are_taken_step_by_step(largest: float, dtype: str) -> None:
    """In the middle of the series, in one channel; bit for bit as if all had been seen."""
    news = batches(3)
    high = np.array([1.0, largest, 2.0, 3.0])
    news[STEPS // 2] = known(DoubleDouble(high, np.zeros(CHANNELS)), np.zeros(CHANNELS))
    start = constant(0.0, CHANNELS)
    with np.errstate(all="ignore"):
        at_once, one_by_one = (
            numbers(start, news, FACTORS["a tenth"], dtype, seen=seen) for seen in (False, True)
        )
    if largest < FLOAT64.largest and dtype == "float64":
        np.testing.assert_allclose(at_once.value.high, one_by_one.value.high, rtol=1e-15)
    else:
        assert bits(at_once) == bits(one_by_one)


@pytest.mark.parametrize(
    ("start", "other", "factor"),
    [(1e300, 1e300, -1.0), (1e300, 1e300, 2.5), (1e300, 0.0, 0.99), (-1e280, 1e280, 3.0)],
)
def test_near_the_ends_of_the_range_it_goes_step_by_step(
    start: float, other: float, factor: float
) -> None:
    """Where a product, or what is left of the first value, would leave float64 on the way."""
    arguments = constant(start, 1), [constant(other, 1)] * 159, [factor] * 159, "float64"
    at_once, one_by_one = (numbers(*arguments, seen=seen) for seen in (False, True))
    assert bits(at_once) == bits(one_by_one)


def test_a_series_does_not_depend_on_its_company() -> None:
    """One that must go step by step does not take those along that need not."""
    large = batches(5)
    large[7] = known(DoubleDouble(np.full(CHANNELS, 1e300), np.zeros(CHANNELS)), np.zeros(CHANNELS))
    factors, start = FACTORS["a tenth"], constant(1.0, CHANNELS)
    alone = bits(numbers(start, batches(1), factors, "float32", seen=False))
    one, other = (after(start, news, factors, "float32", False) for news in (batches(1), large))
    settle((one, other))
    assert bits(one.settled()) == alone
    assert np.isinf(other.settled().value.high).all()


@pytest.mark.parametrize(("steps", "exact"), [(LONG - 1, False), (STEPS, True)])
def test_others_are_taken_step_by_step(steps: int, exact: bool) -> None:
    """Short series, and exact ones, whose budget is 0 where nothing was rounded on the way."""
    news = [constant(float(n % 4), CHANNELS) for n in range(steps)]
    factors = [0.5 if n < 8 else 1.0 for n in range(steps)]
    start = constant(2.0, CHANNELS)
    found = [numbers(start, news, factors, "float32", seen=seen, exact=exact) for seen in (False, True)]
    assert bits(found[0]) == bits(found[1])
    assert (found[0].budget == 0).all() == exact


def test_an_average_nobody_meant_to_see_can_be_seen() -> None:
    """As when a forward in the middle of a series raises."""
    news = batches(4)
    last = after(constant(0.0, CHANNELS), news, FACTORS["a tenth"], "float32", False)
    middle = constant(0.0, CHANNELS)
    for new in news[:100]:
        middle = moving_average(middle, new, 0.1, "float32", False, False)
    assert middle.source is not None
    seen = numbers(constant(0.0, CHANNELS), news[:100], FACTORS["a tenth"], "float32", seen=True)
    np.testing.assert_allclose(middle.value.high, seen.value.high, rtol=1e-15)
    assert last.settled().budget.shape == (CHANNELS,)


def test_endurance_is_as_long_as_it_says() -> None:
    assert states.ENDURANCE.count > 2**8
    assert FLOAT64.unit > 0.9**400
    assert states.ENDURANCE.count >= 400
    assert states.ENDURANCE in states.OPERATIONS


def test_all_batches_of_endurance_are_remembered() -> None:
    """They serve every state, beside the few others of a state's program."""
    memory = batch.cache_info().maxsize
    assert memory is not None
    assert states.ENDURANCE.count + len(states.OPERATIONS) // 5 < memory
