"""The end of a run of many findings: one screen with the causes, or pytest's own output."""

from __future__ import annotations

from argparse import Namespace
from typing import List, Tuple

import pytest

from reports.rows import FINDING, PASS, CaseRow, Found
from tests.conformance.ending import SCREEN, Ending, Failures, ending
from tests.meta.command import FAKES, LOUD, TRIED_HERE, Ran, run

WRONG = ("-k", "claim", "--subject", f"{FAKES}:NotCounted")
"""The options that run the claims with a wrong module."""


def begun(*arguments: str) -> Ran:
    """Run pytest as a user does, without -q."""
    return run(*arguments, command=LOUD)


def test_many_findings_end_on_one_screen() -> None:
    ran = begun(*WRONG)
    assert ran.status == 1
    assert len(ran.end) <= SCREEN
    assert "1 cause explains " in ran.output
    assert "num_batches_tracked: got 0, expected 1" in ran.output
    assert ran.output.count("import torch\n") == 1
    assert "FAILED" not in ran.output
    assert "ERROR" not in ran.output


def test_workers_end_on_one_screen_too() -> None:
    ran = begun(*WRONG, *TRIED_HERE, "-n", "2")
    assert len(ran.end) <= SCREEN
    assert "1 cause explains " in ran.output
    assert ran.output.count("import torch\n") == 1


@pytest.mark.parametrize("option", ["--tb=short", "-rf"])
def test_options_restore_what_pytest_prints(option: str) -> None:
    ran = begun(*TRIED_HERE, "-k", "claim-notebook", "--subject", f"{FAKES}:NotCounted", option)
    assert "= FAILURES =" in ran.output
    assert "failures, one of each cause" not in ran.output
    assert "FAILED tests/" in ran.output
    assert "1 cause explains " in ran.output


def test_with_v_every_report_is_whole() -> None:
    chosen = "claim-notebook-eval_n or claim-notebook-f"
    ran = begun("-k", chosen, "--subject", f"{FAKES}:NotCounted", "-v")
    failures, _, summary = ran.output.partition("short test summary info")
    assert summary.count("FAILED tests/") == failures.count("import torch\n") == 2


def test_few_findings_are_left_to_pytest() -> None:
    ran = begun("--case", "claim-question-shape", "--subject", f"{FAKES}:NotCounted")
    assert "= FAILURES =" in ran.output
    assert "failures, one of each cause" not in ran.output
    assert len(ran.end) <= SCREEN


def test_a_class_that_is_wrong_altogether_is_told_before_anything_runs() -> None:
    ran = begun("--subject", "torch.nn:BatchNorm1d")
    assert ran.status == 4
    (line,) = ran.output.strip().splitlines()
    assert "cannot be called in train mode" in line
    assert "expected 2D or 3D input (got 4D input)" in line


@pytest.mark.parametrize(
    ("subject", "faults"),
    [
        (
            "torch.nn:SyncBatchNorm",
            ("num_batches_tracked must not be None", "does not raise ValueError matching '^expected 4D input", "should be non-zero"),
        ),
        (
            "tests.meta.failing:BatchNormAct2d",
            ("unexpected keyword argument 'bias", "raises AssertionError: expected 4D input", "show:repr"),
        ),
    ],
)  # fmt: skip
def test_a_subject_with_three_faults_has_three_causes(subject: str, faults: Tuple[str, ...]) -> None:
    chosen = (
        "edge-shape or edge-text or edge-empty or edge-registry or edge-attach or claim-parameters "
        "or (matrix and no_bias and momentum_1 and float64 and train_only)"
    )
    ran = begun(*TRIED_HERE, "-k", chosen, "--subject", subject)
    assert "3 causes explain " in ran.output
    for fault in faults:
        assert fault in ran.output
    assert "oracle/semantics.py" not in ran.output
    assert len(ran.end) <= SCREEN


# --- without a run -----------------------------------------------------------------------------------


def row(case_id: str, *found: Found) -> CaseRow:
    return CaseRow(
        case_id, "", FINDING if found else PASS, 1, {}, {}, {}, {}, (), (), None,
        "x" if found else None, "0" * 16, found,
    )  # fmt: skip


def ended(rows: List[CaseRow], texts: List[Tuple[str, str]], others: int = 0) -> Ending:
    failures = Failures()
    failures.whole.update(texts)
    failures.others += [(f"test_states.py::test[{n}]", "cannot be observed\n" * 60) for n in range(others)]
    return ending(rows, failures, 6, Namespace(report=None), " --threads 2")


def test_however_many_causes_there_are_the_end_fits() -> None:
    rows = [row(f"edge-{n}", Found(1, f"verb{n}:b0", f"quantity{n}", "1", "2")) for n in range(60)]
    texts = [(f"edge-{n}", "line\n" * 40) for n in range(60)]
    for others in (0, 5):
        end = ended(rows, texts, others)
        assert len(end.failures) + len(end.causes) + 6 <= SCREEN
        assert end.causes[0].startswith("60 causes explain 60 findings")
        assert "--threads 2" in "".join(end.causes)
        assert "... the rest of this is shown by -v" in end.failures


def test_a_failure_of_each_cause_is_shown_while_there_is_room() -> None:
    rows = [row(f"edge-{n}", Found(1, f"verb{n}:b0", f"quantity{n}", "1", "2")) for n in range(3)]
    end = ended(rows, [(f"edge-{n}", f"report {n}") for n in range(3)])
    assert [line for line in end.failures if line.startswith("report")] == ["report 0", "report 1", "report 2"]


def test_tests_without_a_row_are_shown_first() -> None:
    end = ended([], [], 4)
    assert end.failures[0] == "test_states.py::test[0] and 3 more tests without a row"
    assert end.failures[1] == "... the rest of this is shown by -v"
    assert end.failures[-1] == "cannot be observed"


def test_text_of_the_subject_cannot_act_on_the_terminal() -> None:
    rows = [row("edge-1", Found(1, "forward:b0", "output", "1", "2"))]
    end = ended(rows, [("edge-1", "\x1b[31mred")])
    assert "\x1b" not in "".join(end.failures)


SCRIPT_OF_20 = "\n".join(["edge-1", "a note", "", *["found"] * 8, "", "# a script that shows it (...):", *["code"] * 20, "", "run"])


def test_a_script_is_shown_whole_or_not_at_all() -> None:
    """A report that does not fit shows only its script; if the script does not fit, what was found."""
    rows = [row(f"edge-{n}", Found(1, f"verb{n}:b0", f"quantity{n}", "1", "2")) for n in range(3)]
    fits, longer = SCRIPT_OF_20, SCRIPT_OF_20.replace("code\n", "code\ncode\n")
    for text, shown in ((fits, 20), (longer, 0)):
        end = ended(rows, [("edge-1", text)])
        assert len(end.failures) + len(end.causes) + 6 <= SCREEN
        assert end.failures.count("code") == shown
        assert end.failures.count("found") == (0 if shown else 8)
        assert ("... the rest of this is shown by -v" in end.failures) == (not shown)


def test_a_cause_is_shown_by_a_report_with_a_script_which_is_the_next_to_run() -> None:
    rows = [row(f"edge-{n}", Found(1, "forward:b0", "output", "1", "2")) for n in range(4)]
    end = ended(rows, [("edge-2", "known defect has changed"), ("edge-3", SCRIPT_OF_20)])
    assert "code" in end.failures
    assert "known defect has changed" not in end.failures
    assert end.shown == "edge-3"
