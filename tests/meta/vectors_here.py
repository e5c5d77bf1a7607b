"""Vectors for tests: smoke vectors that are made once in a process, and the steps of single cases."""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

import pytest

from cases import catalogue
from oracle.expectations import expectations
from oracle.semantics import RELEASES, semantics
from reports.vectors.arrays import Arrays
from reports.vectors.program import Json, written
from tests.meta.sources import ROOT

NEWEST = RELEASES[-1]

WITHOUT_TORCH = (
    "import sys\n"
    "from reports.__main__ import main\n"
    "status = main(sys.argv[1:])\n"
    "assert 'torch' not in sys.modules, 'torch was imported'\n"
    "sys.exit(status)\n"
)


class Made(NamedTuple):
    """The directory, and what the command printed."""

    folder: Path
    printed: str


def _temporary() -> Path:
    """Return a new directory that is removed when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="vectors-"))
    atexit.register(shutil.rmtree, str(folder), ignore_errors=True)
    return folder


@lru_cache(maxsize=1)
def smoke() -> Made:
    """Return smoke vectors, made by the command in a process of its own, with another hash seed."""
    folder = _temporary()
    command = [sys.executable, "-c", WITHOUT_TORCH, "vectors", str(folder), "--tier", "smoke"]
    environment = {**os.environ, "PYTHONHASHSEED": "271828"}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return Made(folder, ran.stdout)


@lru_cache(maxsize=1)
def edges() -> Path:
    """Return a directory with the edges of the smoke vectors alone, to try many ports in little time."""
    folder = _temporary() / "edges"
    shutil.copytree(str(smoke().folder), str(folder))
    manifest = {**load("manifest.json"), "cases": ["edge.json"]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="ascii")
    return folder


def load(name: str, folder: Path = Path()) -> Any:
    """Return the contents of a JSON file of the vectors."""
    return json.loads(((folder if folder.parts else smoke().folder) / name).read_text(encoding="ascii"))


def cases_in(folder: Path = Path()) -> Iterator[Tuple[Json, Json]]:
    """Return every group and every test in it."""
    for name in load("manifest.json", folder)["cases"]:
        for group in load(name, folder)["testGroups"]:
            yield from ((group, test) for test in group["tests"])


def told(case_id: str, release: Tuple[int, int] = NEWEST) -> List[Json]:
    """Return the steps that the vectors have of a case."""
    case = catalogue.find(case_id)
    expected = expectations(case, semantics(release).of_subject(sums_exactly=False))
    return written(case, expected, Arrays()) or []


def spelled(program: str, construction: str = "affine-track-momentum_0.1") -> List[Json]:
    """Return the steps that the vectors have of a program."""
    return told(f"steps-{construction}-bounded-n8-float32-{program}")


def dos(steps: List[Json]) -> List[str]:
    """Return what is done after the construction; of an assignment or a flag, its names too."""
    return [" ".join([step["do"], *_names(step)]) for step in steps[1:]]


def _names(step: Json) -> List[str]:
    return list(step["state"]) if step["do"] == "assign" else [step["name"]] if "name" in step else []


def validator(found: Json, folder: Path = Path()) -> Any:
    """Return the validator of the schema that a file names."""
    kind = pytest.importorskip(
        "jsonschema", reason="files are checked by jsonschema: pip install jsonschema"
    ).Draft202012Validator
    schema = load(found["schema"], folder)
    kind.check_schema(schema)
    return kind(schema)


def validate(folder: Path) -> int:
    """Check every JSON file against its schema; return how many were checked."""
    names = ["manifest.json", "arrays.json", "left_out.json", *load("manifest.json", folder)["cases"]]
    for name in names:
        found = load(name, folder)
        validator(found, folder).validate(found)
    return len(names)


def used_flags(folder: Path) -> Dict[str, int]:
    """Return in how many tests each flag occurs."""
    used: Dict[str, int] = {}
    for _, test in cases_in(folder):
        for name in {*test["flags"], *(name for step in test["steps"] for name in step.get("flags", ()))}:
            used[name] = used.get(name, 0) + 1
    return used


@lru_cache(maxsize=None)
def load_module(name: str) -> ModuleType:
    """Return one of the Python modules that the vectors bring along."""
    path = smoke().folder / "consumers" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def counts(output: str) -> Dict[str, int]:
    """Return the numbers of the summary, and how many cases each flag ended."""
    line = re.search(r"^(\d+) passed, (\d+) failed, (\d+) ended early", output, re.MULTILINE)
    assert line is not None, output
    found = dict(zip(("passed", "failed", "early"), map(int, line.groups())))
    return {**found, **{flag: int(n) for n, flag in re.findall(r"^  (\d+) (\w+)$", output, re.MULTILINE)}}
