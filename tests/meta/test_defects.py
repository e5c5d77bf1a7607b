"""Known defects are strict: one that is gone, has changed, or shows elsewhere is a finding."""

from __future__ import annotations

import dataclasses
import re
from typing import Dict, List, Type

import pytest
import torch
from torch import Tensor

from cases import catalogue
from oracle import deviations
from oracle.defects import DEFECTS, Defect
from oracle.deviations import DEVIATIONS, Situation
from oracle.expectations import deviating, expectations
from oracle.semantics import RELEASES, semantics
from oracle.state import Expected
from reports.rows import FINDING, KNOWN_DEFECT, PASS
from tests.comparison.distinction import distinguishable
from tests.meta import fakes, installed
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.subject.module import observe
from tests.verdict.result import compared

RUNNING = installed.RULES.release
LARGE = "steps-affine-track-momentum_1.0-bounded-{}-{}-forward:b0.channels_last"

EXAMPLES: Dict[str, List[str]] = {
    "empty_input_unchecked": ["edge-empty-wrong_channels"],
    "empty_output_widened": ["edge-memory-row_weight_empty", "edge-memory-row_bias_empty"],
    "zero_features_raise": ["edge-empty-zero_features"],
    "overflowing_variance_zeroes_output": ["edge-nonfinite-overflowing"],
    "channels_last_plain_sums": [LARGE.format("n4096", "float32"), "edge-constant-constant_channels_last_n102400"],
    "contiguous_float64_plain_sums": [
        "steps-no_affine-no_track-momentum_0.1-bounded-n4096-float64-forward:b0"
    ],
    "eval_backward_reads_current_buffers": ["edge-backward_program-eval_train_again_earlier"],
    "double_backward_needs_weight": [
        "edge-double_backward-no_weight",
        "edge-double_backward-no_weight_bias_alone",
    ],
    "third_derivative_of_constant_statistics": [
        "edge-triple_backward-ordinary_alternating_offset",
        "edge-triple_backward-bare",
    ],
    "derivative_of_tangent_of_constant_statistics": [
        "edge-nested-grad_jvp_tracked",
        "edge-nested-grad_jvp_bare",
    ],
    "backward_misreads_ambiguous_layout": [
        "edge-backward_layout-n8_one_column_float32_contiguous_permuted",
        "edge-backward_layout-n8_one_image_view_channels_last_contiguous",
    ],
    "expanded_buffer_written": ["edge-memory-expanded_running_mean_train"],
    "windows_overwrite_tangent": ["edge-tangent-layout_windows_n30", "edge-tangent-layout_windows_n24_2x2x4x3"],
    "assign_marks_metadata": ["edge-load-assigned"],
    "one_channel_permuted_misplaced": [
        "edge-backward_layout-n8_one_channel_float32_permuted_contiguous"
    ],
    "mixed_bfloat16_layout_raises": ["edge-backward_layout-n30_mixed_bfloat16_permuted_contiguous"],
}
"""Maps a defect to cases that cannot pass on a release that has it, with one thread."""
WIDENING = (
    "narrow_arithmetic",
    "channels_last_backward_misreads_weight",
    "channels_last_backward_misreads_statistics",
    "rows_misread",
)
"""Defects that widen budgets: a release without them conforms, too, so they cannot be gone."""

SOURCE = re.compile(r"(#\d+|found by this suite)([,;] .+)*")


class RightBatchNorm2d(HonestBatchNorm2d):
    """Is right also where the newest releases refuse."""

    differentiates_thrice = True


each_defect = pytest.mark.parametrize(
    "defect", DEFECTS, ids=[f"{d.name}-{d.first or ''}-{d.last or ''}" for d in DEFECTS]
)
AROUND = ("windows_overwrite_tangent",)
"""Defects of what calls the module: whatever the module is, they show."""

STRICT = [d for d in DEFECTS if d.on(RUNNING) and d.name not in WIDENING]
each_strict_defect = pytest.mark.parametrize("defect", STRICT, ids=[d.name for d in STRICT])


# --- the table --------------------------------------------------------------------------------


@each_defect
def test_a_defect_is_well_formed(defect: Defect) -> None:
    assert re.fullmatch("[a-z][a-z0-9_]*", defect.name)
    assert defect.first is None or defect.first in RELEASES
    assert defect.last is None or defect.last in RELEASES
    assert SOURCE.match(defect.source), defect.source
    for sentence in (defect.instead, defect.avoid):
        assert sentence[0].isupper()
        assert sentence.endswith(".")


def test_defects_and_deviations_have_the_same_names() -> None:
    assert set(DEVIATIONS) == {defect.name for defect in DEFECTS}
    assert {*EXAMPLES, *WIDENING} == set(DEVIATIONS)


def test_no_release_has_a_defect_twice() -> None:
    for release in RELEASES:
        names = [defect.name for defect in DEFECTS if defect.on(release)]
        assert len(names) == len(set(names))


@each_defect
def test_a_defect_shows_on_every_release_that_has_it(defect: Defect) -> None:
    """In its example, nothing that conforms to what is right conforms to what is seen."""
    for release in RELEASES:
        rules = semantics(release)
        for case_id in EXAMPLES.get(defect.name, ()) if defect.on(release) else ():
            case = catalogue.find(case_id)
            expected = expectations(case, rules)
            seen = deviating(case, expected, rules, [defect], 1)
            assert seen is not None, (release, case_id)
            assert distinguishable(expected, seen), (release, case_id)


# --- torch itself -----------------------------------------------------------------------------


@each_strict_defect
def test_a_defect_of_the_installed_release_is_seen_and_is_just_that(defect: Defect) -> None:
    for case_id in EXAMPLES[defect.name]:
        case = catalogue.find(case_id)
        expected, observations = expectations(case, installed.RULES), observe(case, installed.BATCH_NORM)
        seen = deviating(case, expected, installed.RULES, [defect], 1)
        assert seen is not None
        assert compared(case, expected, observations).findings
        assert not compared(case, seen, observations).findings
        decided = installed.judged(case_id, installed.BATCH_NORM)
        assert (decided.outcome, decided.defect) == (KNOWN_DEFECT, defect)


@each_strict_defect
def test_without_its_entry_a_defect_is_a_finding(defect: Defect) -> None:
    rest = tuple(each for each in DEFECTS if each.name != defect.name)
    for case_id in EXAMPLES[defect.name]:
        decided = installed.judged(case_id, installed.BATCH_NORM, defects=rest)
        assert (decided.outcome, decided.defect) == (FINDING, None)


@each_strict_defect
def test_a_release_that_has_not_the_defect_must_be_right(defect: Defect) -> None:
    """Observations of torch are ordinary findings where the entry ends before the installed release."""
    earlier = dataclasses.replace(defect, first=None, last=RELEASES[RELEASES.index(RUNNING) - 1])
    table = tuple(earlier if each is defect else each for each in DEFECTS)
    for case_id in EXAMPLES[defect.name]:
        decided = installed.judged(case_id, installed.BATCH_NORM, defects=table)
        assert (decided.outcome, decided.defect) == (FINDING, None)


# --- another subject in torch's place ---------------------------------------------------------


class OtherSums(torch.nn.BatchNorm2d):
    """Computes statistics, averages and gradients that are neither right nor those of torch."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        return output * 1.01 + 0.01


@pytest.mark.parametrize("defect", [d for d in STRICT if d.name not in AROUND], ids=lambda d: d.name)
def test_a_defect_that_is_gone_is_a_finding(defect: Defect) -> None:
    """A right module replaces torch and is judged as torch itself."""
    for case_id in EXAMPLES[defect.name]:
        decided = installed.judged(case_id, RightBatchNorm2d)
        assert decided.outcome == FINDING
        assert decided.explanation == f"known defect {defect.name!r} is gone: correct oracle/defects.py"


WITH_NUMBERS = [d for d in STRICT if d.name not in ("empty_input_unchecked", "zero_features_raise")]


@pytest.mark.parametrize(
    ("subject", "defect"),
    [(fakes.AlwaysFails, d) for d in STRICT] + [(OtherSums, d) for d in WITH_NUMBERS],
    ids=lambda each: getattr(each, "name", getattr(each, "__name__", "")),
)
def test_a_defect_that_has_changed_is_a_finding(subject: Type[fakes.Base], defect: Defect) -> None:
    for case_id in EXAMPLES[defect.name]:
        decided = installed.judged(case_id, subject)
        assert decided.outcome == FINDING
        assert "known defect" in decided.explanation
        assert "has changed: step " in decided.explanation


@each_strict_defect
def test_another_subject_may_be_right_where_torch_is_not(defect: Defect) -> None:
    for case_id in EXAMPLES[defect.name]:
        right = installed.judged(case_id, RightBatchNorm2d, strict_defects=False)
        assert right.outcome in (PASS, KNOWN_DEFECT)
        shared = installed.judged(case_id, installed.BATCH_NORM, strict_defects=False)
        assert (shared.outcome, shared.defect) == (KNOWN_DEFECT, defect)


# --- an entry that is wrong -------------------------------------------------------------------


def test_an_entry_for_a_case_that_is_right_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(right: Expected, situation: Situation) -> Expected:
        counter = right.state.num_batches_tracked
        assert counter is not None
        state = right.state.changed(num_batches_tracked=counter.at(2 * counter.value + 1))
        return dataclasses.replace(right, state=state)

    monkeypatch.setitem(deviations.DEVIATIONS, "invented", doubled)
    invented = dataclasses.replace(DEFECTS[0], name="invented")
    decided = installed.judged("edge-counter-large", installed.BATCH_NORM, defects=(invented,))
    assert decided.outcome == FINDING
    assert decided.explanation == "known defect 'invented' is gone: correct oracle/defects.py"


def test_an_entry_that_changes_nothing_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def same(right: Expected, situation: Situation) -> Expected:
        return dataclasses.replace(right)

    monkeypatch.setitem(deviations.DEVIATIONS, "invented", same)
    invented = dataclasses.replace(DEFECTS[0], name="invented")
    assert installed.judged("edge-counter-large", installed.BATCH_NORM, defects=(invented,)).outcome == PASS
    wrong = installed.judged("edge-counter-large", fakes.NotCounted, defects=(invented,))
    assert (wrong.outcome, wrong.defect) == (FINDING, None)
