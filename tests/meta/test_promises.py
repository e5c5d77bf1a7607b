"""A promise decides what is compared: nothing else, and nothing less."""

from __future__ import annotations

import dataclasses
from typing import Any, List, Optional, Set

import pytest
import torch

from cases import catalogue
from cases.attributes import TENSORS
from cases.case import Case
from cases.derivatives import GRADIENTS
from oracle.expectations import expectations
from reports.rows import CPU, FINDING, MODULE, NOT_APPLICABLE, PASS, PROMISES, STATE, VALUES
from tests.comparison import step
from tests.comparison.judgement import BUDGETED
from tests.comparison.promises import NUMBERS, QUANTITIES, kept, promised
from tests.meta import failing, fakes, installed
from tests.meta.liars import honest, hunt
from tests.meta.roundings import ROUNDINGS
from tests.subject import classes
from tests.subject.errors import SubjectError
from tests.subject.module import eager
from tests.subject.paths import taken
from tests.subject.paths.path import tensors
from tests.subject.subject import Unoffered
from tests.verdict.completeness import implied
from tests.verdict.program import UNPROMISED
from tests.verdict.result import run
from tests.verdict.verdict import adjudicate

START = "steps-affine-track-momentum_0.1-bounded-n8-float32-"


def comparable() -> Set[str]:
    """Return every quantity that the comparison has a name for."""
    tables = (step.OUTPUT, step.PRESENT, step.FACTS, step.GRADIENT, step.GRAD, step.DERIVATIVE)
    names = {name for table in tables for group in table.values() for name in group}
    names |= {step.EXCEPTION, step.TEXT, step.SHARED, *step.STEP, *BUDGETED, *TENSORS}
    return names | {f"{name} gradient present" for name in GRADIENTS}


def test_every_quantity_belongs_to_one_promise() -> None:
    """The table has all that can be compared and nothing else; ``test_vacuity`` says what is compared."""
    assert set(QUANTITIES) == comparable()
    assert set(QUANTITIES.values()) == set(PROMISES)


def test_what_a_run_compares_is_in_the_table() -> None:
    for case in (*installed.small()[::25], *installed.differentiated()[::9]):
        assert set(run(case, eager(installed.BATCH_NORM), installed.RULES).compared) <= set(QUANTITIES)


def test_each_promise_includes_the_one_before() -> None:
    for name in QUANTITIES:
        held = [promised(name, promise) for promise in PROMISES]
        assert held == sorted(held)
        assert held[-1]
    assert kept(("output", "training", "text"), STATE) == (True, True, False)


def test_numbers_and_their_shapes_are_values() -> None:
    for name in NUMBERS:
        assert promised(name, VALUES)
        assert promised("output_shape" if name == "output" else f"{name} shape", VALUES)
    assert not [name for name, promise in QUANTITIES.items() if promise == VALUES and "dtype" in name]


@pytest.mark.parametrize("promise", PROMISES)
def test_exactly_what_is_promised_is_compared(promise: str) -> None:
    subject = eager(installed.BATCH_NORM, promise=promise)
    for case in (*installed.small()[::9], *installed.differentiated()[::9]):
        compared = run(case, subject, installed.RULES).compared
        there = {name for name in compared if compared[name]}
        assert {name for name in there if not promised(name, promise)} == set()
        right = expectations(case, installed.RULES)
        assert {name for name, times in implied(case, right, promise).items() if times} <= there


def outcomes(subject: type, case_id: str) -> List[str]:
    """Return the outcome at each promise."""
    case = catalogue.find(case_id)
    return [
        adjudicate(case, eager(subject, promise=promise), installed.RULES, strict_defects=False).outcome
        for promise in PROMISES
    ]


@pytest.mark.parametrize(
    ("subject", "program", "expected"),
    [
        (fakes.NoEps, "forward:b0", [FINDING, FINDING, FINDING]),
        (fakes.NotCounted, "forward:b0", [PASS, FINDING, FINDING]),
        (fakes.WrongDtype, "forward:b0", [PASS, PASS, FINDING]),
        (fakes.SharesMemory, "deepcopy,forward:b0", [PASS, PASS, FINDING]),
        (fakes.ReturnsNothing, "forward:b0", [FINDING, FINDING, FINDING]),
        (fakes.AlwaysFails, "forward:b0", [FINDING, FINDING, FINDING]),
        (fakes.ReturnsEmpty, "forward:b0", [FINDING, FINDING, FINDING]),
    ],
)
def test_a_fault_is_found_from_the_promise_on_that_includes_it(
    subject: type, program: str, expected: List[str]
) -> None:
    assert outcomes(subject, START + program) == expected


class OtherWords(fakes.Base):
    """Raises another exception than torch where torch raises."""

    def forward(self, x: Any) -> Any:
        try:
            return super().forward(x)
        except Exception as error:
            raise KeyError("in other words") from error


class Lenient(fakes.Base):
    """Accepts a batch of three dimensions."""

    def _check_input_dim(self, x: object) -> None:
        """Accept everything."""

    def forward(self, x: Any) -> Any:
        return x if x.dim() == 3 else super().forward(x)


def test_that_something_raises_is_state_and_what_it_raises_is_module() -> None:
    assert outcomes(OtherWords, START + "forward:three_dims") == [NOT_APPLICABLE, PASS, FINDING]
    assert outcomes(Lenient, START + "forward:three_dims") == [NOT_APPLICABLE, FINDING, FINDING]


def test_values_are_judged_up_to_the_step_that_must_raise() -> None:
    """A fault before it is a finding; otherwise the case is not applicable, and never a pass."""
    case = catalogue.find(START + "forward:b0,forward:three_dims,forward:b1")
    subject = eager(installed.BATCH_NORM, promise=VALUES)
    decided = adjudicate(case, subject, installed.RULES)
    assert (decided.outcome, decided.explanation) == (NOT_APPLICABLE, UNPROMISED)
    assert decided.result.compared["output"] == 1
    wrong = eager(fakes.NoEps, promise=VALUES)
    assert adjudicate(case, wrong, installed.RULES, strict_defects=False).outcome == FINDING


class Untensored(fakes.Base):
    """Has lost its running mean, and keeps no number in its place."""

    def forward(self, x: Any) -> Any:
        y = super().forward(x)
        self.running_mean = None
        return y


def test_numbers_that_are_missing_are_a_finding_at_values() -> None:
    result = run(catalogue.find(START + "forward:b0"), eager(Untensored, promise=VALUES), installed.RULES)
    assert [each.mismatch.quantity for each in result.findings] == ["running_mean"]
    assert result.findings[0].mismatch.got == "None"


class Integral(fakes.Base):
    """Returns whole numbers."""

    def forward(self, x: Any) -> Any:
        return super().forward(x).long()


def test_numbers_of_a_dtype_without_a_budget_are_a_finding_at_values() -> None:
    result = run(catalogue.find(START + "forward:b0"), eager(Integral, promise=VALUES), installed.RULES)
    assert [(each.mismatch.quantity, each.mismatch.got) for each in result.findings] == [("output", "dtype int64")]


@pytest.mark.parametrize("promise", PROMISES)
def test_the_honest_module_conforms_at_every_promise(promise: str) -> None:
    subject = eager(honest.HonestBatchNorm2d, promise=promise)
    for case in (*installed.small()[::40], *installed.differentiated()[::9]):
        decided = adjudicate(case, subject, hunt.NEWEST, strict_defects=False)
        assert decided.outcome in (PASS, NOT_APPLICABLE), (case.id, decided.explanation)


@pytest.mark.parametrize("name", ROUNDINGS)
def test_honest_modules_in_other_arithmetic_conform_at_values(name: str) -> None:
    """They sum in other orders and formats, and round where torch's kernel does not."""
    rules = hunt.NEWEST.of_subject(sums_exactly=False)
    subject = eager(ROUNDINGS[name], promise=VALUES)
    outcomes = []
    for case in (*installed.small()[::60], *installed.differentiated()[::30]):
        decided = adjudicate(case, subject, rules, strict_defects=False)
        assert decided.outcome in (PASS, NOT_APPLICABLE), (case.id, decided.explanation)
        outcomes.append(decided.outcome)
    assert PASS in outcomes


def test_a_release_that_is_named_by_a_switch_is_named_at_values_too() -> None:
    """Blame works on what is promised."""
    from tests.failure import blame

    case = catalogue.find(START + "forward:b0")
    subject = eager(failing.CountsLikeTorch110, promise=MODULE)
    result = run(case, subject, installed.RULES)
    assert blame.explaining(result, subject, installed.RULES) == ("counter_rebound",)
    valued = dataclasses.replace(subject, promise=VALUES)
    assert not run(case, valued, installed.RULES).findings


class Fewer(torch.nn.Module):
    """Has numbers, and neither a counter nor flags."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: Any = 0.1, affine: bool = True, track_running_stats: bool = True) -> None:
        super().__init__()
        self.inner = (torch.nn.BatchNorm2d(num_features, eps, momentum, affine, track_running_stats),)

    def train(self, mode: bool = True) -> Any:
        if hasattr(self, "inner"):
            self.inner[0].train(mode)
        return super().train(mode)

    def __getattr__(self, name: str) -> Any:
        if name in ("weight", "bias", "running_mean", "running_var"):
            return getattr(self.inner[0], name)
        raise AttributeError(name)

    def forward(self, x: Any) -> Any:
        return self.inner[0](x)


def test_a_class_with_numbers_alone_is_a_subject_at_values_and_no_other() -> None:
    subject = classes.subject("mine:Fewer", Fewer, VALUES, CPU)
    decided = adjudicate(catalogue.find(START + "preset,forward:b0,eval,forward:b1"), subject, installed.RULES)
    assert decided.outcome == PASS, decided.explanation
    for promise in (STATE, MODULE):
        with pytest.raises(SubjectError, match="without 'num_batches_tracked'"):
            classes.subject("mine:Fewer", Fewer, promise, CPU)


def test_steps_that_a_class_lacks_are_not_offered_on_a_path_either() -> None:
    def lacks(case: Case) -> Optional[Unoffered]:
        return Unoffered(1, "the class has no counter")

    subject = dataclasses.replace(eager(torch.nn.BatchNorm2d), offers=lacks)
    case = catalogue.find(f"{START}forward:b0,jvp:b0:ordinary-path_no_grad")
    assert taken(subject, "no_grad").offers(case) == lacks(case)


def test_a_path_keeps_a_module_without_a_counter() -> None:
    assert tensors(torch.nn.Linear(2, 2))["num_batches_tracked"] is None
