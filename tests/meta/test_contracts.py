"""A contract is strict in both ways: its deviation is allowed where it applies, and must show there."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cases import catalogue
from cases.steps import Forward
from reports.rows import CONTRACT, FINDING, PASS, STATE, VALUES, CaseRow
from tests.conformance import summary
from tests.meta import fakes, handmade, installed
from tests.subject.contract import Circumstances, Clause
from tests.subject.module import eager
from tests.subject.subject import Subject
from tests.verdict.verdict import Verdict, adjudicate

START = "steps-affine-track-momentum_0.1-bounded-n8-float32-"


def in_eval(there: Circumstances) -> bool:
    """Whether the step is a forward in eval."""
    return isinstance(there.step, Forward) and not there.before.training


def in_any_forward(there: Circumstances) -> bool:
    """Whether the step is a forward."""
    return isinstance(there.step, Forward)


COUNTS = Clause("counts_nothing", "it does not count", "made up", in_any_forward, ("num_batches_tracked",))
REFUSES = Clause(
    "refuses_eval", "it cannot evaluate", "made up", in_eval, raises=("NotImplementedError", "no eval")
)


def one_more(right: Any, there: Circumstances) -> Any:
    """Return what is seen of a module that counts twice."""
    counter = right.state.num_batches_tracked
    twice = right.state.changed(num_batches_tracked=counter.at(counter.value + 1))
    return dataclasses.replace(right, state=twice)


TWICE = Clause("counts_twice", "it counts twice", "made up", in_any_forward, instead=one_more)


class RefusesEval(fakes.Base):
    """Raises in eval."""

    def forward(self, x: Any) -> Any:
        if not self.training:
            raise NotImplementedError("no eval here")
        return super().forward(x)


class CountsTwice(fakes.Base):
    """Counts every batch twice."""

    def forward(self, x: Any) -> Any:
        y = super().forward(x)
        self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        return y


class CountsTwiceUntracked(fakes.Base):
    """Counts twice, and updates running_mean wrongly."""

    def forward(self, x: Any) -> Any:
        y = super().forward(x)
        self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        self.running_mean.add_(1)  # type: ignore[union-attr]
        return y


def subject(of: type, *clauses: Clause, promise: str = "module") -> Subject:
    return dataclasses.replace(eager(of, promise=promise), contract=clauses)


def judged(of: type, program: str, *clauses: Clause, promise: str = "module") -> Verdict:
    case = catalogue.find(START + program)
    return adjudicate(case, subject(of, *clauses, promise=promise), installed.RULES, strict_defects=False)


def test_a_deviation_that_a_clause_allows_is_within_the_contract() -> None:
    decided = judged(fakes.NotCounted, "forward:b0", COUNTS)
    assert decided.outcome == CONTRACT
    assert decided.clause is COUNTS
    assert decided.explanation == COUNTS.reason
    assert judged(fakes.NotCounted, "forward:b0").outcome == FINDING


def test_everything_else_must_conform() -> None:
    decided = judged(CountsTwiceUntracked, "forward:b0", COUNTS)
    assert decided.outcome == FINDING
    assert [each.mismatch.quantity for each in decided.result.findings] == ["running_mean"]


def test_a_clause_whose_deviation_does_not_show_has_lapsed() -> None:
    decided = judged(fakes.Base, "forward:b0", COUNTS)
    assert decided.outcome == FINDING
    assert "clause 'counts_nothing' of the contract has lapsed" in decided.explanation
    assert decided.clause is COUNTS


def test_outside_of_its_circumstances_a_clause_allows_nothing() -> None:
    """The counter is compared at every step, and the clause is about forwards alone."""
    late = dataclasses.replace(COUNTS, when=in_eval)
    assert judged(fakes.NotCounted, "forward:b0", late).outcome == FINDING


def test_an_exception_that_comes_instead_ends_the_case() -> None:
    decided = judged(RefusesEval, "forward:b0,eval,forward:b1,train,forward:b2", REFUSES)
    assert (decided.outcome, decided.clause) == (CONTRACT, REFUSES)
    assert decided.result.compared["output"] == 1
    assert judged(RefusesEval, "forward:b0,forward:b1", REFUSES).outcome == PASS


def test_before_the_exception_everything_must_conform() -> None:
    class Wrong(RefusesEval):
        def forward(self, x: Any) -> Any:
            return super().forward(x) + 1

    assert judged(Wrong, "forward:b0,eval,forward:b1", REFUSES).outcome == FINDING


def test_an_exception_that_does_not_come_any_more_is_a_finding_that_names_the_clause() -> None:
    decided = judged(fakes.Base, "eval,forward:b0", REFUSES)
    assert decided.outcome == FINDING
    mismatch = decided.result.findings[0].mismatch
    assert (mismatch.quantity, mismatch.got) == ("exception", "no exception")
    assert "clause 'refuses_eval'" in mismatch.expected


@pytest.mark.parametrize("promise", [VALUES, STATE, "module"])
def test_an_exception_instead_is_named_by_its_clause_at_every_promise(promise: str) -> None:
    decided = judged(RefusesEval, "eval,forward:b0", REFUSES, promise=promise)
    assert decided.outcome == CONTRACT
    other = dataclasses.replace(REFUSES, raises=("ValueError", "no eval"))
    assert judged(RefusesEval, "eval,forward:b0", other, promise=promise).outcome == FINDING


def test_a_clause_may_say_exactly_what_is_seen_from_then_on() -> None:
    program = "forward:b0,forward:b1,eval"
    assert judged(CountsTwice, program, dataclasses.replace(TWICE, when=trains)).outcome == CONTRACT
    assert judged(fakes.Base, program, dataclasses.replace(TWICE, when=trains)).outcome == FINDING
    assert judged(CountsTwiceUntracked, program, dataclasses.replace(TWICE, when=trains)).outcome == FINDING


def unchanged(right: Any, there: Circumstances) -> Any:
    """Return another object that says the same."""
    return dataclasses.replace(right)


def test_a_deviation_that_cannot_be_told_from_what_is_right_is_a_pass() -> None:
    """A deviation within the budgets of the right values says nothing about the subject."""
    same = dataclasses.replace(TWICE, instead=unchanged)
    assert judged(fakes.Base, "forward:b0", same).outcome == PASS


def test_a_finding_names_the_clause_that_applies() -> None:
    decided = judged(fakes.Base, "forward:b0", TWICE)
    assert "(clause 'counts_twice' of the contract applies)" in decided.explanation


def trains(there: Circumstances) -> bool:
    """Whether the step is a forward in train mode."""
    return isinstance(there.step, Forward) and there.before.training


def test_a_clause_about_what_is_not_promised_asks_for_nothing() -> None:
    assert judged(fakes.Base, "forward:b0", COUNTS, promise=VALUES).outcome == PASS


def test_a_clause_has_one_deviation_a_reason_and_a_source() -> None:
    for changes in ({"quantities": ()}, {"raises": ("A", "b")}, {"reason": ""}, {"source": ""}):
        with pytest.raises(ValueError, match="clause 'counts_nothing'"):
            dataclasses.replace(COUNTS, **changes)


def test_a_clause_that_no_case_meets_is_told() -> None:
    rows = [handmade.row("a"), _within("b", "met")]
    assert summary.unmet(rows, ["met"]) == []
    assert "clause 'other'" in summary.unmet(rows, ["met", "other"])[0]


def _within(case_id: str, clause: str) -> CaseRow:
    return dataclasses.replace(handmade.row(case_id), outcome=CONTRACT, reason="so", clause=clause)
