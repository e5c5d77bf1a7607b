"""The judgement of arrays: element by element, against the budget and nothing wider."""

from __future__ import annotations

import math
from itertools import product
from typing import Optional, Tuple

import numpy as np
import pytest

from cases.inputs import batch
from cases.variants import LANES, Variant
from oracle.numerics.budgeted import Budgeted, constant, known
from oracle.numerics.formats import FORMATS, Format
from oracle.numerics.normalisation import ExpectedOutput, output_values
from oracle.numerics.statistics import statistics
from tests.comparison.judgement import (
    Judgement,
    Mismatch,
    in_ulps,
    judge,
    judge_tensor,
    judge_values,
    margins,
)
from tests.meta import installed

SINGLE, DOUBLE = FORMATS["float32"], FORMATS["float64"]
NAN, INF = math.nan, math.inf


def judge_output(expected: ExpectedOutput, got: np.ndarray, fmt: Format) -> Judgement:
    return judge_values("output", output_values(expected), got, fmt)


def mismatch_of(judgement: Judgement) -> Mismatch:
    assert judgement.mismatch is not None
    return judgement.mismatch


def conforms(got: float, want: float, budget: float) -> bool:
    """The rule for one element, written out."""
    if math.isnan(want):
        return math.isnan(got) or budget == INF
    if math.isinf(want) or budget == INF:
        return got == want or budget == INF
    return got == want or abs(got - want) <= budget


ELEMENTS = [
    (1.0, 1.0, 0.0),
    (1.0, 1.0, 0.5),
    (1.25, 1.0, 0.5),
    (0.75, 1.0, 0.5),
    (1.5, 1.0, 0.5),
    (1.75, 1.0, 0.5),
    (2.0, 1.0, 0.0),
    (0.0, 0.0, 0.0),
    (0.0, -0.0, 0.0),
    (0.125, 0.0, 0.25),
    (1.0, 2.0, INF),
    (NAN, 2.0, INF),
    (NAN, NAN, NAN),
    (NAN, NAN, 0.0),
    (NAN, 1.0, 1.0),
    (1.0, NAN, NAN),
    (INF, INF, NAN),
    (INF, INF, 0.0),
    (-INF, INF, NAN),
    (1e30, INF, NAN),
    (INF, 1.0, 1.0),
]
"""Triples of got, wanted and budget."""


@pytest.mark.parametrize("length", [1, 2, 3])
def test_an_array_conforms_when_each_of_its_elements_does(length: int) -> None:
    """One mask decides and describes: the mismatch is at a wrong element, and all of them are counted."""
    for elements in product(ELEMENTS, repeat=length):
        got, want, budget = (np.array(column) for column in zip(*elements))
        judgement = judge("running_mean", got, want, budget, DOUBLE)
        wrong = [not conforms(*each) for each in elements]
        assert (judgement.mismatch is not None) == any(wrong), elements
        if judgement.mismatch is not None:
            assert judgement.mismatch.count == sum(wrong)
            assert wrong[judgement.mismatch.index[0]]


def test_the_worst_element_is_the_one_farthest_beyond_its_budget() -> None:
    got, want = np.array([1.5, 100.0, 2.0]), np.array([1.0, 90.0, 2.0])
    found = mismatch_of(judge("output", got, want, np.array([0.1, 9.0, 0.0]), DOUBLE))
    assert (found.index, found.error, found.budget, found.count) == ((0,), 0.5, 0.1, 2)
    assert (found.got, found.expected, found.quantity) == ("1.5", "1.0", "output")
    found = mismatch_of(judge("output", np.array([NAN, 100.0]), np.array([1.0, 90.0]), np.ones(2), DOUBLE))
    assert (found.index, found.got) == ((0,), "nan")


def test_a_value_beyond_the_format_is_expected_as_an_infinity() -> None:
    want, budget = np.array([1e39, -1e39]), np.array([1e32, 1e32])
    infinite = np.array([INF, -INF], dtype=np.float32)
    assert judge("output", infinite, want, budget, SINGLE).mismatch is None
    largest = np.array([3.4e38, -3.4e38], dtype=np.float32)
    assert mismatch_of(judge("output", largest, want, budget, SINGLE)).expected == "inf"
    near = np.array([3.41e38, -3.41e38])
    assert judge("output", largest, near, np.full(2, 2e36), SINGLE).mismatch is None
    assert judge("output", largest, near, np.full(2, 1e35), SINGLE).mismatch is not None


@pytest.mark.parametrize(
    ("error", "want", "dtype", "ulps"),
    [
        (2.0**-23, 1.0, "float32", 1.0),
        (2.0**-23, 1.5, "float32", 1.0),
        (-(2.0**-22), 2.0, "float32", -1.0),
        (2.0**-52, 1.0, "float64", 1.0),
        (2.0**-149, 0.0, "float32", 1.0),
        (2.0**-149, 2.0**-140, "float32", 1.0),
    ],
)
def test_errors_in_units_in_the_last_place(error: float, want: float, dtype: str, ulps: float) -> None:
    assert in_ulps(error, want, FORMATS[dtype]) == ulps


def test_margins_are_those_of_the_widest_elements() -> None:
    got, want = np.array([1.25, 0.5, 4.0]), np.array([1.0, 1.0, 4.0])
    judgement = judge("output", got, want, np.array([0.5, 2.0, 1.0]), DOUBLE)
    assert judgement.share == (-0.25, 0.5)
    assert judgement.ulps == (-0.5 * 2**52, 0.25 * 2**52)
    assert judgement.detectable == 0.25
    assert not judgement.exact
    exact = judge("output", want, want, np.zeros(3), DOUBLE)
    assert exact.exact
    both = margins([judgement, exact, judge("output", got, want, np.full(3, 1.0), DOUBLE)])
    assert (both.share, both.detectable) == ((-0.5, 0.5), 0.25)
    assert margins([exact]).detectable == INF


def test_an_array_without_elements_is_exact() -> None:
    empty = np.empty((0, 3, 2, 2))
    assert judge("output", empty, empty, empty, SINGLE) == Judgement(None)


# --- tensors and outputs ----------------------------------------------------------------------


def output(variant: Variant, name: str = "b1", eps: float = 1e-5) -> ExpectedOutput:
    """Return what a train-mode forward must return."""
    given = batch(variant, name)
    found = statistics(given, sums_exactly=True)
    half: Optional[Budgeted] = constant(0.5, given.values.shape[1])
    return ExpectedOutput(
        given, found.mean, found.biased_variance, half, half, eps,
        batch_statistics=True, memory_format="contiguous", requires_grad=False,
    )  # fmt: skip


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("off", [0.0, 0.3, -0.9, 3.0, NAN, INF])
@pytest.mark.parametrize("place", [(0, 0, 0, 0), (1, 2, 0, 1), (4, 10, 1, 2)])
def test_one_element_of_an_output_decides(lane: str, off: float, place: Tuple[int, ...]) -> None:
    """An element in each corner is ``off`` by this part of its budget."""
    expected = output(Variant(lane, "n30", "float64"))
    values, budget, _ = (np.array(each) for each in output_values(expected))
    values[place] += off * budget[place]
    judgement = judge_output(expected, values, DOUBLE)
    assert (judgement.mismatch is None) == (abs(off) < 1)
    if judgement.mismatch is not None:
        assert (judgement.mismatch.index, judgement.mismatch.count) == (place, 1)


def test_a_large_output_is_judged_to_its_last_element() -> None:
    expected = output(Variant("bounded", "n102400", "float32"), "b0")
    want, budget, _ = output_values(expected)
    values = want.astype(np.float32)
    judgement = judge_output(expected, values, SINGLE)
    assert judgement.mismatch is None
    assert judgement.detectable == (budget / np.abs(want)).min()
    values[3, 2, 159, 159] *= 2
    assert mismatch_of(judge_output(expected, values, SINGLE)).index == (3, 2, 159, 159)


def test_anything_conforms_where_a_variance_of_0_has_no_eps() -> None:
    """Within its error the root's argument may be 0: then the output is undetermined."""
    expected = output(Variant("bounded", "n8", "float32"), "constant", eps=0.0)
    for value in (17.0, NAN, -INF):
        anything = np.full(expected.shape, value, dtype=np.float32)
        assert judge_output(expected, anything, SINGLE).mismatch is None


@pytest.mark.parametrize("number", [INF, -INF, NAN])
@pytest.mark.parametrize("dtype", installed.WIDE)
def test_an_output_that_is_not_finite_must_be_just_that(number: float, dtype: str) -> None:
    """In eval mode an infinite input gives an infinite output, whose neighbours are unchanged."""
    given = batch(Variant("nonfinite", "n8", dtype), "b1")
    channels = given.values.shape[1]
    expected = ExpectedOutput(
        given, constant(0.0, channels), constant(1.0, channels), None, None, 1e-5,
        batch_statistics=False, memory_format="contiguous", requires_grad=False,
    )  # fmt: skip
    want = output_values(expected).values
    values, fmt = want.astype(dtype), FORMATS[dtype]
    assert judge_output(expected, values, fmt).mismatch is None
    for place in map(tuple, np.argwhere(~np.isfinite(want))):
        wrong = values.copy()
        wrong[place] = number
        same = number == want[place] or (math.isnan(number) and math.isnan(want[place]))
        judgement = judge_output(expected, wrong, fmt)
        assert (judgement.mismatch is None) == same
        for finite in (0.0, float(np.finfo(dtype).max)):
            wrong[place] = finite
            assert mismatch_of(judge_output(expected, wrong, fmt)).index == place


def test_a_remembered_judgement_depends_on_all_that_it_is_given() -> None:
    """A judgement is another if expectation, bytes, format or quantity differs."""
    one, other = known(np.array([1.0, 2.0])), known(np.array([1.0, 3.0]))
    right, wrong = (np.array(each, dtype=np.float32).tobytes() for each in ([1, 2], [1, 3]))
    for _ in range(2):
        assert judge_tensor("weight", one, right, SINGLE).mismatch is None
        assert mismatch_of(judge_tensor("weight", one, wrong, SINGLE)).quantity == "weight"
        assert mismatch_of(judge_tensor("bias", one, wrong, SINGLE)).quantity == "bias"
        assert judge_tensor("weight", other, wrong, SINGLE).mismatch is None
