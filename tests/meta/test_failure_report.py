"""The report of a failing case: the finding, the parts of a state, short forms of repetitions."""

from __future__ import annotations

from typing import Tuple

import pytest

from cases import catalogue
from reports.rows import FINDING, Header
from reports.symptoms import symptom
from tests.conformance import judging, rows
from tests.conformance.session import Session
from tests.failure.allowance import MOST, Allowance
from tests.failure.report import report, short
from tests.meta import failing, fakes, installed
from tests.subject.module import eager
from tests.verdict.verdict import Verdict, adjudicate

FORWARD = "steps-affine-track-momentum_0.1-bounded-n8-float32-forward:b0"


def session(subject: type, allowance: Allowance) -> Session:
    header = Header("", "2.13.0", "", "", "", 1, "", "gate", 0, None, "2.13", True, {})
    name = f"{subject.__module__}:{subject.__name__}"
    return Session(eager(subject, name), installed.RULES, 1, header, f" --subject {name}", None, allowance)


def reported(subject: type, case_id: str, fresh: bool = False) -> Tuple[Verdict, str]:
    decided = adjudicate(catalogue.find(case_id), eager(subject), installed.RULES, strict_defects=False)
    assert decided.outcome == FINDING
    return decided, report(decided, session(subject, Allowance(True, fresh)))


@pytest.mark.parametrize("subject", [fakes.NoEps, fakes.NotCounted, fakes.WrongDtype, fakes.AlwaysFails, fakes.ReturnsInput])
def test_the_report_of_a_failure_is_whole(subject: type) -> None:
    """A report has case, step, quantity, both values, budget, script and the command to run it again."""
    decided, text = reported(subject, FORWARD)
    first = decided.result.findings[0]
    lines = text.splitlines()
    assert lines[0] == FORWARD
    assert f"after step {first.step} ({first.token})" in text
    assert f"  got       {first.mismatch.got}" in text
    assert f"  expected  {first.mismatch.expected}" in text
    assert (first.mismatch.budget is None) or "  budget    " in text
    assert "# a script that shows it (it needs torch, and was tried in this process):" in text
    assert f"{subject.__module__}.{subject.__name__}(1)" in text
    assert "switch" not in text
    assert lines[-1] == f"run it again: pytest --case '{FORWARD}' --subject {subject.__module__}:{subject.__name__}"


def test_a_fresh_process_is_said_to_have_been_one() -> None:
    assert "was tried in a fresh process" in reported(fakes.NotCounted, FORWARD, fresh=True)[1]


def test_a_switch_is_named_with_both_sides() -> None:
    _, text = reported(failing.CountsLikeTorch110, FORWARD)
    assert "the other side of switch 'counter_rebound' explains it" in text


def test_a_finding_that_does_not_come_again_is_told_without_a_script() -> None:
    failing.OneIn200.forwards = 199
    _, text = reported(failing.OneIn200, FORWARD)
    assert "not reproducible: it came out differently the second time" in text
    assert "import torch" not in text


def test_one_failing_operation_does_not_hide_the_others() -> None:
    """Every operation of a state is run by itself and reported with its own id."""
    case_id = "state-train-track-momentum_number-mean-var-counter-weight-bias"
    decided, text = reported(fakes.SharesMemory, case_id)
    assert len(decided.parts) == 1
    assert text.splitlines()[0] == case_id
    assert "deepcopy" in text.splitlines()[-1]
    decided, text = reported(fakes.NotCounted, case_id)
    assert len(decided.parts) > 20
    assert f"and {len(decided.parts) - 1} more operation(s) in this state, run each by itself:" in text
    row = rows.row(decided, session(fakes.NotCounted, Allowance()))
    assert len(row.findings) >= len(decided.parts)


def test_findings_of_a_record_name_the_switches_that_explain_them() -> None:
    decided, _ = reported(failing.CountsLikeTorch110, FORWARD)
    row = rows.row(decided, session(failing.CountsLikeTorch110, Allowance()))
    assert {found.switches for found in row.findings} == {("counter_rebound",)}
    decided, _ = reported(fakes.NotCounted, FORWARD)
    row = rows.row(decided, session(fakes.NotCounted, Allowance()))
    assert {found.switches for found in row.findings} == {()}


# --- the findings that get a whole report
# ----------------------------------------------------------------


def test_the_first_of_a_symptom_is_told_in_whole() -> None:
    given = session(fakes.NotCounted, Allowance())
    decided, _ = reported(fakes.NotCounted, FORWARD)
    assert [judging.grants(decided, given) for _ in range(3)] == [True, False, False]
    text = short(decided, given).splitlines()
    assert text == [
        FORWARD,
        "step 1 forward:b0: num_batches_tracked: got 0, expected 1",
        f"run it again: pytest --case '{FORWARD}' --subject tests.meta.fakes.numbers:NotCounted -v",
    ]


def test_a_process_makes_few_whole_reports_unless_all_are_asked_for() -> None:
    few, all_of_them = Allowance(), Allowance(everything=True)
    symptoms = [(("output", str(n)),) for n in range(3 * MOST)]
    assert sum(map(few.grants, symptoms)) == MOST
    assert all(map(all_of_them.grants, symptoms + symptoms))
    decided, _ = reported(fakes.NotCounted, FORWARD)
    assert symptom(rows.found(decided.result.findings[0])).themes
