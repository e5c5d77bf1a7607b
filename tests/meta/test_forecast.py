"""What the oracle expects does not depend on what else it works out at the same time."""

from __future__ import annotations

from typing import Iterator, List, Sequence, Tuple

import numpy as np
import pytest

from cases import catalogue
from cases.case import Case
from cases.inputs import batch
from cases.steps import Forwards
from cases.variants import Variant
from oracle import averaging, normalisation, statistics
from oracle.averaging import constant, moving_average
from oracle.quantity import Quantity, settle
from oracle.semantics import Semantics
from oracle.state import Expected, Slot
from oracle.statistics import Statistics
from tests import forecast
from tests.forecast import Expectations, Forecast, compute, expectations
from tests.meta import installed

MEMORIES = (statistics.statistics, averaging.moving_average, normalisation.normalised)
"""What would give the same object again."""


def sample() -> List[str]:
    """Of every family and kind of input: mixed dtypes, channel counts, lanes, momenta."""
    edges = [case.id for case in installed.edges() if case.variant.shape != "n102400"]
    states = list(catalogue.ids("state", "gate"))[::64]
    return [*edges, *(case.id for case in installed.small()[::3]), *states]


def bytes_of(values: np.ndarray) -> bytes:
    """With one NaN for all: the sign of inf - inf depends on where it stands in an array."""
    return values.tobytes() if values.dtype == bool else np.where(np.isnan(values), np.nan, values).tobytes()


def bits(expected: Expected) -> Iterator[bytes]:
    """Every number that a comparison looks at."""
    for slot in expected.state.tensors():
        if isinstance(slot, Slot):
            value, budget = slot.quantity.settled()
            yield from (bytes_of(value.high), bytes_of(value.low), bytes_of(budget))
    output = expected.output
    if output is not None and output.batch.values.size:
        yield from map(bytes_of, output.numbers())


def all_bits(expected: Expectations) -> List[List[bytes]]:
    return [list(bits(each)) for each in expected]


def forget() -> None:
    for memory in MEMORIES:
        memory.cache_clear()


def alone(case_id: str) -> List[List[bytes]]:
    """Nothing computed before, and every number when it is looked at."""
    forget()
    return all_bits(expectations(catalogue.find(case_id), installed.RULES))


def together(ids: Sequence[str]) -> Iterator[Tuple[Case, Expectations]]:
    """As a run takes them."""
    forget()
    ahead = Forecast(installed.RULES)
    for place, case_id in enumerate(ids):
        yield ahead.of(case_id, ids[place + 1 :])


def test_numbers_are_the_same_alone_and_among_others() -> None:
    """Bit for bit, in two orders."""
    ids = sample()
    apart = {case_id: alone(case_id) for case_id in ids}
    for order in (ids, ids[::-1]):
        for case, expected in together(order):
            assert all_bits(expected) == apart[case.id], case.id


def test_every_case_comes_out_whatever_was_said_to_follow() -> None:
    """A case that nobody announced, and one that is asked for again."""
    first, second, third = sample()[:3]
    ahead = Forecast(installed.RULES)
    for asked, following in ((first, [second]), (third, []), (second, [first]), (second, [])):
        case, expected = ahead.of(asked, following)
        assert case == catalogue.find(asked)
        assert len(expected) == 1 + len(case.steps)


def test_a_case_on_which_the_oracle_fails_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those before it, for which it was worked out ahead, nor those after it."""
    ids = sample()[:5]
    guilty = ids[2]
    real = forecast.expectations

    def failing(case: Case, rules: Semantics) -> Expectations:
        if case.id == guilty:
            raise OverflowError("invented")
        return real(case, rules)

    monkeypatch.setattr(forecast, "expectations", failing)
    ahead = Forecast(installed.RULES)
    for place, case_id in enumerate(ids):
        if case_id == guilty:
            with pytest.raises(OverflowError, match="invented"):
                ahead.of(case_id, ids[place + 1 :])
        else:
            case, expected = ahead.of(case_id, ids[place + 1 :])
            assert all_bits(expected) == alone(case.id)


def test_no_more_is_looked_ahead_than_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found: List[str] = []
    find = catalogue.find

    def watched(case_id: str) -> Case:
        found.append(case_id)
        return find(case_id)

    monkeypatch.setattr(catalogue, "find", watched)
    gate = list(catalogue.ids("matrix", "gate"))
    Forecast(installed.RULES).of(gate[0], gate[1:])
    assert len(found) == forecast.CASES
    found.clear()
    states = list(catalogue.ids("state", "gate"))
    Forecast(installed.RULES).of(states[0], states[1:])
    steps = [len(find(case_id).steps) for case_id in found]
    assert sum(steps[:-1]) <= forecast.STEPS < sum(steps)


def test_statements_about_one_experiment_share_what_is_expected() -> None:
    claims = list(catalogue.ids("claim", "gate"))
    shared = [expected for _, expected in together(claims)]
    assert len({id(each) for each in shared}) < len(claims)


# --- numbers on demand ------------------------------------------------------------------------


def of_batch(name: str, dtype: str = "float32") -> Statistics:
    return statistics.statistics(batch(Variant("bounded", "n8", dtype), name))


def test_nothing_is_computed_before_it_is_wanted() -> None:
    forget()
    found = of_batch("b0")
    average = moving_average(constant(0.0, 11), found.mean, 0.1, "float32", False)
    assert found.mean.numbers is None
    assert average.numbers is None
    assert average.value.high.shape == (11,)
    assert found.mean.numbers is not None  # it was needed
    assert average.source is None  # what it was computed from can go


def test_a_long_chain_is_settled_from_its_beginning() -> None:
    """Much longer than Python's stack is deep."""
    forget()
    average: Quantity = constant(0.0, 11)
    for number in range(3000):
        new = of_batch(f"b{number % 7}").mean
        average = moving_average(average, new, 0.5, "float64", False)
    settle([average])
    assert np.isfinite(average.value.high).all()


def test_an_output_keeps_no_numbers_once_they_were_used() -> None:
    forget()
    found = of_batch("b0")
    output = normalisation.normalised(
        batch(Variant("bounded", "n8", "float32"), "b0"),
        found.mean, found.biased_variance, None, None, 1e-5, "contiguous",
    )  # fmt: skip
    normalisation.foresee([output])
    assert output.numbers() is output.numbers()
    held = output.numbers()
    output.forget()
    again = output.numbers()
    assert again is not held
    assert all(one.tobytes() == other.tobytes() for one, other in zip(held, again))


def test_large_outputs_are_not_held() -> None:
    given = batch(Variant("bounded", "n102400", "float32"), "b0")
    found = statistics.statistics(given)
    output = normalisation.normalised(
        given, found.mean, found.biased_variance, None, None, 1e-5, "contiguous"
    )
    normalisation.foresee([output])
    part = (slice(1, 2), slice(2, 3), slice(0, 7))
    whole, some = output.numbers(), output.numbers(part)
    assert whole is not output.numbers()
    assert whole.values[part].tobytes() == some.values.tobytes()
    assert whole.budget[part].tobytes() == some.budget.tobytes()


def test_only_what_will_be_compared_is_computed() -> None:
    """Of the outputs of a series the last alone; of the buffers all, as they went into it."""
    claims = map(catalogue.find, catalogue.ids("claim", "gate"))
    series = next(case for case in claims if any(isinstance(step, Forwards) for step in case.steps))
    forget()
    expected = expectations(series, installed.RULES)
    compute(expected)
    last = expected[-1]
    assert sum(each.output is not None for each in expected) == 1
    assert last.output is not None
    assert last.output.numbers() is last.output.numbers()
    assert last.state.running_mean is not None
    assert last.state.running_mean.quantity.numbers is not None
