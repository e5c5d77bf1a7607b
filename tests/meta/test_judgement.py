"""A judgement does not depend on how an output is cut up, nor on what was known of it beforehand."""

from __future__ import annotations

from itertools import product
from typing import Tuple

import numpy as np
import pytest

from cases.inputs import batch
from cases.variants import LANES, SHAPES, Variant
from oracle import normalisation
from oracle.averaging import constant
from oracle.normalisation import LARGE, ExpectedOutput
from oracle.statistics import statistics
from tests import arrays
from tests.judgement import EXACT, judge, judge_few


def expected(variant: Variant, name: str = "b1") -> ExpectedOutput:
    """Of a train-mode forward, not remembered by anything."""
    given = batch(variant, name)
    found = statistics(given)
    half = constant(0.5, given.values.shape[1])
    return ExpectedOutput(given, found.mean, found.biased_variance, half, half, 1e-5, "contiguous")


@pytest.mark.parametrize(
    "shape", [*SHAPES.values(), (1, 1, 1, 100_000), (3, 2, 5, 9_000), (50_000, 1, 1, 1)]
)
def test_blocks_have_every_number_once(shape: Tuple[int, ...]) -> None:
    times = np.zeros(shape, dtype=np.int64)
    for where in arrays._blocks(shape):
        times[where] += 1
        assert times[where].size <= LARGE or times[where].size == shape[3]
    assert (times == 1).all()


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("off", [0.0, 0.3, -0.9, 3.0, np.nan, np.inf])
@pytest.mark.parametrize("in_ulps", [False, True])
def test_what_is_known_beforehand_changes_nothing(lane: str, off: float, in_ulps: bool) -> None:
    """Right outputs and wrong ones: an element ``off`` by so much of its budget."""
    variant = Variant(lane, "n30", "float64")
    alone, prepared = expected(variant), expected(variant)
    arrays.prepare([prepared, expected(variant, "b0")])
    values, budget, _ = (np.array(each) for each in alone.numbers())
    values[1, 2, 0, 1] += off * budget[1, 2, 0, 1]
    without, with_it = (
        arrays.judge_output(each, values, in_ulps) for each in (alone, prepared)
    )
    assert repr(without) == repr(with_it)  # a NaN is not equal to itself
    assert (without.mismatch is None) == (abs(off) < 1)
    known = arrays._last_small(prepared).known
    assert known is not None
    assert known.detectable == without.detectable or without.mismatch is not None


def test_nothing_is_known_beforehand_where_anything_conforms() -> None:
    """A variance of 0 without eps leaves an output undetermined."""
    given = batch(Variant("bounded", "n8", "float32"), "constant")
    found = statistics(given)
    output = ExpectedOutput(given, found.mean, found.biased_variance, None, None, 0.0, "contiguous")
    normalisation.settle([found.mean, found.biased_variance])
    arrays.prepare([output])
    assert arrays._last_small(output).known is None
    anything = np.full(given.values.shape, 17.0, dtype=np.float32)
    assert arrays.judge_output(output, anything, False).mismatch is None


NAN, INF = float("nan"), float("inf")
ELEMENTS = [
    (1.0, 1.0, 0.0),
    (1.0, 1.0, 0.5),
    (1.25, 1.0, 0.5),
    (0.75, 1.0, 0.5),
    (1.5, 1.0, 0.5),
    (2.0, 1.0, 0.0),
    (0.0, 0.0, 0.0),
    (0.0, 0.0, 0.25),
    (0.125, 0.0, 0.25),
    (1.0, 2.0, INF),
    (NAN, NAN, NAN),
    (NAN, NAN, 0.0),
    (NAN, NAN, 1.0),
    (NAN, 1.0, 1.0),
    (1.0, NAN, NAN),
    (INF, INF, NAN),
    (INF, INF, 0.0),
    (-INF, INF, NAN),
    (INF, 1.0, 1.0),
    (INF, 1.0, INF),
]
"""Got, wanted and budget."""


@pytest.mark.parametrize("length", [1, 2, 3])
def test_few_numbers_are_judged_as_many_are(length: int) -> None:
    """What agrees without NumPy agrees with it, and is told the same; what it says nothing of may."""
    told = 0
    for elements in product(ELEMENTS, repeat=length):
        got, want, budget = (list(column) for column in zip(*elements))
        both = np.array(got), np.array(want), np.array(budget)
        judgement = judge("running_mean", *both, False)
        briefly = judge_few(got, want, budget)
        if briefly is None:
            continue
        told += 1
        assert judgement.mismatch is None, elements
        if EXACT in (judgement, briefly):
            assert judgement is briefly is EXACT
            continue
        assert (min(0.0, judgement.share[0]), max(0.0, judgement.share[1])) == briefly.share
        assert judgement.detectable == briefly.detectable
    assert told >= 6**length


def test_nan_without_budgets_is_exact() -> None:
    got = np.array([NAN, 1.0], dtype=np.float32)
    want = np.array([NAN, 1.0])
    assert judge("running_mean", got, want, np.zeros(2), False) is EXACT


def test_a_large_output_is_judged_to_its_last_part() -> None:
    whole = expected(Variant("bounded", "n102400", "float32"), "b0")
    want, budget, _ = whole.numbers()
    values = want.astype(np.float32)
    judgement = arrays.judge_output(whole, values, False)
    assert judgement.mismatch is None
    assert judgement.detectable == (budget / np.abs(want)).min()
    other = values.copy()
    other[3, 2, 159, 159] *= 2
    wrong = arrays.judge_output(whole, other, False).mismatch
    assert wrong is not None
    assert wrong.index == (3, 2, 159, 159)
