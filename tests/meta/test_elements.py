"""Every element of every array is compared: four budgets off is a finding, half a budget is none."""

from __future__ import annotations

from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple, Type

import numpy as np
import pytest
import torch

from cases.attributes import TENSORS
from cases.case import Case
from cases.derivatives import GRADIENTS
from cases.steps import Copy, Forward
from oracle.accumulation import grad_values
from oracle.backward import gradient_values
from oracle.derivatives import derivative_values
from oracle.expectations import expectations
from oracle.expected_derivatives import DERIVATIVES
from oracle.numerics.normalisation import output_values
from oracle.semantics import Semantics
from oracle.state import Expected, State, Tensor
from tests.comparison.judgement import BUDGETED
from tests.comparison.step import compare
from tests.comparison.tally import Tally
from tests.meta import fakes, installed
from tests.subject.module import eager, observe
from tests.subject.observation import Observation
from tests.verdict.result import run

EXCESS = 4.0
GRADIENT_QUANTITIES = tuple(f"{name} gradient" for name in GRADIENTS)


def _array(expected: Expected, quantity: str) -> Optional[Tuple[np.ndarray, np.ndarray]]:
    """Return the expected value of a quantity, and its budget; None where there is no such array."""
    if quantity == "output":
        if expected.output is None or not expected.output.batch.values.size:
            return None
        return output_values(expected.output)[:2]
    if quantity in GRADIENT_QUANTITIES:
        gradient = (expected.gradients or (None,) * 3)[GRADIENT_QUANTITIES.index(quantity)]
        return None if gradient is None else gradient_values(gradient)[:2]
    if quantity in DERIVATIVES:
        further = {each.quantity: each for each in expected.derivatives}.get(quantity)
        return None if further is None else derivative_values(further)[:2]
    if quantity.endswith(".grad"):
        grad = dict(expected.state.grads()).get(quantity.partition(".")[0])
        return None if grad is None else grad_values(grad)[:2]
    tensor = expected.state.entry(quantity)
    assert tensor is None or isinstance(tensor, Tensor)
    return None if tensor is None else (tensor.numbers.values, tensor.numbers.budget)


def _moved(want: np.ndarray, budget: np.ndarray, dtype: str, index: Tuple[int, ...]) -> float:
    """Return the number of ``dtype`` that is off by four budgets and by one step of the dtype or more."""
    amount = max(EXCESS * float(budget[index]), float(np.spacing(np.abs(want[index]).astype(dtype))))
    return float(np.dtype(dtype).type(want[index] + 1.01 * amount))


def _usable(
    want: np.ndarray, budget: np.ndarray, dtype: str, turn: int
) -> Optional[Tuple[int, ...]]:
    """Return the index of the ``turn``-th element that can be moved, counted in a circle."""
    with np.errstate(over="ignore", invalid="ignore"):
        moved = np.abs(want) + 8 * budget
        fine = np.flatnonzero(np.isfinite(moved) & (moved < np.finfo(dtype).max))
    if not len(fine):
        return None
    return tuple(int(i) for i in np.unravel_index(fine[turn % len(fine)], want.shape))


class Shown(NamedTuple):
    """A step of a run: the state before it, the expectation, and the subject's observation."""

    before: Optional[State]
    expected: Expected
    got: Observation


def _steps(
    case: Case, subject: Type[torch.nn.Module] = installed.BATCH_NORM, rules: Semantics = installed.RULES
) -> List[Shown]:
    expected = expectations(case, rules)
    before = [None, *(each.state for each in expected)]
    return [Shown(*each) for each in zip(before, expected, observe(case, subject))]


def _arrays(quantity: str) -> Iterator[Tuple[str, Shown, np.ndarray, np.ndarray]]:
    """Return the dtype of the case, the step, the expected quantity after it, and its budget."""
    cases, subject, rules = installed.showing(quantity)
    for case in cases:
        for shown in _steps(case, subject, rules):
            array = _array(shown.expected, quantity)
            if array is not None:
                yield (case.variant.dtype, shown, *array)


def _with(got: Observation, quantity: str, values: np.ndarray) -> Observation:
    if quantity == "output":
        assert got.output is not None
        return got._replace(output=got.output._replace(values=values))
    if quantity in GRADIENT_QUANTITIES:
        assert got.gradients is not None
        gradients = list(got.gradients)
        number = GRADIENT_QUANTITIES.index(quantity)
        gradient = gradients[number]
        assert gradient is not None
        gradients[number] = gradient._replace(values=values)
        return got._replace(gradients=tuple(gradients))
    if quantity in DERIVATIVES:
        further = [
            (name, each._replace(values=values) if name == quantity else each)
            for name, each in got.derivatives
        ]
        return got._replace(derivatives=tuple(further))
    if quantity.endswith(".grad"):
        left = quantity.partition(".")[0]
        pairs = ((name, grad._replace(values=values) if name == left else grad) for name, grad in got.grads)
        return got._replace(grads=tuple(pairs))
    place = TENSORS.index(quantity)
    tensor = got.tensors[place]
    assert tensor is not None
    tensors = list(got.tensors)
    tensors[place] = tensor._replace(values=values)
    return got._replace(tensors=tuple(tensors))


@pytest.mark.parametrize("quantity", [*BUDGETED, "weight", "bias"])
def test_every_element_is_compared(quantity: str) -> None:
    """One element that is off by four budgets is a finding at its index, in every comparison.

    Elements take turns, so that every channel and place is covered; the rest of the observation is
    the subject's.
    """
    turn = checked = 0
    channels = set()
    for dtype, shown, want, budget in _arrays(quantity):
        index = _usable(want, budget, dtype, turn)
        if index is None:
            continue
        turn += 1
        values = want.astype(dtype)
        values[index] = _moved(want, budget, dtype, index)
        tally = Tally()
        compare(shown.before, shown.expected, _with(shown.got, quantity, values), tally)
        assert [(m.quantity, m.index, m.count) for m in tally.mismatches] == [(quantity, index, 1)]
        channels.add(index[1] if want.ndim == 4 else index[0])
        checked += 1
    print(f"{quantity}: {checked} comparisons, each with one element off; channels {sorted(channels)}")
    assert channels >= set(range(11))


@pytest.mark.parametrize("quantity", BUDGETED)
def test_half_a_budget_is_allowed(quantity: str) -> None:
    """An array that is off by half a budget, plus the rounding to the dtype, is no finding."""
    checked = 0
    for dtype, shown, want, budget in _arrays(quantity):
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.where(budget < np.inf, want + 0.5 * budget, want).astype(dtype)
        tally = Tally()
        compare(shown.before, shown.expected, _with(shown.got, quantity, values), tally)
        assert tally.mismatches == []
        checked += 1
    assert checked >= 64


def _plan(case: Case, quantity: str) -> Optional[Dict[int, Tuple[Tuple[int, ...], float]]]:
    """Return, for the last forward, which element to move and to what number."""
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


@pytest.mark.parametrize("quantity", ["output", "running_mean", "running_var"])
def test_a_subject_four_budgets_off_is_found(
    quantity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The subject is real and right except for one element after one forward of each case."""
    monkeypatch.setattr(fakes.Nudged, "quantity", quantity)
    caught = 0
    for case in installed.small():
        plan = _plan(case, quantity)
        if plan is None:
            continue
        monkeypatch.setattr(fakes.Nudged, "plan", plan, raising=False)
        monkeypatch.setattr(fakes.Nudged, "forwards", 0)
        result = run(case, eager(fakes.Nudged), installed.RULES)
        ((_, (index, _)),) = plan.items()
        found = [(finding.mismatch.quantity, finding.mismatch.index) for finding in result.findings]
        assert found == [(quantity, index)], case.id
        caught += 1
    print(f"{quantity}: found in {caught} of {len(installed.small())} cases, at the very element")
    assert caught > 100


def test_a_nudge_of_nothing_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """This is the control: with an empty plan the fake is right, copied and pickled modules included."""
    monkeypatch.setattr(fakes.Nudged, "plan", {}, raising=False)
    copied = [case for case in installed.small() if any(isinstance(s, Copy) for s in case.steps)]
    assert copied
    for case in copied:
        assert run(case, eager(fakes.Nudged), installed.RULES).findings == ()
