"""Budgets are two-sided: wide enough for every correct implementation, and not wider than sixteen times that.

What these tests change about budgets, they change in ``judge``, which judges every array; what they change
about numbers, in the subject or in what it showed.
"""

from __future__ import annotations

from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np
import pytest

from cases import catalogue
from cases.attributes import TENSORS
from cases.case import Case
from cases.steps import Copy, Forward
from oracle.expectations import expectations
from oracle.numerics import bounds
from oracle.numerics.formats import FORMATS, Format
from oracle.numerics.normalisation import output_values
from oracle.state import Expected, State, Tensor
from tests.comparison import judgement
from tests.comparison.judgement import BUDGETED
from tests.comparison.step import compare
from tests.comparison.tally import Tally
from tests.meta import fakes, installed
from tests.subject.module import observe
from tests.subject.observation import Observation
from tests.verdict.result import run

SHRINK = 16.0
EXCESS = 4.0

Where = Tuple[str, str, str]
"""Quantity (of outputs with the mode), lane, dtype."""


@pytest.fixture
def shrink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Divides the budgets of every comparison by a factor."""
    real = judgement.judge

    def divide(factor: float) -> None:
        def stricter(
            quantity: str, got: np.ndarray, want: np.ndarray, budget: np.ndarray, fmt: Format
        ) -> judgement.Judgement:
            return real(quantity, got, want, budget / factor, fmt)

        judgement.judge_tensor.cache_clear()
        monkeypatch.setattr(judgement, "judge", stricter)

    yield divide
    judgement.judge_tensor.cache_clear()


class Survey(NamedTuple):
    """What a run over the smoke tier found, and what each quantity's worst case can notice."""

    broken: Dict[Where, List[str]]
    findings: int
    detectable: Dict[str, Tuple[float, str]]


def survey(cases: Iterable[Case]) -> Survey:
    """Runs torch's own BatchNorm2d over the cases."""
    found: Dict[Where, List[str]] = {}
    worst: Dict[str, Tuple[float, str]] = {}
    findings = 0
    for case in cases:
        expected = expectations(case, installed.RULES)
        result = run(case, installed.BATCH_NORM, installed.RULES)
        findings += bool(result.findings)
        for finding in result.findings:
            quantity = finding.mismatch.quantity
            if quantity == "output":
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
    return survey(installed.smoke())


def test_nothing_breaks_an_unshrunk_budget(honest: Survey) -> None:
    assert honest.findings == 0


def test_dividing_by_one_changes_nothing(shrink: Callable[[float], None]) -> None:
    """The control: what breaks below breaks because of the factor."""
    shrink(1.0)
    assert survey(installed.small()).findings == 0


def test_a_sixteenth_of_the_budget_is_not_enough(shrink: Callable[[float], None]) -> None:
    """For every budgeted quantity, in both modes, in both dtypes."""
    shrink(SHRINK)
    found = survey(installed.small()).broken
    for where, ids in sorted(found.items()):
        print(f"{len(ids):4} cases break a sixteenth of the budget of {', '.join(where)}")
    seen = {(quantity, dtype) for quantity, lane, dtype in found}
    quantities = ("output in train mode", "output in eval mode", "running_mean", "running_var")
    assert seen >= {(q, dtype) for q in quantities for dtype in ("float32", "float64")}
    assert {quantity.split()[0] for quantity, _ in seen} == set(BUDGETED)


# --- no budget is vacuous ---------------------------------------------------------------------


def show(worst: Dict[str, Tuple[float, str]]) -> None:
    for quantity, (relative, case_id) in worst.items():
        print(f"{quantity}: a relative error of {relative:.3g} is noticed at worst, by {case_id}")


def test_every_smoke_case_can_notice_something(honest: Survey) -> None:
    show(honest.detectable)
    assert set(honest.detectable) == set(BUDGETED)
    assert max(honest.detectable.values())[0] < 1.0


@pytest.mark.long
def test_every_gate_case_can_notice_something() -> None:
    ids = [each for family in catalogue.FAMILIES for each in catalogue.ids(family, "gate")]
    worst = survey(map(catalogue.find, ids)).detectable
    show(worst)
    assert set(worst) == set(BUDGETED)
    assert max(worst.values())[0] < 1.0


# --- four budgets are found, half a budget is not ---------------------------------------------


def _array(expected: Expected, quantity: str) -> Optional[Tuple[np.ndarray, np.ndarray]]:
    """What is expected of a quantity, and its budget; None where there is no such array."""
    if quantity == "output":
        if expected.output is None or not expected.output.batch.values.size:
            return None
        return output_values(expected.output)[:2]
    tensor = expected.state.entry(quantity)
    assert tensor is None or isinstance(tensor, Tensor)
    return None if tensor is None else (tensor.numbers.values, tensor.numbers.budget)


def _moved(want: np.ndarray, budget: np.ndarray, dtype: str, index: Tuple[int, ...]) -> float:
    """The number of ``dtype`` that is off by at least four budgets, and by one step of the dtype."""
    amount = max(EXCESS * float(budget[index]), float(np.spacing(np.abs(want[index]).astype(dtype))))
    return float(np.dtype(dtype).type(want[index] + 1.01 * amount))


def _usable(
    want: np.ndarray, budget: np.ndarray, dtype: str, turn: int
) -> Optional[Tuple[int, ...]]:
    """The index of the ``turn``-th element that can be moved, counted in a circle."""
    with np.errstate(over="ignore", invalid="ignore"):
        moved = np.abs(want) + 8 * budget
        fine = np.flatnonzero(np.isfinite(moved) & (moved < np.finfo(dtype).max))
    if not len(fine):
        return None
    return tuple(int(i) for i in np.unravel_index(fine[turn % len(fine)], want.shape))


class Shown(NamedTuple):
    """One step of a run: the state before it, what was expected, and what torch gave."""

    before: Optional[State]
    expected: Expected
    got: Observation


def _steps(case: Case) -> List[Shown]:
    expected = expectations(case, installed.RULES)
    before = [None, *(each.state for each in expected)]
    return [Shown(*each) for each in zip(before, expected, observe(case, installed.BATCH_NORM))]


def _with(got: Observation, quantity: str, values: np.ndarray) -> Observation:
    if quantity == "output":
        assert got.output is not None
        return got._replace(output=got.output._replace(values=values))
    place = TENSORS.index(quantity)
    tensor = got.tensors[place]
    assert tensor is not None
    tensors = list(got.tensors)
    tensors[place] = tensor._replace(values=values)
    return got._replace(tensors=tuple(tensors))


@pytest.mark.parametrize("quantity", [*BUDGETED, "weight", "bias"])
def test_every_element_is_compared(quantity: str) -> None:
    """One element off by four budgets is a finding at its index, in every comparison.

    Elements take turns, so that every channel and place comes by; the rest of the observation is torch's.
    """
    turn = checked = 0
    channels = set()
    for case in installed.small():
        dtype = case.variant.dtype
        for shown in _steps(case):
            array = _array(shown.expected, quantity)
            if array is None:
                continue
            want, budget = array
            index = _usable(want, budget, dtype, turn)
            if index is None:
                continue
            turn += 1
            values = want.astype(dtype)
            values[index] = _moved(want, budget, dtype, index)
            tally = Tally()
            compare(shown.before, shown.expected, _with(shown.got, quantity, values), tally)
            assert [(m.quantity, m.index, m.count) for m in tally.mismatches] == [(quantity, index, 1)]
            channels.add(index[1] if quantity == "output" else index[0])
            checked += 1
    print(f"{quantity}: {checked} comparisons, each with one element off; channels {sorted(channels)}")
    assert channels == set(range(11))


@pytest.mark.parametrize("quantity", BUDGETED)
def test_half_a_budget_is_allowed(quantity: str) -> None:
    """Everything off by half a budget, plus the rounding to the dtype, is no finding."""
    checked = 0
    for case in installed.small():
        dtype = case.variant.dtype
        for shown in _steps(case):
            array = _array(shown.expected, quantity)
            if array is None:
                continue
            want, budget = array
            with np.errstate(over="ignore", invalid="ignore"):
                values = np.where(budget < np.inf, want + 0.5 * budget, want).astype(dtype)
            tally = Tally()
            compare(shown.before, shown.expected, _with(shown.got, quantity, values), tally)
            assert tally.mismatches == []
            checked += 1
    assert checked > 100


def _plan(case: Case, quantity: str) -> Optional[Dict[int, Tuple[Tuple[int, ...], float]]]:
    """For the last forward: which element to move, and to where."""
    forward = -1
    plan = None
    for step, shown in zip((None, *case.steps), _steps(case)):
        if not isinstance(step, Forward):
            continue
        forward += 1
        array = _array(shown.expected, quantity)
        if array is None or shown.expected.output is None:
            continue
        index = _usable(*array, case.variant.dtype, len(case.id))
        if index is not None:
            plan = {forward: (index, _moved(*array, case.variant.dtype, index))}
    return plan


@pytest.mark.parametrize("quantity", BUDGETED)
def test_a_subject_four_budgets_off_is_found(
    quantity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real module, right but for one element after one forward of each case."""
    monkeypatch.setattr(fakes.Nudged, "quantity", quantity)
    caught = 0
    for case in installed.small():
        plan = _plan(case, quantity)
        if plan is None:
            continue
        monkeypatch.setattr(fakes.Nudged, "plan", plan, raising=False)
        monkeypatch.setattr(fakes.Nudged, "forwards", 0)
        result = run(case, fakes.Nudged, installed.RULES)
        ((_, (index, _)),) = plan.items()
        found = [(finding.mismatch.quantity, finding.mismatch.index) for finding in result.findings]
        assert found == [(quantity, index)], case.id
        caught += 1
    print(f"{quantity}: found in {caught} of {len(installed.small())} cases, at the very element")
    assert caught > 100


def test_a_nudge_of_nothing_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the fake is right when its plan is empty, copied and pickled modules included."""
    monkeypatch.setattr(fakes.Nudged, "plan", {}, raising=False)
    copied = [case for case in installed.small() if any(isinstance(s, Copy) for s in case.steps)]
    assert copied
    for case in copied:
        assert run(case, fakes.Nudged, installed.RULES).findings == ()


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
