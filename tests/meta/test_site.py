"""The page of records: what it is made of, and that it shows text and acts on none."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any, Dict, Iterator, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import catalogue
from reports.rows import OUTCOMES, CaseRow
from reports.site import drift, programs
from reports.site.board import LOOKS, board, cell_of
from reports.site.columns import IMPLEMENTATIONS, PATHS, RELEASES, columns, series
from reports.site.contents import ABSENT, contents
from reports.site.figures import power
from reports.site.packing import packed
from reports.site.tables import fronts, repeats
from reports.tally import reach
from tests.meta import handmade
from tests.meta.test_visible import acting, hostile

# --- columns ----------------------------------------------------------------------------


def test_releases_come_in_order_and_other_modules_after_them() -> None:
    found = columns(handmade.releases())
    assert [each.name for each in found] == ["2.12", "2.13", "Norm 2.13"]
    assert [each.group for each in found] == [RELEASES, RELEASES, IMPLEMENTATIONS]
    assert found[2].title == "mine:Norm on torch 2.13.0+cpu"
    assert [(old.name, new.name) for old, new in series(found)] == [("2.12", "2.13")]


@pytest.mark.parametrize(
    ("fields", "name", "title", "group"),
    [
        ({}, "2.13", "torch 2.13.0+cpu", RELEASES),
        ({"promise": "values"}, "2.13 values", "torch 2.13.0+cpu, promise values", RELEASES),
        ({"subject": "mine:Norm"}, "Norm 2.13", "mine:Norm on torch 2.13.0+cpu", IMPLEMENTATIONS),
        (
            {"subject": "a:b", "implementation": "flax 0.12", "promise": "values"},
            "flax 0.12", "flax 0.12, promise values", IMPLEMENTATIONS,
        ),
        ({"path": "compile"}, "2.13 compile", "torch 2.13.0+cpu, path compile", PATHS),
        ({"device": "cuda"}, "2.13 cuda", "torch 2.13.0+cpu, device cuda", PATHS),
    ],
)  # fmt: skip
def test_a_column_is_named_after_what_was_tested(fields: Dict[str, str], name: str, title: str, group: str) -> None:
    (column,) = columns([handmade.record(handmade.header(**fields), [handmade.row()])])
    assert (column.name, column.title, column.group) == (name, title, group)


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["old.jsonl.gz", "new.jsonl"], ["2.13 old", "2.13 new"]),
        (["a/run.jsonl", "b/run.jsonl"], ["2.13 run #1", "2.13 run #2"]),
    ],
)
def test_columns_of_one_release_have_different_names(sources: List[str], names: List[str]) -> None:
    given_records = [handmade.record(handmade.header(), [handmade.row()], source=each) for each in sources]
    assert [each.name for each in columns(given_records)] == names


# --- board ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "text", "words"),
    [
        ({"pass": 3}, "✓", "3 pass"),
        ({"pass": 3, "not_applicable": 1}, "✓3", "3 pass, 1 not applicable"),
        ({"not_applicable": 2}, "–", "2 not applicable"),
        ({"contract": 1, "pass": 1}, "§1", "1 within the contract, 1 pass"),
        ({"pass": 3, "known_defect": 1}, "◆1", "1 known defect, 3 pass"),
        ({"pass": 3, "known_defect": 2, "finding": 4}, "✗4", "4 findings, 2 known defects, 3 pass"),
        ({}, "", "no case"),
    ],
)
def test_a_cell_shows_the_worst_and_says_all(counts: Dict[str, int], text: str, words: str) -> None:
    cell = cell_of(counts)
    assert (cell.text, cell.words) == (text, words)


def test_outcomes_are_told_apart_without_colour() -> None:
    assert set(LOOKS) == {*OUTCOMES, "absent"}
    signs = [look.sign for look in LOOKS.values()]
    assert len(set(signs)) == len(signs)


def test_cells_that_are_alike_are_one_run_within_a_group() -> None:
    (part,) = board(columns(handmade.releases()))
    assert part.title == "Other cases"
    (line,) = part.lines
    assert [(run.first, run.last, run.cell.text) for run in line.runs] == [(0, 0, "✗3"), (1, 1, "✗1"), (2, 2, "✓")]
    same = handmade.varied_rows()[:2]
    alike = [handmade.record(handmade.header(f"2.{minor}"), same) for minor in (11, 12, 13)]
    other = handmade.record(handmade.header(subject="mine:Norm"), same)
    (part,) = board(columns([*alike, other]))
    assert [(run.first, run.last) for run in part.lines[0].runs] == [(0, 2), (3, 3)]


# --- contents ---------------------------------------------------------------------------


def spread(pairs: List[int]) -> List[int]:
    return [value for value, count in zip(pairs[::2], pairs[1::2]) for _ in range(count)]


def whole(pairs: List[Any]) -> List[str]:
    texts: List[str] = []
    for same, rest in zip(pairs[::2], pairs[1::2]):
        texts.append((texts[-1] if texts else "")[:same] + rest)
    return texts


@given(st.lists(st.integers(-1, 3)))
def test_repeats_can_be_spread(values: List[int]) -> None:
    assert spread(repeats(values)) == values


@given(st.lists(st.text(alphabet="ab-", max_size=6)))
def test_fronts_can_be_made_whole(texts: List[str]) -> None:
    assert whole(fronts(texts)) == texts


def told(data: Any, case: str, column: int) -> Dict[str, Any]:
    """Return what the data of a page says of a case in a column, in the words of its row."""
    place = whole(data["cases"]["ids"]).index(case)
    result = spread(data["shown"])[place * len(data["columns"]) + column]
    if result == ABSENT:
        return {}
    tables = data["tables"]
    errors = [tables["errors"][each] for each in tables["raised"][spread(data["raised"])[result]]]
    flat = tables["measures"][data["measure"][result]]
    pairs = tables["compared"][spread(data["compared"])[result]]
    return {
        "behaviour": data["behaviours"][data["cases"]["behaviour"][place]],
        "outcome": data["looks"][spread(data["outcome"])[result]][0],
        "forwards": spread(data["forwards"])[result],
        "defect": tables["texts"][spread(data["defect"])[result]],
        "errors": [f"{step} {words}" for step, _, words, _ in errors],
        "switches": tables["exercised"][spread(data["exercised"])[result]],
        "share": dict(zip(flat[::4], flat[1::4])),
        "compared": dict(zip(pairs[::2], pairs[1::2])),
        "findings": [tables["findings"][each] for each in data["found"].get(str(result), [])],
    }


def expected(row: CaseRow) -> Dict[str, Any]:
    steps = [error.split(" ", 2) for error in row.errors]
    return {
        "behaviour": row.behaviour,
        "outcome": row.outcome,
        "forwards": row.forwards,
        "defect": row.defect or "",
        "errors": [f"{step} {words}" for step, _, words in steps],
        "switches": list(row.switches),
        "share": {name: "inf" if reach(pair) == float("inf") else reach(pair) for name, pair in row.share.items()},
        "compared": dict(row.compared),
        "findings": [[each.step, each.token, each.quantity, each.got, each.expected] for each in row.findings],
    }


def test_the_data_of_a_page_says_what_the_rows_say() -> None:
    given_columns = columns(handmade.releases())
    data = json.loads(zlib.decompress(base64.b64decode(packed(contents(given_columns)))))
    count = 0
    for place, column in enumerate(given_columns):
        for row in column.record.rows:
            said = told(data, row.id, place)
            said["findings"] = [each[:5] for each in said["findings"]]
            assert said == expected(row)
            count += 1
    assert count == 13
    assert told(data, "case-g", 0) == {}


def test_other_bytes_are_another_result() -> None:
    data: Any = contents(columns(handmade.releases()))
    shown = spread(data["shown"])
    place = whole(data["cases"]["ids"]).index("case-a") * 3
    versions = spread(data["version"])
    assert versions[shown[place]] != versions[shown[place + 1]]
    assert shown[place] == shown[place + 2]


def test_a_program_is_what_the_id_says() -> None:
    case = "matrix-affine-track-momentum_none-train_only-no_mutation-never-exact-n8-float32-g_ones-seed7"
    known = programs.program(case)
    assert known.construction == "BatchNorm2d(11, momentum=None)"
    assert known.inputs == "exact lane, shape n8, float32, seed 7"
    assert known.steps[:3] == ("preset", "input_grad:b0", "backward:ones")
    assert programs.program("matrix-nothing") == programs.UNKNOWN


def test_every_word_of_a_step_has_a_meaning() -> None:
    cases = [case for family in catalogue.FAMILIES for case in catalogue.ids(family, "smoke")]
    tokens = sorted({step for case in cases for step in programs.program(case).steps})
    meanings = programs.meanings(tokens)
    assert set(meanings) == {step.partition(":")[0] for step in tokens}
    assert meanings["input_grad"].endswith("With an input that requires a gradient.")
    assert all(len(meaning) > 10 and "``" not in meaning for meaning in meanings.values())
    assert set(programs.VARIATIONS) <= {*meanings, "earlier"}


def test_the_words_of_an_id_stand_on_its_axes() -> None:
    for case in catalogue.ids("matrix", "smoke"):
        axes = programs.axes([case])
        found = programs.words(case)
        assert len(found) == len(axes)
        assert all(word in axis.words for word, axis in zip(found, axes))
    assert programs.words("edge-eps-x") == ("edge",)


# --- plots ------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "text"), [(0.01, "10⁻²"), (1.0, "1"), (1e16, "10¹⁶")])
def test_a_power_of_ten_is_written_with_its_exponent(value: float, text: str) -> None:
    assert power(value) == text


def test_a_histogram_has_every_case_in_a_bin() -> None:
    rows = [
        handmade.row(f"case-{number}", share={"output": (-share, 0.0)})
        for number, share in enumerate((0.0, 0.049, 0.05, 0.999, 1.0, 1.001, float("inf")))
    ]
    (spread,) = drift.spreads(columns([handmade.record(handmade.header(), rows)]))
    ((_, bins),) = spread.columns
    assert bins == (2, 1, *[0] * 17, 2, 2)


def test_the_drift_is_that_of_the_comparison() -> None:
    before = [handmade.row("case-a"), handmade.row("case-b")]
    after = [handmade.row("case-a", digest="f" * 16, ulps={"output": (-3.0, 1.0)}), handmade.row("case-b")]
    given_columns = columns([handmade.record(handmade.header(f"2.{12 + at}"), rows) for at, rows in enumerate((before, after))])
    (step,) = drift.steps(given_columns)
    assert (step.name, step.changed) == ("2.13", 0.5)
    assert step.ulps == {"output": 4.0}


# --- text that acts ---------------------------------------------------------------------


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(key)
            yield from texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from texts(item)


def test_the_data_of_a_page_holds_no_character_that_acts() -> None:
    data = contents(columns([hostile(), hostile("2.13")]))
    found = list(texts(data))
    assert acting("".join(found)) == []
    assert any("\\u202e" in each for each in found)
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", packed(data))
