"""Budgets are two-sided: wide enough for every correct implementation, and at most sixteen times that.

These tests change budgets in ``judge``, which judges every array. They change numbers in the subject or
in its observation.
"""

from __future__ import annotations

from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np
import pytest

from cases import catalogue
from cases.case import Case
from oracle.expectations import expectations
from oracle.numerics import bounds
from oracle.numerics.formats import FORMATS, Format
from tests.comparison import judgement
from tests.comparison.judgement import BUDGETED
from tests.meta import installed
from tests.meta.installed import Subjected
from tests.subject.module import eager
from tests.verdict.result import run

SHRINK = 16.0
FORWARD = ("output", "running_mean", "running_var")
"""The quantities without cancellation. A gradient may be all rounding, such as that of two values."""

Where = Tuple[str, str, str]
"""Quantity (with the mode for outputs), lane and dtype."""


@pytest.fixture
def shrink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float, Sequence[str]], None]]:
    """Divide the budgets of some quantities by a factor."""
    real = judgement.judge

    def divide(factor: float, quantities: Sequence[str]) -> None:
        def stricter(
            quantity: str, got: np.ndarray, want: np.ndarray, budget: np.ndarray, fmt: Format
        ) -> judgement.Judgement:
            divisor = factor if quantity in quantities else 1.0
            return real(quantity, got, want, budget / divisor, fmt)

        judgement.judge_tensor.cache_clear()
        monkeypatch.setattr(judgement, "judge", stricter)

    yield divide
    judgement.judge_tensor.cache_clear()


class Survey(NamedTuple):
    """The findings of a run over the smoke tier, and what each quantity's worst case can detect."""

    broken: Dict[Where, List[str]]
    findings: int
    detectable: Dict[str, Tuple[float, str]]


def survey(cases: Iterable[Case], *others: Subjected) -> Survey:
    """Run torch's own BatchNorm2d over the cases, and other subjects over theirs."""
    found: Dict[Where, List[str]] = {}
    worst: Dict[str, Tuple[float, str]] = {}
    findings = 0
    runs = (Subjected(tuple(cases)), *others)
    for case, subject, rules in ((case, each.subject, each.rules) for each in runs for case in each.cases):
        expected = expectations(case, rules)
        result = run(case, eager(subject), rules)
        findings += bool(result.findings)
        for finding in result.findings:
            quantity = finding.mismatch.quantity
            if quantity in ("output", "input gradient"):
                training = expected[finding.step].state.training
                quantity += " in train mode" if training else " in eval mode"
            found.setdefault((quantity, case.variant.lane, case.variant.dtype), []).append(case.id)
        for quantity, margins in result.margins.items():
            if np.isfinite(margins.detectable):
                most = worst.get(quantity, (0.0, ""))
                worst[quantity] = max(most, (margins.detectable, case.id))
    return Survey(found, findings, worst)


@pytest.fixture(scope="module")
def honest() -> Survey:
    return survey((*installed.smoke(), *installed.differentiated()), installed.thrice())


def test_nothing_breaks_an_unshrunk_budget(honest: Survey) -> None:
    assert honest.findings == 0


def test_dividing_by_one_changes_nothing(shrink: Callable[[float, Sequence[str]], None]) -> None:
    """This is the control: the findings of the next test are due to the factor."""
    cases = (*installed.small(), *installed.differentiated())
    shrink(1.0, BUDGETED)
    assert survey(cases, installed.thrice()).findings == 0


@pytest.mark.parametrize("quantity", BUDGETED)
def test_a_sixteenth_of_the_budget_is_not_enough(
    quantity: str, shrink: Callable[[float, Sequence[str]], None]
) -> None:
    """The test covers every budgeted quantity, in both modes, in both dtypes."""
    showing = installed.showing(quantity)  # before budgets shrink: it has the cases that pass
    shrink(SHRINK, [quantity])
    found = survey((), showing).broken
    for where, ids in sorted(found.items()):
        print(f"{len(ids):4} cases break a sixteenth of the budget of {', '.join(where)}")
    seen = {(label, dtype) for label, lane, dtype in found if dtype in installed.WIDE}
    by_mode = quantity in ("output", "input gradient")
    modes = [f"{quantity} in {mode} mode" for mode in ("train", "eval")] if by_mode else [quantity]
    assert seen == {(label, dtype) for label in modes for dtype in installed.WIDE}


# --- no budget is vacuous ---------------------------------------------------------------------


def show(worst: Dict[str, Tuple[float, str]]) -> None:
    for quantity, (relative, case_id) in worst.items():
        print(f"{quantity}: a relative error of {relative:.3g} is noticed at worst, by {case_id}")


def test_every_smoke_case_can_notice_something(honest: Survey) -> None:
    show(honest.detectable)
    assert set(honest.detectable) == set(BUDGETED)
    assert max(honest.detectable[each] for each in FORWARD)[0] < 1.0


@pytest.mark.long
def test_every_gate_case_can_notice_something() -> None:
    ids = [each for family in catalogue.FAMILIES for each in catalogue.ids(family, "gate")]
    worst = survey(map(catalogue.find, ids)).detectable
    show(worst)
    assert set(worst) == set(BUDGETED)
    assert max(worst[each] for each in FORWARD)[0] < 1.0


# --- the formulas -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "grow",
    [
        lambda f: bounds.mean(np.array([2.0]), np.array([3.0]), 8.0, f),
        lambda f: bounds.biased_variance(np.array([2.0]), np.array([3.0]), np.array([1e-7 * f.unit]), 8.0, f),
        lambda f: bounds.unbiased_variance(np.array([2.0]), np.array([8 * f.unit]), 8, f),
        lambda f: bounds.running(np.ones(1), np.zeros(1), np.ones(1), np.zeros(1), 0.1, f),
    ],
    ids=["mean", "biased variance", "unbiased variance", "running"],
)
def test_a_budget_grows_with_the_unit_roundoff(grow: Callable[[Format], np.ndarray]) -> None:
    single, double = FORMATS["float32"], FORMATS["float64"]
    assert 0.0 < grow(double)[0] < grow(single)[0] < 1e-4
