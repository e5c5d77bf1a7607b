"""NaN and infinity are accepted where the oracle expects them, and nowhere else."""

from __future__ import annotations

import math
from typing import NamedTuple, Set, Type

import numpy as np
import pytest

from cases.case import Case
from cases.variants import inf_channel, nan_channel
from oracle.expectations import expectations
from oracle.numerics.formats import FORMATS
from oracle.numerics.normalisation import output_values
from oracle.state import Tensor
from tests.comparison.judgement import judge
from tests.meta import fakes, installed
from tests.subject.module import eager
from tests.verdict.result import Result, run


def ran(case: Case, subject: Type[fakes.Base]) -> Result:
    return run(case, eager(subject), installed.RULES)


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("got", "want", "budget", "equal"),
    [
        (NAN, NAN, 0.0, True),
        (NAN, NAN, 1.0, True),
        (NAN, NAN, NAN, True),
        (INF, INF, 1.0, True),
        (-INF, -INF, NAN, True),
        (NAN, 1.0, 0.0, False),
        (NAN, 1.0, 1.0, False),
        (1.0, NAN, 1.0, False),
        (1.0, NAN, NAN, False),
        (NAN, INF, NAN, False),
        (INF, -INF, NAN, False),
        (1.0, INF, NAN, False),
        (INF, 1.0, 1.0, False),
        (1.0, INF, 1.0, False),
        (1.0, 2.0, NAN, False),
        (1.0, 2.0, INF, True),
        (NAN, 1.0, INF, True),
    ],
)
def test_nan_and_infinity_are_accepted_only_where_expected(
    got: float, want: float, budget: float, equal: bool
) -> None:
    arrays = (np.array([1.0, got, 2.0]), np.array([1.0, want, 2.0]), np.array([0.5, budget, 0.5]))
    judgement = judge("output", *arrays, FORMATS["float64"])
    assert (judgement.mismatch is None) == equal
    if judgement.mismatch is not None:
        assert judgement.mismatch.index == (1,)


@pytest.mark.parametrize("subject", [fakes.NaNEverywhere, fakes.InfinityEverywhere])
def test_a_subject_that_gives_no_number_fails_every_case(subject: Type[fakes.Base]) -> None:
    for case in installed.small():
        result = ran(case, subject)
        honest = ran(case, installed.BATCH_NORM)
        if honest.compared.get("output", 0):
            assert result.findings, case.id
            assert result.findings[0].mismatch.got in ("nan", "inf")


class Watched(NamedTuple):
    """The channels in which the oracle expects no finite number, and those where it accepts all."""

    nonfinite: Set[int]
    undetermined: Set[int]


def watched(case: Case) -> Watched:
    found = Watched(set(), set())
    for expected in expectations(case, installed.RULES):
        output = expected.output
        if output is not None and output.batch.values.size:
            values, _, undetermined = output_values(output)
            found.nonfinite.update(np.argwhere(~np.isfinite(values))[:, 1].tolist())
            found.undetermined.update(np.flatnonzero(undetermined).tolist())
        for entry in expected.state.entries():
            if isinstance(entry, Tensor):
                numbers = entry.numbers
                found.nonfinite.update(np.flatnonzero(~np.isfinite(numbers.values)).tolist())
                found.undetermined.update(np.flatnonzero(np.isinf(numbers.budget)).tolist())
    return found


def test_the_oracle_expects_nan_only_where_one_was_put() -> None:
    """The oracle expects NaN in the nonfinite lane, in the channels with the NaN and the infinity.

    A momentum outside [0, 1] can make the running variance negative, and its root a NaN.
    """
    seen = 0
    for case in installed.small():
        allowed = set()
        if case.variant.lane == "nonfinite":
            allowed = {nan_channel(case.variant.channels), inf_channel(case.variant.channels)}
        channels = watched(case).nonfinite
        if case.config.momentum not in (1.5, -0.5):
            assert channels <= allowed, case.id
        assert len(channels) < case.variant.channels
        seen += bool(channels)
    assert seen > 20


def test_almost_nothing_is_undetermined() -> None:
    """An infinite budget accepts everything, so it must be rare and have a reason."""
    cases = (*installed.small(), *installed.small_edges())
    found = [case.id for case in cases if watched(case).undetermined]
    assert "edge-momentum-momentum_inf" in found
    # A momentum outside [0, 1] may make a running variance so negative that adding eps gives 0.
    outside = {"momentum_1.5", "momentum_minus_0.5", "momentum_inf"}
    outside |= {word for case in cases for word in case.id.split("-") if word.startswith("extremes_")}
    # Among the extreme weights are some that float16 holds as infinities.
    outside |= {"extreme_eval_float16", "extreme_train_float16"}
    assert [each for each in found if not outside & set(each.split("-"))] == []
    assert len(found) < len(cases) / 200


def test_a_number_in_place_of_an_expected_nan_is_found() -> None:
    words = {"nonfinite", "affine", "track", "train_only"}
    case = next(c for c in installed.small() if words <= set(c.id.split("-")))
    result = ran(case, fakes.HealsBuffers)
    expected = {finding.mismatch.expected for finding in result.findings}
    assert {finding.mismatch.quantity for finding in result.findings} == {"running_mean", "running_var"}
    assert expected <= {"nan", "inf", "-inf"}
