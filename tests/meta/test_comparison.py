"""The comparison of two records, case by case: changes, and records that cannot be compared."""

from __future__ import annotations

import math
from typing import Optional, Sequence

import pytest

from reports.comparison import CaseChange, Comparison, DefectChange, SwitchChange, compare
from reports.errors import (
    DifferentSeeds,
    DifferentTiers,
    PartialRecord,
    UnfinishedRun,
)
from reports.rows import CaseRow, Header
from reports.tally import Peak
from tests.meta import handmade

OTHER = "f" * 16
"""A digest that differs from that of a handmade row."""


def compared(
    old: Sequence[CaseRow],
    new: Sequence[CaseRow],
    old_header: Optional[Header] = None,
    new_header: Optional[Header] = None,
) -> Comparison:
    return compare(
        handmade.record(old_header or handmade.header("2.12"), old),
        handmade.record(new_header or handmade.header("2.13"), new),
    )


# --- changes ----------------------------------------------------------------------------


def test_equal_records_have_no_difference() -> None:
    comparison = compared([handmade.row()], [handmade.row()])
    assert not comparison.matters
    assert (comparison.numerics.comparable, comparison.numerics.changed) == (1, 0)
    assert comparison.numerics.drifts == ()


def test_a_verdict_that_changed() -> None:
    comparison = compared([handmade.row()], [handmade.row(finding="output differs")])
    change = CaseChange("case-a", "plain", ("pass",), ("finding",), ())
    assert comparison.verdicts == (change,)
    assert comparison.matters


def test_a_finding_worded_otherwise_is_the_same_verdict() -> None:
    comparison = compared([handmade.row(finding="got 1")], [handmade.row(finding="got 2")])
    assert not comparison.matters


def test_one_known_defect_for_another_is_another_verdict() -> None:
    comparison = compared([handmade.row(defect="x")], [handmade.row(defect="y")])
    assert [change.causes for change in comparison.verdicts] == [("x", "y")]
    assert comparison.defects == (DefectChange("x", 1, 0), DefectChange("y", 0, 1))


def test_a_defect_on_fewer_cases_is_neither_gone_nor_new() -> None:
    old = [handmade.row(name, defect="x") for name in "ab"]
    comparison = compared(old, [old[0], handmade.row("b")])
    assert comparison.defects == ()
    assert [change.case for change in comparison.verdicts] == ["b"]


def test_a_switch_that_changed_explains_the_cases_that_exercise_it() -> None:
    comparison = compared(
        [handmade.row("a", switches=("counts", "still")), handmade.row("b")],
        [handmade.row("a", errors=("1 ValueError",), digest=OTHER), handmade.row("b")],
        handmade.header(semantics={"counts": True, "still": True}),
        handmade.header(semantics={"counts": False, "still": True}),
    )
    assert comparison.switches == (SwitchChange("counts", True, False),)
    assert [change.causes for change in comparison.exceptions] == [("counts",)]
    assert [change.case for change in comparison.respecified] == ["a"]


def test_a_switch_that_only_one_suite_knows_is_a_change() -> None:
    comparison = compared([], [], handmade.header(), handmade.header(semantics={"counts": False}))
    assert comparison.switches == (SwitchChange("counts", None, False),)


def test_an_exception_that_changed_with_nothing_to_explain_it() -> None:
    comparison = compared(
        [handmade.row(errors=("1 ValueError old",))], [handmade.row(errors=("1 ValueError new",))]
    )
    assert [change.causes for change in comparison.exceptions] == [()]
    assert comparison.matters


def test_cases_of_one_record_alone() -> None:
    comparison = compared(
        [handmade.row("a"), handmade.row("b")], [handmade.row("b"), handmade.row("c")]
    )
    assert [row.id for row in comparison.only_old] == ["a"]
    assert [row.id for row in comparison.only_new] == ["c"]
    assert comparison.matters


# --- numerics ---------------------------------------------------------------------------


def test_numerics_alone_do_not_matter() -> None:
    comparison = compared([handmade.row()], [handmade.row(digest=OTHER)])
    assert comparison.numerics.changed == 1
    assert not comparison.matters


def test_a_change_in_ulps_is_bounded_by_the_farthest_extremes() -> None:
    old = [handmade.row("a", ulps={"output": (-2.0, 1.0)}), handmade.row("b")]
    new = [handmade.row("a", ulps={"output": (0.0, 5.0)}, digest=OTHER), handmade.row("b")]
    assert compared(old, new).numerics.drifts[0].ulps == Peak(7.0, "a")
    assert compared(new, old).numerics.drifts[0].ulps == Peak(7.0, "a")


def test_equal_bytes_did_not_change_however_wide_their_errors() -> None:
    wide = handmade.row("a", ulps={"output": (-100.0, 100.0)})
    comparison = compared([wide, handmade.row("b")], [wide, handmade.row("b", digest=OTHER)])
    assert comparison.numerics.drifts[0].ulps == Peak(3.0, "b")


def test_a_change_in_share_is_of_the_largest_magnitudes() -> None:
    old = handmade.row(share={"output": (-0.75, 0.5)})
    new = handmade.row(share={"output": (-0.25, 0.5)}, digest=OTHER)
    assert compared([old], [new]).numerics.drifts[0].share == Peak(0.25, "case-a")


@pytest.mark.parametrize(
    ("ulps", "detectable", "tells"),
    [
        (8.0, 1e-6, True),  # float32: 8 ulps are 9.5e-7
        (9.0, 1e-6, False),
        (4.0, 1e-15, True),  # this is float64: no float32 can be told from its neighbours so finely
        (5.0, 1e-15, False),
        (6.77e296, 1e-15, False),
        (math.nan, 1e-6, False),
        (0.0, 1e-6, True),
    ],
)
def test_ulps_count_where_they_are_of_an_element_of_full_size(
    ulps: float, detectable: float, tells: bool
) -> None:
    old = handmade.row(ulps={"output": (0.0, 0.0)}, detectable={"output": detectable})
    new = handmade.row(ulps={"output": (0.0, ulps)}, detectable={"output": detectable}, digest=OTHER)
    drift = compared([old], [new]).numerics.drifts[0]
    assert drift.ulps == (Peak(ulps, "case-a") if tells else None)
    assert drift.uncounted == (not tells)


def test_the_share_of_a_budget_may_be_known_where_no_ulps_are() -> None:
    new = handmade.row(ulps={}, share={"output": (0.5, 0.75)}, digest=OTHER)
    drift = compared([handmade.row()], [new]).numerics.drifts[0]
    assert (drift.ulps, drift.share, drift.uncounted) == (None, Peak(0.5, "case-a"), 0)


def test_cases_with_other_expected_values_say_nothing_about_rounding() -> None:
    old = [handmade.row("a", switches=("counts",)), handmade.row("b"), handmade.row("c")]
    new = [
        handmade.row("a", digest=OTHER),
        handmade.row("b", digest=OTHER, errors=("1 ValueError",)),
        handmade.row("c", digest=OTHER),
    ]
    head = handmade.header(semantics={"counts": True})
    numerics = compared(old, new, head, handmade.header(semantics={"counts": False})).numerics
    assert (numerics.comparable, numerics.changed) == (1, 1)


# --- records that cannot be compared ----------------------------------------------------

A, B = [handmade.row("a")], [handmade.row("b")]


def test_different_seeds_are_refused_even_for_equal_cases() -> None:
    with pytest.raises(DifferentSeeds, match="seeds 0 and 1"):
        compared(A, A, handmade.header(seed=0), handmade.header(seed=1))


def test_different_tiers_are_refused_where_the_cases_differ() -> None:
    smoke = handmade.header(tier="smoke")
    with pytest.raises(DifferentTiers, match="smoke and gate"):
        compared(A, B, smoke)
    assert not compared(A, A, smoke).matters


@pytest.mark.parametrize("side", ["old_header", "new_header"])
def test_a_selection_is_refused_where_the_cases_differ(side: str) -> None:
    headers = {side: handmade.header(selection="-k eval")}
    with pytest.raises(PartialRecord, match="-k eval"):
        compared(A, B, **headers)
    assert not compared(A, A, **headers).matters


@pytest.mark.parametrize("exit_status", [2, 3, 4])
def test_an_interrupted_run_is_refused(exit_status: int) -> None:
    whole = handmade.record(handmade.header(), A)
    with pytest.raises(UnfinishedRun, match=f"status {exit_status}"):
        compare(whole, handmade.record(handmade.header(), A, exit_status))


def test_a_run_in_which_nothing_was_applicable_is_finished() -> None:
    """No case is left out of it: pytest's status 5 has a row for every case."""
    nothing = handmade.record(handmade.header(), A, 5)
    assert not compare(nothing, nothing).matters


def test_a_run_with_findings_is_finished() -> None:
    failed = handmade.record(handmade.header(), [handmade.row(finding="output")], exit_status=1)
    assert not compare(failed, failed).matters


def test_another_subject_can_be_compared() -> None:
    assert not compared(A, A, handmade.header(subject="mine:BatchNorm")).matters
