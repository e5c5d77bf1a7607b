"""IMPLEMENTATIONS.md is a function of the records and notes, and the committed page is its value."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, List, Tuple

import pytest

from reports import divergence, implementation_sections, implementations
from reports.__main__ import main
from reports.errors import PartialRecord, ReportError
from reports.record import Record, read, write
from reports.rows import FINDING
from tests.meta import handmade
from tests.meta.sources import ROOT

nox = pytest.importorskip("nox", reason="it reads the environments: pip install nox")

LARGEST = 300_000
"""The largest number of bytes of a committed record."""

NOTES = divergence.divergences()
COLUMNS = implementations.columns()
ON_PATHS = implementations.of_paths()
ENVIRONMENTS = nox.project.load_toml(str(ROOT / "tests" / "subject" / "adapters" / "environments.toml"))

NOTE = """# Empty batches

- columns: flax
- quantities: running_*
- cases: edge-empty-*
- regimes: *
- since: 1.0
- source: #12

What is seen.

```python
print(1)
```
"""


def written(directory: Path, name: str, header: Any, rows: List[Any], exit_status: int = 1) -> Path:
    path = directory / f"{name}.jsonl.gz"
    write(path, header, rows, exit_status)
    return path


def header(**overrides: Any) -> Any:
    values = {"implementation": "flax 0.12.8 (jax 0.10.2)", "promise": "values", "tier": "smoke"}
    return handmade.header(**{**values, **overrides})


def column(name: str, rows: List[Any], **overrides: Any) -> implementations.Column:
    record: Record = handmade.record(header(**overrides), rows)
    return implementations.column(name, record)


EMPTY = handmade.row(
    "edge-empty-no_batch", behaviour="empty", findings=(handmade.found("running_mean", got="nan", expected="0.5"),)
)
OTHER = handmade.row("edge-eps-large", behaviour="eps", findings=(handmade.found("output", got="7"),))
CLAUSE = handmade.row("matrix-a", outcome="contract", clause="biased", reason="It says so")
UNOFFERED = handmade.row("matrix-b", outcome="not_applicable", reason="not offered: counter")


def test_the_committed_page_is_what_the_records_give() -> None:
    assert main(["implementations", "--check"]) == 0


@pytest.mark.parametrize("each", COLUMNS, ids=[each.name for each in COLUMNS])
def test_every_finding_of_a_committed_record_is_explained(each: implementations.Column) -> None:
    left = implementation_sections.unexplained(each, NOTES)
    assert [row.id for row in left if row.outcome == FINDING] == []


@pytest.mark.parametrize("each", ON_PATHS, ids=[each.name for each in ON_PATHS])
def test_a_path_has_a_small_record_without_findings(each: implementations.Column) -> None:
    assert (each.header.path, each.header.tier, each.header.device) == (each.name, "smoke", "cpu")
    assert each.tally.outcomes[FINDING] == 0
    assert (implementations.PATHS / f"{each.name}.jsonl.gz").stat().st_size < LARGEST


@pytest.mark.parametrize("note", NOTES, ids=[note.name for note in NOTES])
def test_every_note_explains_something_in_each_column_it_names(note: divergence.Divergence) -> None:
    explained = {
        each.name
        for each in COLUMNS
        for row in each.rows
        if row.outcome == FINDING and implementation_sections.explanation(each, row, NOTES) is note
    }
    assert explained == set(note.columns)


@pytest.mark.parametrize("note", NOTES, ids=[note.name for note in NOTES])
def test_every_script_is_a_short_program(note: divergence.Divergence) -> None:
    compile(note.script, note.name, "exec")
    assert len(note.script.splitlines()) <= 24


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_environment_has_a_small_record_of_its_subject(name: str) -> None:
    there = {each.name: each.header for each in COLUMNS}
    assert (there[name].subject, there[name].promise) == (
        ENVIRONMENTS[name]["subject"],
        ENVIRONMENTS[name]["promise"],
    )
    assert (implementations.DIRECTORY / f"{name}.jsonl.gz").stat().st_size < LARGEST


def test_cells_count_the_outcomes(tmp_path: Path) -> None:
    note = tmp_path / "empty.md"
    note.write_text(NOTE, encoding="utf-8")
    clauses = {"biased": "It says so (a page)"}
    shown = [column("flax", [EMPTY, OTHER, CLAUSE, UNOFFERED], clauses=clauses), column("mlx", [OTHER])]
    page = implementations.page(shown, divergence.divergences(tmp_path))
    assert "| empty | 1 ✗ |  |" in page
    assert "| plain | 1 § 1 – |  |" in page
    assert "- § `biased`, 1 case: It says so (a page)." in page
    assert "- – not offered: counter (1)." in page
    assert "### Empty batches\n\n- `flax`, 1 case, as `edge-empty-no_batch`: running\\_mean after" in page
    assert page.count("as in `edge-eps-large`") == 2  # no note explains it


def test_a_path_has_a_row_and_a_line_with_its_clauses() -> None:
    torch = {"implementation": None, "promise": "module", "path": "vmap"}
    defect = handmade.row("matrix-c", outcome="known_defect", defect="narrow_arithmetic")
    shown = [column("vmap", [CLAUSE, UNOFFERED, OTHER, defect], **torch)]
    page = implementations.page([column("flax", [CLAUSE])], (), shown)
    assert "| `vmap` | torch 2.13.0+cpu | smoke | 4 | 0 | 1 | 1 | 1 | 1 |" in page
    line = next(each for each in page.splitlines() if each.startswith("- `vmap`: "))
    assert line.startswith("- `vmap`: § `biased` 1; ! `narrow_arithmetic` 1; ✗ 1 case: ")
    assert line.endswith("as in `edge-eps-large`.")
    assert "## Paths" not in implementations.page([column("flax", [CLAUSE])], ())


def test_a_page_without_findings_says_so() -> None:
    assert implementations.page([column("flax", [CLAUSE])], ()).endswith(
        "Nothing: no implementation on this page has a finding.\n"
    )


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ({}, "flax-jax"),
        ({"implementation": "mlx 0.32.4"}, "mlx"),
        ({"implementation": None, "path": "jit.trace"}, "torch-2.13-jit.trace"),
        ({"implementation": None, "device": "cuda"}, "torch-2.13-cuda"),
    ],
)
def test_the_name_of_a_column_has_no_version(overrides: Any, name: str) -> None:
    assert implementations.name_of(header(**overrides)) == name


def test_a_record_that_is_not_compressed_is_added_compressed(tmp_path: Path) -> None:
    mine = tmp_path / "mine.jsonl"
    write(mine, header(implementation="mine 1.0"), [EMPTY], 0)
    records = tmp_path / "records"
    records.mkdir()
    added = implementations.add(mine, None, records)
    assert added == records / "mine.jsonl.gz"
    assert read(added).rows == read(mine).rows


def test_one_command_adds_a_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records, page = tmp_path / "records", tmp_path / "PAGE.md"
    records.mkdir()
    shutil.copy(implementations.DIRECTORY / "onnxruntime.jsonl.gz", records)
    mine = written(tmp_path, "mine", header(implementation="mine 1.0"), [EMPTY])
    place = ["--records", str(records), "-o", str(page)]
    assert main(["implementations", "--add", str(mine), *place]) == 0
    assert sorted(path.name for path in records.iterdir()) == ["mine.jsonl.gz", "onnxruntime.jsonl.gz"]
    assert "| `mine` | mine 1.0 | eager | cpu | values | smoke |" in page.read_text(encoding="utf-8")
    assert "is the record of a column now" in capsys.readouterr().out
    assert main(["implementations", "--check", *place]) == 0
    page.write_text("edited", encoding="utf-8")
    assert main(["implementations", "--check", *place]) == 1


REFUSED: Tuple[Tuple[Any, int, str], ...] = (
    ({"selection": "-k eval"}, 1, "is a selection"),
    ({}, 2, "did not finish"),
)


@pytest.mark.parametrize(("overrides", "status", "problem"), REFUSED)
def test_a_record_that_is_no_column_is_refused(
    tmp_path: Path, overrides: Any, status: int, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = written(tmp_path, "mine", header(**overrides), [EMPTY], status)
    assert main(["implementations", "--add", str(mine), "--records", str(tmp_path)]) == 2
    assert problem in capsys.readouterr().err


def test_a_name_that_is_no_file_is_refused(tmp_path: Path) -> None:
    mine = written(tmp_path, "mine", header(), [EMPTY])
    with pytest.raises(implementations.UnusableName):
        implementations.add(mine, "../other", tmp_path)


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="holds no record"):
        implementations.columns(tmp_path)


def test_a_selection_is_no_column() -> None:
    with pytest.raises(PartialRecord):
        column("flax", [EMPTY], selection="--case a")


@pytest.mark.parametrize("cut", ["# ", "- since: 1.0\n", "```python", "- columns: flax\n"])
def test_a_note_that_lacks_something_is_refused(tmp_path: Path, cut: str) -> None:
    (tmp_path / "note.md").write_text(NOTE.replace(cut, "", 1), encoding="utf-8")
    with pytest.raises(divergence.UnusableNote):
        divergence.divergences(tmp_path)


def test_a_note_explains_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text(NOTE, encoding="utf-8")
    (note,) = divergence.divergences(tmp_path)
    assert note.explains("flax", EMPTY)
    assert not note.explains("mlx", EMPTY)
    assert not note.explains("flax", OTHER)
    assert note.script == "print(1)\n"
