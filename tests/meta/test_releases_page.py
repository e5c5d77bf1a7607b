"""RELEASES.md is a function of the records, and the committed page is its value."""

from __future__ import annotations

from typing import List, Optional

import pytest

from oracle.defects import Defect
from oracle.semantics import SWITCHES as TABLE
from oracle.switch import Switch
from reports import releases
from reports.history import history, read_history, record_paths
from reports.markdown import table
from reports.record import Record
from tests.meta import handmade

OTHER = "f" * 16

SWITCHES = (
    Switch("counts", None, (1, 9), "It counts.", "It does not count.", "#12"),
    Switch("checks", (1, 10), (1, 10), "It checks.", "It does not check.", "PR #34"),
)

DEFECTS = (
    Defect(
        name="poison",
        first=(1, 9),
        last=(1, 9),
        circumstances="in empty batches",
        instead="NaN | stays",
        source="#56",
        avoid="Reset it.",
    ),
)


def three_releases() -> List[Record]:
    """Return 1.9, 1.10 and 2.0, with a change of every kind between them."""
    return [
        handmade.record(
            handmade.header("1.9", semantics={"counts": True, "checks": False}),
            [
                handmade.row("a", behaviour="counter", switches=("counts",)),
                handmade.row("b", behaviour="empty", defect="poison"),
                handmade.row("c"),
            ],
        ),
        handmade.record(
            handmade.header("1.10", semantics={"counts": False, "checks": True}),
            [
                handmade.row("a", behaviour="counter", switches=("counts",), digest=OTHER),
                handmade.row("b", behaviour="empty", switches=("checks",), errors=("1 E",)),
                handmade.row("c", digest=OTHER, share={"output": (-0.5, 0.0)}),
            ],
        ),
        handmade.record(
            handmade.header("2.0", semantics={"counts": False, "checks": False}),
            [
                handmade.row("a", behaviour="counter", switches=("counts",), digest=OTHER),
                handmade.row("b", behaviour="empty", switches=("checks",)),
                handmade.row("c", digest=OTHER, finding="output[0] got nan"),
                handmade.row("d", behaviour="no bias"),
            ],
            exit_status=1,
        ),
    ]


def handmade_page() -> str:
    return releases.page(history(three_releases()), SWITCHES, DEFECTS)


def cells(page: str, first: str) -> List[str]:
    """Return the cells of the row that starts with ``first``."""
    [line] = [line for line in page.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in line.strip("|").split(" | ")][1:]


# --- the page ---------------------------------------------------------------------------


def test_the_committed_page_is_what_the_committed_records_give() -> None:
    if not record_paths(releases.DIRECTORY):
        pytest.skip(
            "reports/records holds no record yet; make one with "
            f"pytest --report reports/records/torch-2.13.jsonl.gz, then {releases.COMMAND}"
        )
    expected = releases.page(read_history(releases.DIRECTORY)).encode("utf-8")
    assert releases.PAGE.exists(), f"write the page with: {releases.COMMAND}"
    same = releases.PAGE.read_bytes() == expected
    assert same, f"the page is not what the records give; run: {releases.COMMAND}"


def test_the_page_says_how_it_is_made() -> None:
    lines = handmade_page().splitlines()
    assert lines[0] == "# torch.nn:BatchNorm2d from torch 1.9 to 2.0"
    assert "`python -m reports releases`" in lines[2]


def test_releases_are_in_the_order_of_numbers() -> None:
    names = [column.header.release for column in history(three_releases()[::-1]).columns]
    assert names == ["1.9", "1.10", "2.0"]
    assert "| behaviour | 1.9 | 1.10 | 2.0 |" in handmade_page()


def test_the_page_does_not_depend_on_the_order_of_records() -> None:
    backwards = releases.page(history(three_releases()[::-1]), SWITCHES, DEFECTS)
    assert backwards == handmade_page()


def test_every_table_has_as_many_cells_in_every_row() -> None:
    width = 0
    for line in handmade_page().splitlines():
        count = line.replace("\\|", "").count("|")
        if width and count:
            assert count == width, line
        width = count


def test_the_row_of_a_run() -> None:
    row = cells(handmade_page(), "2.0.0+cpu")
    assert row == [
        "3.11.7", "2.4.6", "abc1234", "4", "16", "48", "1", "0", "25 % (25 %)", "–", "–",
    ]  # fmt: skip


def test_a_release_outside_the_table_of_semantics_is_marked() -> None:
    head = handmade.header("2.16", release_in_table=False)
    page = releases.page(history([handmade.record(head, [handmade.row()])]), (), ())
    assert "| 2.16.0+cpu (not in the table of semantics) |" in page


def test_the_row_of_a_switch_is_taken_from_the_records() -> None:
    page = handmade_page()
    assert cells(page, "`counts`") == ["● 1", "**○** 1", "○ 1"]
    assert cells(page, "`checks`") == ["○ ∅", "**●** 1", "**○** 1"]


def test_a_switch_comes_with_its_interval_its_sentences_and_its_source() -> None:
    page = handmade_page()
    assert (
        "- `counts`, up to 1.9. Source: #12.\n  - ● It counts.\n  - ○ It does not count.\n"
    ) in page
    assert "- `checks`, 1.10 to 1.10. Source: PR #34.\n" in page


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (None, None, "on every release"),
        (None, (1, 5), "up to 1.5"),
        ((2, 1), None, "from 2.1"),
        ((1, 6), (1, 12), "1.6 to 1.12"),
    ],
)
def test_an_interval_in_words(first: object, last: object, words: str) -> None:
    switch = Switch("s", first, last, "In.", "Out.", "measured")  # type: ignore[arg-type]
    assert f"- `s`, {words}. Source: measured." in releases.page(
        history(three_releases()), (switch,), ()
    )


def test_names_that_left_the_registries_are_still_shown() -> None:
    page = releases.page(history(three_releases()), (), ())
    assert cells(page, "`counts`") == ["● 1", "**○** 1", "○ 1"]
    assert "- `counts`: in a record, and no longer in the table of semantics.\n" in page
    assert "- `poison`: in a record, and no longer in the registry.\n" in page


def test_a_switch_that_no_record_knows_has_empty_cells() -> None:
    switch = Switch("newer", None, None, "In.", "Out.", "measured")
    page = releases.page(history(three_releases()), (switch,), ())
    assert "| `newer` |  |  |  |\n" in page


def test_the_row_of_a_known_defect() -> None:
    page = handmade_page()
    assert cells(page, "`poison`") == ["1", "", ""]
    assert (
        "- `poison`, 1.9 to 1.9, in empty batches. Source: #56.\n"
        "  - Instead: NaN \\| stays\n"
        "  - To avoid it: Reset it.\n"
    ) in page


def test_a_page_without_known_defects_says_so() -> None:
    page = releases.page(history(three_releases()[1:]), SWITCHES, ())
    assert "None: no case showed one, and the registry names none." in page


def test_the_rows_of_behaviours_mark_changes() -> None:
    page = handmade_page()
    assert cells(page, "`counter`") == ["1", "≠ 1", "1"]
    assert cells(page, "`empty`") == ["1d", "≠ 1", "≠ 1"]
    assert cells(page, "`plain`") == ["1", "1", "≠ 1f"]
    assert cells(page, "`no bias`") == ["", "", "1"]


def test_every_change_is_explained_with_its_source() -> None:
    page = handmade_page()
    assert (
        "- 1.9 → 1.10\n"
        "  - `counter`: other expected values in 1 case; `counts` (#12).\n"
        "  - `empty`: another verdict in 1 case, other exceptions in 1 case, "
        "other expected values in 1 case; `checks` (PR #34), `poison` (#56).\n"
        "- 1.10 → 2.0\n"
        "  - `empty`: other exceptions in 1 case, other expected values in 1 case; "
        "`checks` (PR #34).\n"
        "  - `plain`: another verdict in 1 case; **1 case unexplained**.\n"
        "  - 1 case only in 2.0.\n"
    ) in page


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        ("3 forward:b0 RuntimeError it is so", "only other words in the messages of 1 case"),
        ("3 forward:b0 ValueError it was so", "**1 case unexplained**"),
        ("2 forward:b0 RuntimeError it was so", "**1 case unexplained**"),
        (None, "**1 case unexplained**"),
    ],
)
def test_other_words_are_told_from_other_exceptions(after: Optional[str], reason: str) -> None:
    """Two messages that both say what is specified differ in words; class and step are specified."""
    before = handmade.row(errors=("3 forward:b0 RuntimeError it was so",))
    later = handmade.row(errors=() if after is None else (after,))
    records = [
        handmade.record(handmade.header(name), [row]) for name, row in (("2.0", before), ("2.1", later))
    ]
    page = releases.page(history(records))
    assert f"other exceptions in 1 case; {reason}." in page


def test_releases_that_behave_alike_need_no_reasons() -> None:
    rows = [handmade.row()]
    alike = [handmade.record(handmade.header(name), rows) for name in ("2.0", "2.1")]
    assert "Nothing changed between neighbouring releases." in releases.page(history(alike))


def test_the_rows_of_numerics() -> None:
    page = handmade_page()
    assert cells(page, "1.9 → 1.10") == ["1", "1", "3, 25 %", "–", "–"]
    assert cells(page, "1.10 → 2.0") == ["2", "0", "–", "–", "–"]


def test_the_character_that_ends_a_cell_does_not() -> None:
    assert table(["a", "b"], [["x|y", "z\nw"]]) == [
        "| a | b |",
        "| --- | :-: |",
        "| x\\|y | z w |",
    ]


def test_sentences_are_those_of_the_table() -> None:
    assert releases.sentences(SWITCHES)["counts"] == ("It counts.", "It does not count.")
    assert set(releases.sentences()) == {switch.name for switch in TABLE}
