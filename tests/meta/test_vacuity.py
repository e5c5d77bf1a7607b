"""A pass means something: faults planted in subject, comparison and run are each noticed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Callable, Dict, Iterable, List, Sequence, Type

import pytest

from cases import catalogue
from cases.attributes import FLAGS, TENSORS
from cases.case import Case
from cases.derivatives import GRADIENTS
from cases.steps import Forward, Mode, SetAttribute
from oracle.expected_derivatives import DERIVATIVES
from oracle.state import Expected, State
from tests.comparison.judgement import Judgement
from tests.comparison.tally import Names, Tally
from tests.meta import fakes, installed
from tests.subject.observation import Observation
from tests.verdict import result as results
from tests.verdict.completeness import IncompleteCase
from tests.verdict.result import Result


def quantities(result: Result) -> List[str]:
    return [finding.mismatch.quantity for finding in result.findings]


# --- the mode is not applied ------------------------------------------------------------------


def test_a_mode_that_is_not_applied_is_an_error() -> None:
    """The error is at the very step that should have applied it."""
    checked = 0
    for case in installed.small():
        modes = [n for n, step in enumerate(case.steps, 1) if step == Mode(False)]
        if not modes or "training_attribute" in case.id:  # the mode may be applied already
            continue
        result = installed.ran(case, fakes.DeafToModes)
        assert "training" in quantities(result), case.id
        assert result.findings[0].step <= modes[0]
        checked += 1
    assert checked > 50


def test_a_training_flag_that_lies_is_an_error() -> None:
    for case in installed.small():
        if Mode(False) in case.steps:
            assert "training" in quantities(installed.ran(case, fakes.SaysTraining)), case.id


def test_a_mode_that_is_only_shown_is_an_error() -> None:
    """``training`` reads as it should; the numbers are those of train mode."""
    caught = [case for case in installed.small() if installed.ran(case, fakes.ActsTraining).findings]
    sensitive = [
        case
        for case in installed.small()
        if case.config.track_running_stats and "eval_only" in case.id.split("-")
        and not any(isinstance(step, SetAttribute) or "drop_running" in case.id for step in case.steps)
    ]  # fmt: skip
    assert len(sensitive) > 3
    assert {case.id for case in sensitive} <= {case.id for case in caught}


# --- a quantity is not compared ---------------------------------------------------------------


Equal = Callable[[Tally, Names, Sequence[object], Sequence[object]], None]


def without(quantity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop comparing and counting one quantity."""
    equal, matches, judged = Tally.equal, Tally.matches, Tally.judged

    def holed(tally: Tally, names: Names, got: Sequence[object], want: Sequence[object]) -> None:
        kept = [each for each in zip(names, got, want) if each[0] != quantity]
        if kept:
            equal(tally, *map(tuple, zip(*kept)))

    def unmatched(tally: Tally, name: str, agrees: bool, got: str, want: str) -> None:
        if name != quantity:
            matches(tally, name, agrees, got, want)

    def unjudged(tally: Tally, name: str, judgement: Judgement) -> None:
        if name != quantity:
            judged(tally, name, judgement)

    monkeypatch.setattr(Tally, "equal", holed)
    monkeypatch.setattr(Tally, "matches", unmatched)
    monkeypatch.setattr(Tally, "judged", unjudged)


ASPECTS = (
    "",
    " is the same object",
    " has a grad_fn",
    " requires_grad",
    " dtype",
    " shape",
    " present",
)
OUTPUT = ("", "_dtype", "_shape", "_shares_input", "_requires_grad")
GRADIENT = ("", " dtype", " shape", " strides", " requires_grad", " shares memory", " present")
GRAD = ("", " dtype", " shape", " strides", " requires_grad")
COMPARED = (
    "exception",
    "input_changed",
    "earlier_output_changed",
    "memory shared with the original",
    "output present",
    "output_strides contiguous",
    "text",
    *(f"output{aspect}" for aspect in OUTPUT),
    *(f"{name}{aspect}" for name in TENSORS for aspect in ASPECTS),
    "gradients present",
    "grads present",
    "derivatives present",
    *(f"{name}{aspect}" for name in DERIVATIVES for aspect in ("", " dtype", " shape")),
    *(f"{name}.grad{aspect}" for name in (*GRADIENTS, "running_mean", "running_var") for aspect in GRAD),
    *(f"{name} gradient{aspect}" for name in GRADIENTS for aspect in GRADIENT),
    *FLAGS,
)
"""Every quantity that is compared."""


@lru_cache(maxsize=None)
def telling() -> Dict[str, Case]:
    """Return for every compared quantity the first case without findings that compares it."""
    found: Dict[str, Case] = {}
    for case in (*installed.small(), *installed.edges()[:75], *installed.differentiated()):
        result = installed.ran(case, installed.BATCH_NORM)
        for quantity in () if result.findings else result.compared:
            found.setdefault(quantity, case)
    return found


def test_the_list_of_quantities_is_whole() -> None:
    """The list has all quantities that the suite compares."""
    assert set(telling()) - {"output_strides channels_last"} == set(COMPARED)


@pytest.mark.parametrize("quantity", COMPARED)
def test_a_quantity_that_is_not_compared_is_noticed(
    quantity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = telling()[quantity]
    without(quantity, monkeypatch)
    with pytest.raises(IncompleteCase, match=f"{quantity} was compared [0-9]+ times"):
        installed.ran(case, installed.BATCH_NORM)


def in_one_step(number: int, quantity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out one quantity in the step with this number alone."""
    real, calls = results.compare, [0]

    def planted(before: State, expected: Expected, got: Observation, tally: Tally) -> None:
        with monkeypatch.context() as here:
            if calls[0] == number:
                without(quantity, here)
            calls[0] += 1
            real(before, expected, got, tally)

    monkeypatch.setattr(results, "compare", planted)


@pytest.mark.parametrize("number", [0, 2, 5])
@pytest.mark.parametrize("quantity", ["training", "weight", "exception", "running_mean shape"])
def test_a_hole_in_one_step_alone_is_noticed(
    quantity: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count decides, not whether the quantity was ever compared."""
    case = installed.example("affine", "track", "train_only")
    in_one_step(number, quantity, monkeypatch)
    with pytest.raises(IncompleteCase, match=rf"{quantity} was compared {len(case.steps)} times"):
        installed.ran(case, installed.BATCH_NORM)


def test_a_hole_in_one_output_alone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    case = installed.example("affine", "track", "train_only")
    forward = next(n for n, step in enumerate(case.steps, 1) if isinstance(step, Forward))
    in_one_step(forward, "output", monkeypatch)
    with pytest.raises(IncompleteCase, match=r"output was compared \d+ times"):
        installed.ran(case, installed.BATCH_NORM)


# --- early returns ----------------------------------------------------------------------------

EARLY = [
    (fakes.ReturnsInput, {"output_strides contiguous", "output_shares_input", "output_requires_grad", "output", "running_mean", "exception"}),
    (fakes.ReturnsCopy, {"output", "output_requires_grad", "output_strides contiguous", "input gradient strides"}),
    (fakes.ReturnsZeros, {"output", "input gradient"}),
    (fakes.ReturnsNothing, {"exception"}),
    (fakes.ReturnsText, {"exception"}),
    (fakes.ReturnsEmpty, {"output_shape"}),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "seen_in"), EARLY, ids=[each.__name__ for each, _ in EARLY])
def test_a_subject_that_returns_early_fails_every_case(
    subject: Type[fakes.Base], seen_in: Iterable[str]
) -> None:
    for case in installed.small():
        honest = installed.ran(case, installed.BATCH_NORM)
        # Every output of an expanded input may be 0.
        if not honest.compared.get("output", 0) or "x_expanded" in case.id:
            continue
        result = installed.ran(case, subject)
        assert result.findings, case.id
        assert result.findings[0].mismatch.quantity in seen_in


def test_buffers_of_another_dtype_are_found() -> None:
    """The right values are not enough: the state dict of such a module is another."""
    case = installed.example("affine", "track", "float32")
    assert quantities(installed.ran(case, fakes.WideBuffers)) == ["running_mean dtype", "running_var dtype"]


# --- a tensor that agrees again ---------------------------------------------------------------


class ReboundBySetting(fakes.Base):
    """Replaces running_mean by an equal tensor whenever an attribute is set."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        mean = self.__dict__.get("_buffers", {}).get("running_mean")
        if name == "eps" and mean is not None:
            self._buffers["running_mean"] = mean.clone()


@pytest.mark.parametrize("times", [1, 2])
def test_what_agreed_before_is_looked_at_again(times: int) -> None:
    """Equal numbers in another object are a finding, the first time and later."""
    settings = ",".join(f"set:eps:0.{n}" for n in range(1, times + 1))
    quiet = "set:momentum:0.5," * (times - 1)
    case = catalogue.find(f"steps-affine-track-momentum_0.1-bounded-n8-float32-{quiet}{settings}")
    result = installed.ran(case, ReboundBySetting)
    assert quantities(result) == ["running_mean is the same object"]
    assert result.findings[0].step == times
