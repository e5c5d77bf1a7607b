"""The files of portable vectors: what is in them, and that they say what the oracle says."""

from __future__ import annotations

import ast
import hashlib
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any, Set, Tuple

import numpy as np
import pytest

from cases import catalogue
from cases.derivatives import CALLING
from cases.matrix.axes import AXES
from cases.matrix.rows import parse
from cases.suffixes import split
from oracle.expectations import expectations
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.formats import FORMATS
from oracle.numerics.normalisation import output_values
from oracle.semantics import RELEASES, semantics
from reports.__main__ import main
from reports.vectors import page, selection
from reports.vectors.arrays import LOOSER, Arrays, npy, points
from reports.vectors.content import content
from reports.vectors.flags import KINDS, flags
from reports.vectors.numbers import Numbers, of_tensor
from reports.vectors.program import Json
from tests.meta.sources import SOURCES
from tests.meta.vectors_here import cases_in, load, smoke, used_flags, validate, validator

NEWEST = RELEASES[-1]


def test_the_command_says_what_it_wrote() -> None:
    first, second = smoke().printed.splitlines()
    manifest = load("manifest.json")
    assert first.startswith(f"{smoke().folder}: {manifest['numberOfTests']} cases, ")
    assert second.endswith("each with its reason in left_out.json")
    assert sorted(manifest["files"]) + ["manifest.json"] == sorted(
        [
            each.relative_to(smoke().folder).as_posix()
            for each in smoke().folder.rglob("*.*")
            if "__pycache__" not in each.parts  # a consumer of another test may have run
        ],
        key=lambda name: (name == "manifest.json", name),
    )


def test_the_bytes_are_the_same_in_another_process() -> None:
    made = content("smoke", NEWEST)
    assert {name: (smoke().folder / name).read_bytes() for name in made.files} == made.files
    assert sum(map(len, made.files.values())) < 20e6


def test_every_file_has_its_digest_in_the_manifest() -> None:
    for name, entry in load("manifest.json")["files"].items():
        data = (smoke().folder / name).read_bytes()
        assert entry == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}, name


def test_every_file_is_as_its_schema_says() -> None:
    assert validate(smoke().folder) == 5


@pytest.mark.parametrize(
    ("step", "wrong"),
    [
        ({"do": "forward", "input": 1}, "neither returns nor raises"),
        ({"do": "jump"}, "an unknown step"),
        ({"do": "set", "name": "momentum", "value": "much"}, "a text as a number"),
        ({"do": "assign", "state": {"running_mean": -1}}, "no array"),
        ({"do": "backward", "of": 1, "upstream": 2, "returns": {}, "flags": []}, "no gradient"),
    ],
)
def test_a_schema_sees_what_is_wrong(step: Json, wrong: str) -> None:
    found = load("edge.json")
    found["testGroups"] = found["testGroups"][:1]
    found["testGroups"][0]["tests"] = found["testGroups"][0]["tests"][:1]
    assert validator(found).is_valid(found)
    found["testGroups"][0]["tests"][0]["steps"].append(step)
    assert not validator(found).is_valid(found), wrong


def test_every_case_of_the_tier_is_there_or_left_out_with_a_reason() -> None:
    there = [test["id"] for _, test in cases_in()]
    left_out = [each for entry in load("left_out.json")["left_out"] for each in entry["ids"]]
    tier = {each for family in catalogue.FAMILIES for each in catalogue.ids(family, "smoke")}
    assert len(there) == len(set(there)) == load("manifest.json")["numberOfTests"]
    assert not set(there) & set(left_out)
    assert tier <= {*there, *left_out}
    assert all(catalogue.find(each).id == each for each in there)


def test_every_pair_of_words_of_the_matrix_is_there() -> None:
    def pairs(ids: Set[str]) -> Set[Any]:
        found: Set[Any] = set()
        for case_id in ids:
            row = parse(tuple(split(case_id)[0].split("-")[1:]))
            words = [selection.SEEN_ALIKE.get(word, word) for word in row[: list(AXES).index("layout")]]
            words[7] = words[7] if words[7] in selection.ORDINARY else selection.IN_ITS_PLACE
            found |= set(combinations(enumerate(words), 2))
        return found

    there = {test["id"] for _, test in cases_in() if test["id"].startswith("matrix")}
    assert len(there) < len(list(catalogue.ids("matrix", "smoke")))
    assert pairs(there) == pairs(set(catalogue.ids("matrix", "smoke")))


def test_every_flag_is_explained_once_with_links() -> None:
    notes, used = load("manifest.json")["notes"], used_flags(smoke().folder)
    assert {name: note["numberOfTests"] for name, note in notes.items()} == used
    table = flags(NEWEST)
    assert len({each.name for each in table}) == len(table)
    assert len({each.description for each in table}) == len(table)
    assert all(each.kind in KINDS and each.description.endswith(".") for each in table)
    assert [each.name for each in table if not each.links and each.kind != "TORCH_DEFECT"] == []


def test_the_page_has_the_flags() -> None:
    assert page.rendered(NEWEST) == page.PAGE.read_text(encoding="utf-8"), f"run: {page.COMMAND}"
    assert "](vectors/" not in (smoke().folder / "README.md").read_text(encoding="utf-8")


def test_every_array_lies_within_its_pool() -> None:
    table = load("arrays.json")
    pools = {name: np.load(smoke().folder / f"{name}.npy") for name in ("float32", "float64")}
    for entry in table["arrays"]:
        size = int(np.prod(entry["shape"]))
        if "points" in entry:
            places = table["points"][entry["points"]]
            assert entry["points"] == "x".join(map(str, entry["shape"]))
            assert max(places) < size
            size = len(places)
        for part in {"values", "budget"} & set(entry):
            pool, start = entry[part]
            assert start + size <= len(pools[pool])
            assert part == "values" or (pools[pool][start : start + size] >= 0).all()


def test_the_numbers_are_those_of_the_oracle() -> None:
    table, looked = load("arrays.json"), 0
    pools = {name: np.load(smoke().folder / f"{name}.npy") for name in ("float32", "float64")}
    rules = semantics(NEWEST).of_subject(sums_exactly=False)
    for _, test in list(cases_in())[::23]:
        case = catalogue.find(test["id"])
        steps = zip(case.steps, expectations(case, rules)[1:])  # vectors have no step that calls the module itself
        expected_of = [each.output for step, each in steps if not isinstance(step, CALLING)]
        outputs = [output for output in expected_of if output is not None]
        given = [
            step["returns"]["output"] for step in test["steps"] if "output" in step.get("returns", ())
        ]
        assert len(given) <= len(outputs)
        for number, output in zip(given, outputs):
            entry, expected = table["arrays"][number], output_values(output)
            assert entry["shape"] == list(expected.values.shape)
            places = table["points"].get(entry.get("points"), slice(None))
            values, budget = (each.reshape(-1)[places] for each in expected[:2])
            budget = np.where(np.isnan(budget), 0.0, budget)  # the oracle gives none
            beyond = np.abs(values) > FORMATS[output.dtype].largest
            values = np.where(beyond, np.copysign(np.inf, values), values)
            found = {
                part: pools[entry[part][0]][entry[part][1] :][: len(values)]
                for part in ("values", "budget")
            }
            finite = np.isfinite(values) & np.isfinite(found["budget"])
            np.testing.assert_array_equal(found["values"][finite], values[finite])
            assert (found["budget"][finite] >= budget[finite]).all(), test["id"]
            assert (found["budget"][finite] <= budget[finite] * (1 + LOOSER)).all()
            looked += int(finite.sum())
    assert looked > 1000


@pytest.mark.parametrize(("value", "conforms"), [(0.9999, "any"), (1.0001, "any"), (0.5, "finite"), (2.0, "infinite")])
def test_a_value_near_the_largest_number_may_come_out_on_either_side(value: float, conforms: str) -> None:
    """One correct port gets an infinity there, and another a finite number."""
    values = np.array([value * FORMATS["float16"].largest])
    numbers = of_tensor(Budgeted(values, np.array([64.0])), "float16")
    assert np.isinf(numbers.values[0]) == (value > 1)
    assert numbers.budget[0] == {"any": np.inf, "finite": 64.0, "infinite": 0.0}[conforms]


def test_budgets_are_rounded_up_or_kept() -> None:
    values = np.zeros(6)
    budget = np.array([0.0, 1e-7, 0.1, np.inf, 2.0**-126, 3.3e38])
    for more, pool in ((0.25, "float32"), (1e-60, "float64"), (1e300, "float64")):
        arrays, given = Arrays(), np.append(budget, more)
        arrays.expected(Numbers(np.append(values, 0.0), given))
        assert arrays.table[0]["budget"][0] == pool
        stored = arrays.pool(pool)[-7:].astype(np.float64)
        assert (stored >= given).all()
        assert (stored[np.isfinite(given)] <= given[np.isfinite(given)] * (1 + LOOSER)).all()


@pytest.mark.parametrize(
    "shape", [(5, 11, 2, 3), (2, 2053, 1, 3), (4, 11, 32, 32), (65, 3, 1, 3), (2, 67, 2, 2)]
)
def test_the_points_are_in_every_channel(shape: Tuple[int, int, int, int]) -> None:
    images, channels, height, width = shape
    found = points(shape)
    index = np.array(np.unravel_index(found, shape))
    assert (np.diff(found) > 0).all()
    assert {0, int(np.prod(shape)) - 1} <= set(found.tolist())
    assert set(index[1]) == set(range(channels))
    if channels <= 11:
        both = {(0, channel, 0, 0) for channel in range(channels)}
        both |= {(images - 1, channel, height - 1, width - 1) for channel in range(channels)}
        assert both <= set(map(tuple, index.T.tolist()))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [0, 1, 12345])
def test_numpy_reads_a_pool(tmp_path: Path, dtype: str, size: int) -> None:
    values = np.arange(size, dtype=dtype) / 3
    (tmp_path / "pool.npy").write_bytes(npy(values))
    found = np.load(tmp_path / "pool.npy")
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)
    assert ((tmp_path / "pool.npy").stat().st_size - values.nbytes) % 64 == 0


def test_nothing_else_in_reports_imports_the_vectors() -> None:
    importing = {
        source.path
        for source in SOURCES
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("reports.vectors")
    }
    outside = {
        each
        for each in importing
        if each.startswith("reports/") and not each.startswith("reports/vectors/")
    }
    assert outside == {"reports/commands/vectors.py"}


@pytest.mark.long
def test_the_vectors_of_the_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are small enough, have every flag, are as the schemas and the page say, and honest ports pass."""
    assert main(["vectors", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    size = sum(each.stat().st_size for each in tmp_path.rglob("*.*"))
    assert size < 20e6
    assert used_flags(tmp_path).keys() == {each.name for each in flags(NEWEST)}
    assert validate(tmp_path) == 7
    cases = load("manifest.json", tmp_path)["numberOfTests"]
    assert f": {cases} cases, " in printed
    assert f"{cases:,} cases, {size / 1e6:.1f} MB" in page.PAGE.read_text(encoding="utf-8")
    for command in ([sys.executable, "numpy_consumer.py", ".."], ["node", "consumer.mjs", ".."]):
        if shutil.which(command[0]) is not None:
            ran = subprocess.run(
                command, cwd=tmp_path / "consumers", capture_output=True, text=True, check=False
            )
            assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
