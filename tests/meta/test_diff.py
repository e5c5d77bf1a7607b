"""``python -m reports diff``: what changed, what of it matters, and what cannot be compared."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import pytest

from reports import record
from reports.__main__ import main
from reports.comparison import CaseChange, Comparison, DefectChange, SwitchChange, compare
from reports.diff import CASES, GROUPS, diff_lines
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
"""A digest that is not the one of a handmade row."""


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


def text(
    old: Sequence[CaseRow], new: Sequence[CaseRow], show_all: bool = False, **semantics: bool
) -> List[str]:
    """Return the text of a difference; each of ``semantics`` is lost on the newer side."""
    lost = {name: not holds for name, holds in semantics.items()}
    a = handmade.record(handmade.header("2.12", semantics=semantics), old, source="a.jsonl")
    b = handmade.record(handmade.header("2.13", semantics=lost), new, source="b.jsonl")
    sentences = {"counts": ("It counts.", "It does not count.")}
    return diff_lines(a, b, compare(a, b), sentences, show_all)


# --- what changed -----------------------------------------------------------------------


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


def test_an_error_that_is_no_number_moved_infinitely_far() -> None:
    new = handmade.row(ulps={"output": (math.nan, math.nan)}, share={}, digest=OTHER)
    drift = compared([handmade.row()], [new]).numerics.drifts[0]
    assert drift.ulps == Peak(math.inf, "case-a")
    assert drift.share is None


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


# --- what cannot be compared ------------------------------------------------------------

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


@pytest.mark.parametrize("exit_status", [2, 3, 4, 5])
def test_an_interrupted_run_is_refused(exit_status: int) -> None:
    whole = handmade.record(handmade.header(), A)
    with pytest.raises(UnfinishedRun, match=f"status {exit_status}"):
        compare(whole, handmade.record(handmade.header(), A, exit_status))


def test_a_run_with_findings_is_finished() -> None:
    failed = handmade.record(handmade.header(), [handmade.row(finding="output")], exit_status=1)
    assert not compare(failed, failed).matters


def test_another_subject_can_be_compared() -> None:
    assert not compared(A, A, handmade.header(subject="mine:BatchNorm")).matters


# --- the text ---------------------------------------------------------------------------


def test_the_text_of_no_change() -> None:
    assert text(A, A) == [
        "old  torch 2.12.0+cpu, 1 case (a.jsonl)",
        "new  torch 2.13.0+cpu, 1 case (b.jsonl)",
        "",
        "semantics: the same",
        "verdicts: the same",
        "exceptions: the same",
        "known defects: the same",
        "cases only in the old record: none",
        "cases only in the new record: none",
        "numerics: 0 of 1 cases with the same expected values changed bitwise",
        "nothing that a user must know about changed",
    ]


def test_the_text_of_changes() -> None:
    old = [
        handmade.row("a", switches=("counts",)),
        handmade.row("b", defect="poison"),
        handmade.row("c"),
        handmade.row("d"),
    ]
    new = [
        handmade.row("a", switches=("counts",), errors=("1 ValueError\nno",), digest=OTHER),
        handmade.row("b"),
        handmade.row("c", finding="got nan"),
        handmade.row("e"),
    ]
    assert text(old, new, counts=True)[3:] == [
        "semantics: 1 changed",
        "  counts: inside -> outside",
        "    old: It counts.",
        "    new: It does not count.",
        "verdicts: 2 changed",
        "  plain (1 case; poison)",
        "    - known_defect poison",
        "    + pass",
        "      b",
        "  plain (1 case; nothing in the registries explains it)",
        "    - pass",
        "    + finding",
        "      c",
        "exceptions: 1 changed",
        "  plain (1 case; counts)",
        "    - no exception",
        "    + 1 ValueError no",
        "      a",
        "known defects: 1 changed",
        "  poison: gone, was in 1 case",
        "cases only in the old record: 1",
        "  plain (1 case)",
        "      d",
        "cases only in the new record: 1",
        "  plain (1 case)",
        "      e",
        "numerics: 0 of 2 cases with the same expected values changed bitwise",
        "  (left out, as a switch they exercise changed: 1 case)",
        "changed: semantics, verdicts, exceptions, known defects, the set of cases",
    ]


def test_the_text_of_numerics() -> None:
    lines = text(A, [handmade.row("a", digest=OTHER, share={"output": (-0.5, 0.0)})])
    assert lines[-3:] == [
        "numerics: 1 of 1 cases with the same expected values changed bitwise",
        "  output: at most 3 ulps, in a; budget use changed by at most 25 %, in a",
        "nothing that a user must know about changed",
    ]


def test_a_switch_unknown_to_this_suite_is_still_named() -> None:
    lines = text(A, A, forgotten=True)
    assert "  forgotten: inside -> outside" in lines
    assert "    old: (this suite no longer knows this switch)" in lines


def test_a_switch_unknown_to_one_record_is_still_named() -> None:
    a = handmade.record(handmade.header(), A)
    b = handmade.record(handmade.header(semantics={"counts": True}), A)
    lines = diff_lines(a, b, compare(a, b), {"counts": ("It counts.", "It does not.")})
    assert "  counts: not recorded -> inside" in lines
    assert "    old: the suite that wrote the record did not know this switch" in lines


def test_whatever_else_differs_is_noted() -> None:
    a = handmade.record(handmade.header(numpy="1.26.4"), A)
    b = handmade.record(handmade.header(subject="mine:BatchNorm"), A)
    lines = diff_lines(a, b, compare(a, b), {})
    assert "note: numpy differs too: 1.26.4 -> 2.4.6" in lines
    assert "note: subject differs too: torch.nn:BatchNorm2d -> mine:BatchNorm" in lines


def many(count: int, group: str, **overrides: object) -> List[CaseRow]:
    return [handmade.row(f"{group}-{i:03}", behaviour=group, **overrides) for i in range(count)]


def test_a_long_group_is_cut_and_says_by_how_much() -> None:
    old, new = many(CASES + 3, "eval"), many(CASES + 3, "eval", errors=("1 ValueError",))
    lines = text(old, new)
    assert sum(line.startswith("      eval-") for line in lines) == CASES
    assert "      ... and 3 more (--all shows them)" in lines
    everything = text(old, new, show_all=True)
    assert sum(line.startswith("      eval-") for line in everything) == CASES + 3
    assert not any("--all" in line for line in everything)


def test_many_groups_are_cut_the_smallest_first() -> None:
    sizes = {f"group-{i:02}": i + 1 for i in range(GROUPS + 2)}
    new = [row for name, size in sizes.items() for row in many(size, name)]
    lines = text([], new)
    assert "  ... and 2 more groups with 3 cases (--all shows them)" in lines
    assert "  group-11 (12 cases)" in lines
    assert "  group-01 (2 cases)" not in lines
    assert "  group-01 (2 cases)" in text([], new, show_all=True)


# --- the command ------------------------------------------------------------------------


def run(
    tmp_path: Path,
    old: Sequence[CaseRow],
    new: Sequence[CaseRow],
    *options: str,
    **new_header: object,
) -> int:
    record.write(tmp_path / "old.jsonl", handmade.header("2.12"), old, 0)
    record.write(tmp_path / "new.jsonl.gz", handmade.header("2.13", **new_header), new, 0)
    return main(["diff", str(tmp_path / "old.jsonl"), str(tmp_path / "new.jsonl.gz"), *options])


def test_exit_status_0_where_nothing_matters(tmp_path: Path) -> None:
    assert run(tmp_path, A, A) == 0
    assert run(tmp_path, A, [handmade.row("a", digest=OTHER)]) == 0


def test_exit_status_1_where_something_matters(tmp_path: Path) -> None:
    assert run(tmp_path, A, [handmade.row("a", finding="output")]) == 1
    assert run(tmp_path, A, A, semantics={"counter_rebound": True}) == 1
    assert run(tmp_path, A, [*A, *B]) == 1


def test_exit_status_1_for_the_strict_where_bytes_changed(tmp_path: Path) -> None:
    changed = [handmade.row("a", digest=OTHER)]
    assert run(tmp_path, A, changed, "--fail-on", "numerics") == 1
    assert run(tmp_path, A, A, "--fail-on", "numerics") == 0


UNUSABLE: Dict[str, Dict[str, object]] = {
    "seed": {"seed": 1},
    "tier": {"tier": "full"},
    "selection": {"selection": "--case b"},
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_exit_status_2_and_one_line_where_records_do_not_compare(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, A, B, **UNUSABLE[name]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "new.jsonl.gz" in printed.err
    assert "; record" in printed.err


def test_exit_status_2_where_a_record_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", str(tmp_path / "old"), str(tmp_path / "new")]) == 2
    assert capsys.readouterr().err.startswith("python -m reports: {}".format(tmp_path / "old"))
