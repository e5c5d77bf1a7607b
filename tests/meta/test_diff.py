"""``python -m reports diff``: its text and its exit status."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Sequence

import pytest

from reports import record, releases
from reports.__main__ import main
from reports.comparison import CaseChange, compare
from reports.diff import GROUPS, diff_lines
from reports.rows import CaseRow
from reports.shifts import KINDS, Shift, first_difference, shifts
from tests.meta import handmade

OTHER = "f" * 16
"""A digest that differs from that of a handmade row."""

A, B = [handmade.row("a")], [handmade.row("b")]


def text(
    old: Sequence[CaseRow], new: Sequence[CaseRow], show_all: bool = False, **semantics: bool
) -> List[str]:
    """Return the text of a difference; the newer side lacks each of ``semantics``."""
    lost = {name: not holds for name, holds in semantics.items()}
    a = handmade.record(handmade.header("2.12", semantics=semantics), old, source="a.jsonl")
    b = handmade.record(handmade.header("2.13", semantics=lost), new, source="b.jsonl")
    sentences = {"counts": ("It counts.", "It does not count.")}
    return diff_lines(a, b, compare(a, b), sentences, show_all)


def found_shifts(
    old: Sequence[CaseRow], new: Sequence[CaseRow], **semantics: bool
) -> Sequence[Shift]:
    """Return the changes between two records; the newer side lacks each of ``semantics``."""
    lost = {name: not holds for name, holds in semantics.items()}
    a = handmade.record(handmade.header("2.12", semantics=semantics), old)
    b = handmade.record(handmade.header("2.13", semantics=lost), new)
    return shifts(a, b, compare(a, b))


# --- the text ---------------------------------------------------------------------------

RAISED = "3 forward:b{} ValueError got {} values"


def raising(number: int, **overrides: object) -> CaseRow:
    """Return a row that raises at a forward, with a message that depends on the case."""
    errors = (RAISED.format(number, number),)
    return handmade.row(overrides.pop("case", "a"), errors=errors, **overrides)


def test_the_text_of_no_change() -> None:
    assert text(A, A) == [
        "old: torch 2.12.0+cpu, 1 case (a.jsonl)",
        "new: torch 2.13.0+cpu, 1 case (b.jsonl)",
        "",
        "numerics: 0 of 1 cases with the same expected values changed bitwise",
        "the same: semantics, verdicts, exceptions, the set of known defects, the set of cases",
        "nothing that a user must know about changed",
    ]


def test_the_text_of_changes() -> None:
    old = [
        handmade.row("a", switches=("counts",)),
        handmade.row("b", defect="poison"),
        handmade.row("c"),
        handmade.row("d"),
        handmade.row("f", switches=("counts",)),
    ]
    new = [
        handmade.row("a", switches=("counts",), errors=("1 forward:b0 ValueError \nno",), digest=OTHER),
        handmade.row("b"),
        handmade.row("c", findings=(handmade.found("running_var"),)),
        handmade.row("e"),
        handmade.row("f", switches=("counts",), digest=OTHER),
    ]
    assert text(old, new, counts=True)[3:] == [
        "another verdict: 1 case",
        "  1 case: running_var after forward: pass -> finding",
        "       c (nothing in the registries explains it)",
        "raises where it did not: 1 case",
        "  1 case: forward: ValueError no",
        "       a (because of counts)",
        "gives other results: 1 case",
        "  1 case: other outputs, buffers or parameters",
        "       f (because of counts)",
        "shows another known defect, or none: 1 case",
        "  1 case: known_defect poison -> pass",
        "       b (because of poison)",
        "semantics: 1 switch changed",
        "  counts: It counts.",
        "    -> It does not count.",
        "known defect poison: gone, was in 1 case",
        "only in the old record: 1 case",
        "  plain: 1 case",
        "       d",
        "only in the new record: 1 case",
        "  plain: 1 case",
        "       e",
        "numerics: 0 of 2 cases with the same expected values changed bitwise"
        " (left out: 2 with a switch that changed)",
        "changed: semantics, verdicts, exceptions, the set of known defects, the set of cases",
    ]


def test_the_text_of_numerics() -> None:
    lines = text(A, [handmade.row("a", digest=OTHER, share={"output": (-0.5, 0.0)})])
    assert lines[3:5] == [
        "numerics: 1 of 1 cases with the same expected values changed bitwise",
        "  output: at most 3 ulps, in a; budget use changed by at most 25 %, in a",
    ]
    lines = text(A, [handmade.row("a", digest=OTHER, ulps={"output": (0.0, 1e200)})])
    assert lines[4] == (
        "  output: ulps say nothing in 1 case with elements near 0; budget use changed by at most 0 %, in a"
    )


def test_cases_that_change_alike_are_one_group_whatever_their_axes() -> None:
    """The behaviour, the batch and the numbers in a message do not split a group."""
    sizes = range(1, 8)
    old = [handmade.row(f"case-{i}", behaviour=f"b{i}") for i in sizes]
    new = [raising(i, case=f"case-{i}", behaviour=f"b{i}") for i in sizes]
    (shift,) = found_shifts(old, new)
    assert (shift.kind, shift.where, shift.new) == (KINDS[1], "forward", "ValueError got 1 values")
    assert len(shift.cases) == 7
    lines = text(old, new)
    assert "  7 cases: forward: ValueError got 1 values" in lines
    assert sum("case-" in line for line in lines) == 1
    assert sum("case-" in line for line in text(old, new, show_all=True)) == 7


def test_a_case_is_compared_up_to_the_first_step_that_raises_otherwise() -> None:
    change = CaseChange(
        "a", "plain", ("0 construct TypeError no 'bias'",), ("2 forward:b0 ValueError 4D", "3 eval X y"), ()
    )
    assert first_difference(change)[:3] == ("construct", "TypeError no 'bias'", "no exception")
    same = "2 set:eps:0.5 ValueError a"
    change = CaseChange("a", "plain", (same, "10 load:legacy E f"), (same, "9 load:plain E f"), ())
    assert first_difference(change)[:3] == ("load:plain", "no exception", "E f")


ERRORS = {
    "raises where it did not": ((), ("1 eval ValueError a",)),
    "raises another class": (("1 eval ValueError a",), ("1 eval TypeError a",)),
    "raises with other words": (("1 eval ValueError a",), ("1 eval ValueError b",)),
    "raises no more": (("1 eval ValueError a",), ()),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_the_kind_of_a_change_of_exceptions(kind: str) -> None:
    old, new = (handmade.row(errors=errors) for errors in ERRORS[kind])
    assert [shift.kind for shift in found_shifts([old], [new])] == [kind]


def test_what_breaks_a_program_comes_first_and_of_that_what_most_cases_show() -> None:
    old, new = [], []
    for size, (kind, (before, after)) in enumerate(ERRORS.items(), start=1):
        for i in range(size):
            old.append(handmade.row(f"{kind}-{i}", errors=before))
            new.append(handmade.row(f"{kind}-{i}", errors=after))
    old += [handmade.row(f"more-{i}") for i in range(9)]
    new += [handmade.row(f"more-{i}", errors=("1 eval OSError",)) for i in range(9)]
    order = [(shift.kind, len(shift.cases)) for shift in found_shifts(old, new)]
    assert order == [
        ("raises where it did not", 9),
        ("raises where it did not", 1),
        ("raises another class", 2),
        ("raises with other words", 3),
        ("raises no more", 4),
    ]


def test_a_group_is_explained_by_what_all_its_cases_share() -> None:
    names = (("counts", "x"), ("counts",), ("counts", "y"))
    old = [handmade.row(f"a{i}", switches=each) for i, each in enumerate(names)]
    new = [raising(i, case=f"a{i}", switches=each) for i, each in enumerate(names)]
    assert found_shifts(old, new, counts=True, x=True, y=True)[0].because == ("counts",)
    old.append(handmade.row("b"))
    new.append(raising(7, case="b"))
    assert found_shifts(old, new, counts=True, x=True, y=True)[0].because == ()
    assert "       b (nothing in the registries explains it)" in text(old, new, counts=True, x=True)


def test_a_switch_unknown_to_this_suite_is_still_named() -> None:
    lines = text(A, A, forgotten=True)
    assert "  forgotten: (this suite no longer knows this switch)" in lines


def test_a_switch_unknown_to_one_record_is_still_named() -> None:
    a = handmade.record(handmade.header(), A)
    b = handmade.record(handmade.header(semantics={"counts": True}), A)
    lines = diff_lines(a, b, compare(a, b), {"counts": ("It counts.", "It does not.")})
    assert "  counts: the suite that wrote the record did not know this switch" in lines
    assert "    -> It counts." in lines


def test_whatever_else_differs_is_noted() -> None:
    a = handmade.record(handmade.header(numpy="1.26.4"), A)
    b = handmade.record(handmade.header(subject="mine:BatchNorm"), A)
    lines = diff_lines(a, b, compare(a, b), {})
    assert "note: numpy differs too: 1.26.4 -> 2.4.6" in lines
    assert "note: subject differs too: torch.nn:BatchNorm2d -> mine:BatchNorm" in lines


def test_many_groups_are_cut_the_smallest_first() -> None:
    sizes = {f"group-{i:02}": i + 1 for i in range(GROUPS + 2)}
    new = [
        handmade.row(f"{name}-{i}", behaviour=name) for name, size in sizes.items() for i in range(size)
    ]
    lines = text([], new)
    assert "  ... and 2 more behaviours (--all shows them)" in lines
    assert f"  group-{GROUPS + 1:02}: {GROUPS + 2} cases" in lines
    assert "  group-01: 2 cases" not in lines
    everything = text([], new, show_all=True)
    assert "  group-01: 2 cases" in everything
    assert not any("--all" in line for line in everything)


def test_a_long_line_is_cut_unless_all_is_asked_for() -> None:
    long = [handmade.row("a", errors=("1 eval ValueError " + "x" * 500,))]
    assert all(len(line) < 120 for line in text(A, long))
    assert any("x" * 500 in line for line in text(A, long, show_all=True))


def test_a_step_over_eight_releases_is_one_screen_that_begins_with_what_breaks() -> None:
    records = Path(__file__).parents[2] / "reports" / "records"
    old, new = (record.read(records / f"torch-{name}.jsonl.gz") for name in ("2.5", "2.13"))
    lines = diff_lines(old, new, compare(old, new), releases.sentences())
    assert len(lines) <= 40
    assert all(len(line) <= 130 or line.startswith(7 * " ") for line in lines)  # ids are whole
    breaking = next(i for i, line in enumerate(lines) if line.startswith("raises where it did not"))
    assert breaking <= 6
    assert "ValueError running_mean and running_var must either both be None" in lines[breaking + 1]
    assert "because of one_running_buffer_suffices" in lines[breaking + 2]
    assert not any("e+" in line for line in lines)


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
