"""A record in one line, as Markdown and as annotations; text of a subject commands nothing in them."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import List, Tuple

import pytest

from reports import record
from reports.__main__ import main
from reports.rows import OUTCOMES
from reports.summary import MOST, WORDS, markdown, sentence
from reports.workflow_commands import MOST as ANNOTATIONS
from reports.workflow_commands import annotation, annotation_lines, unknown
from tests.meta import handmade
from tests.meta.sources import ROOT

HEAD = handmade.header(threads=1)
PASSES = [handmade.row("case-" + name) for name in "abc"]
WRONG = [handmade.row(f"case-{n}", findings=(handmade.found(f"quantity {n}"),)) for n in range(12)]

HOSTILE = "x\n::error::a\r\n::add-mask::b %0A::c <img src=x> | `d` [e](f) \x1b[31m \u202e"
WORST = [
    handmade.row(
        f"case-'{HOSTILE}'",
        finding=HOSTILE,
        findings=(handmade.found(HOSTILE, got=HOSTILE, expected=HOSTILE, token=f"forward:{HOSTILE}"),),
    )
]


def test_the_sentence_says_what_ran_and_how_it_ended() -> None:
    line = sentence(handmade.header(selection="-k eps"), [*PASSES, *WRONG], 1)
    assert line == (
        "torch 2.13.0+cpu | torch.nn:BatchNorm2d | tier gate (-k eps) | seed 0: "
        "15 cases: 3 pass, 0 known defects, 12 findings"
    )
    adapted = handmade.header(promise="values", device="cuda", implementation="flax 1.0")
    assert " | flax 1.0 | promise values | device cuda | tier gate" in sentence(adapted, PASSES, 0)
    assert "Tested: `flax 1.0 | promise values | device cuda`" in markdown(adapted, PASSES, 0)
    without_torch = handmade.header(torch="", implementation="flax 1.0")
    assert sentence(without_torch, PASSES, 0).startswith("rules of torch 2.13 | torch.nn:BatchNorm2d | flax 1.0 | tier")
    assert "| rules of 2.13 |" in "".join(markdown(without_torch, PASSES, 0))
    assert sentence(HEAD, PASSES, 2).endswith("; did not finish, exit status 2")


def test_the_words_are_of_outcomes() -> None:
    assert set(WORDS) <= set(OUTCOMES)


def test_markdown_of_a_run_as_specified() -> None:
    assert markdown(HEAD, PASSES, 0) == [
        "### BatchNorm2d conformance: as specified",
        "",
        "| subject | torch | tier | cases | pass | known defects | findings |",
        "| --- | :-: | :-: | :-: | :-: | :-: | :-: |",
        "| `torch.nn:BatchNorm2d` | 2.13.0+cpu | gate | 3 | 3 | 0 | 0 |",
        "",
    ]


def test_markdown_lists_few_causes_and_counts_the_others() -> None:
    lines = markdown(HEAD, WRONG, 1)
    assert lines[0] == "### BatchNorm2d conformance: 12 findings"
    assert sum(line.startswith("1. ") for line in lines) == MOST
    assert "and 2 more causes: `python -m reports show` lists them" in lines
    assert any("`pytest --case 'case-0'`" in line for line in lines)


def test_markdown_of_an_unfinished_run_says_so() -> None:
    assert "did not finish (exit status 3)" in markdown(HEAD, PASSES, 3)[0]


@pytest.mark.parametrize("text", [*markdown(HEAD, WORST, 1), sentence(handmade.header(torch=HOSTILE), WORST, 1)])
def test_hostile_text_stays_on_its_line(text: str) -> None:
    assert text.isprintable()
    outside = re.sub(r"(`+).*?\1", "", text)
    assert not re.search(r"(?<!\\)<img", outside) or text.startswith("torch")
    assert not text.startswith("::")


def test_an_annotation_is_one_workflow_command() -> None:
    assert annotation_lines(HEAD, PASSES) == []
    (line,) = annotation_lines(HEAD, WRONG[:1])
    assert line == (
        "::error title=BatchNorm2d conformance%3A 1 case::wrong after forward: quantity 0%0A"
        "got 1.0, expected 2.0%0Apytest --case 'case-0'"
    )


def test_annotations_are_few() -> None:
    lines = annotation_lines(HEAD, WRONG, ["a problem of the run"])
    assert len(lines) == ANNOTATIONS
    assert lines[0] == "::error title=BatchNorm2d conformance%3A the run::a problem of the run"
    assert lines[-1].startswith("::error title=BatchNorm2d conformance%3A 4 more::")


def test_findings_that_were_known_are_not_annotated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other_digits = handmade.row("case-0", findings=(handmade.found("quantity 0", got="1.5"),))
    other_quantity = handmade.row("case-1", findings=(handmade.found("something else"),))
    rows = [other_digits, other_quantity, WRONG[2], handmade.row("case-a")]
    assert [row.id for row in unknown(rows, WRONG[:2])] == ["case-1", "case-2"]
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    record.write(old, HEAD, WRONG[:2], 1)
    record.write(new, HEAD, rows, 1)
    assert main(["summary", "--as", "annotations", "--level", "notice", "--since", str(old), str(new)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("::notice title=BatchNorm2d conformance%3A 1 case::") for line in lines)
    assert main(["summary", "--as", "annotations", "--since", str(old), str(old)]) == 0
    assert capsys.readouterr().out == ""


def commands(text: str) -> List[str]:
    """Return the workflow commands in a log, as GitHub's runner finds them, at the beginnings of lines."""
    return [line for line in re.split(r"\r\n|\r|\n", text) if line.lstrip().startswith("::")]


def test_hostile_text_makes_no_further_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, handmade.header(subject=HOSTILE), WORST, 1)
    assert main(["summary", "--as", "annotations", str(path)]) == 0
    printed = capsys.readouterr().out
    assert len(commands(printed)) == 1 == len(printed.splitlines())
    assert re.fullmatch(r"::error title=[^:,]*::.*", printed.strip())
    assert "%0A" in printed
    assert "%250A" in printed
    (line,) = commands(annotation("error", f"a{HOSTILE}", [HOSTILE]))
    assert re.fullmatch(r"::error title=[^:,]*::.*", line)


def counted(path: Path) -> Tuple[int, int, int]:
    """Return the number of cases, passes and known defects of a committed record, counted in its lines."""
    with gzip.open(str(path), "rt") as file:
        _, *rows = (json.loads(line) for line in file)
    outcomes = [row["outcome"] for row in rows if row["kind"] == "case"]
    return len(outcomes), outcomes.count("pass"), outcomes.count("known_defect")


def test_the_command_sums_up_the_committed_records(capsys: pytest.CaptureFixture[str]) -> None:
    paths = [ROOT / "reports" / "records" / f"torch-{release}.jsonl.gz" for release in ("1.4", "2.13")]
    old, new = (counted(path) for path in paths)
    together = tuple(a + b for a, b in zip(old, new))
    words = "{:,} cases: {:,} pass, {:,} known defects, 0 findings"
    assert main(["summary", *(str(path) for path in paths)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "torch 1.4.0 | torch.nn:BatchNorm2d | tier gate | seed 0: " + words.format(*old),
        "torch 2.13.0+cpu | torch.nn:BatchNorm2d | tier gate | seed 0: " + words.format(*new),
        "2 records together: " + words.format(*together),
    ]
