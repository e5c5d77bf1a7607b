"""The layer rule and the shape of the sources, read from the syntax trees.

Who imports what is in ``ALLOWED``. In words: ``cases`` is data, ``oracle`` adds NumPy, ``reports`` knows
neither; ``tests`` joins them. torch is imported by subjects alone, which are: ``tests/subject``, the
subjects written for ``tests/meta``, the tests there that must know which torch runs, and the benchmark.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set, Tuple

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("cases", "oracle", "reports", "tests")
STANDARD: Set[str] = set(getattr(sys, "stdlib_module_names", ()))
NEWER_THAN_38 = {"zoneinfo", "graphlib", "tomllib", "compression", "annotationlib", "concurrent.interpreters"}

ALLOWED: Tuple[Tuple[str, Tuple[str, ...]], ...] = (
    ("cases/inputs.py", ("cases", "numpy")),
    ("cases/covering.py", ("cases", "numpy")),
    ("cases/", ("cases",)),
    ("oracle/", ("oracle", "cases", "numpy")),
    ("reports/webpage.py", ("reports", "jinja2")),
    ("reports/releases.py", ("reports", "oracle.semantics", "oracle.defects")),
    ("reports/", ("reports",)),
    ("noxfile.py", ("nox", "reports")),
    ("conftest.py", ("pytest", "cases", "reports", "tests.conformance", "tests.preflight", "tests.summary")),
    ("tests/subject/", ("tests.subject", "cases", "numpy", "torch")),
    ("tests/meta/", ("tests", "cases", "oracle", "reports", "numpy", "torch", "pytest", "hypothesis", "jinja2", "nox")),
    ("tests/conformance/workers.py", ("tests.conformance", "pytest", "xdist.scheduler")),
    ("tests/benchmark/", ("tests.benchmark",)),
    ("tests/", ("tests", "cases", "oracle", "reports", "numpy", "pytest", "hypothesis")),
)
"""Beginning of a path to the packages it may import beside the standard library; the first match counts."""

LONGEST = 300
LONGER: Dict[str, Tuple[int, str]] = {
    "cases/claims.py": (600, "a table of statements"),
    "oracle/batch_norm.py": (560, "the specification, meant to be read in one piece"),
    "tests/meta/": (500, "lists of liars and of tests, each read alone"),
}
"""Beginning of a path to the lines it may have, and why more than LONGEST."""

EMPTY_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "misc", "stuff", "tools"}


class Source(NamedTuple):
    """One file."""

    path: str
    data: bytes
    tree: ast.Module

    def __repr__(self) -> str:
        return self.path


def _sources() -> Tuple[Source, ...]:
    files = [each for folder in FOLDERS for each in (ROOT / folder).rglob("*.py")]
    files += ROOT.glob("*.py")
    named = sorted((each.relative_to(ROOT).as_posix(), each.read_bytes()) for each in files)
    return tuple(Source(path, data, ast.parse(data)) for path, data in named)


SOURCES = _sources()
each_source = pytest.mark.parametrize("source", SOURCES, ids=[source.path for source in SOURCES])


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules that a source imports, wherever in it, also by name through importlib."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert not node.level, "imports are absolute"
            if node.module in (*FOLDERS, "tests.meta"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func) if hasattr(ast, "unparse") else ""
            if called in ("importlib.import_module", "__import__", "pytest.importorskip"):
                yield str(node.args[0].value)


def _within(module: str, packages: Tuple[str, ...]) -> bool:
    return any(module == each or module.startswith(each + ".") for each in packages)


def violations(path: str, tree: ast.AST) -> List[str]:
    """The imports of a file that the layer rule does not allow."""
    allowed = next(packages for beginning, packages in ALLOWED if path.startswith(beginning))
    meta = path.startswith("tests/meta/")
    return [
        module
        for module in imported(tree)
        if module.partition(".")[0] not in STANDARD
        and (not _within(module, allowed) or (_within(module, ("tests.meta",)) and not meta))
    ]


@pytest.mark.skipif(not STANDARD, reason="needs sys.stdlib_module_names (Python 3.10)")
@each_source
def test_layers(source: Source) -> None:
    assert violations(source.path, source.tree) == []


@pytest.mark.skipif(not STANDARD, reason="needs sys.stdlib_module_names (Python 3.10)")
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("cases/matrix.py", "import numpy as np"),
        ("cases/inputs.py", "from oracle import bounds"),
        ("oracle/state.py", "def f():\n    import torch"),
        ("oracle/state.py", "from tests.judgement import judge"),
        ("reports/tally.py", "import numpy.linalg"),
        ("reports/tally.py", "from oracle.semantics import SWITCHES"),
        ("reports/releases.py", "from oracle import bounds"),
        ("reports/webpage.py", "from oracle import semantics"),
        ("conftest.py", "import torch"),
        ("tests/compare.py", "import importlib\nimportlib.import_module('torch')"),
        ("tests/compare.py", "from tests.meta import fakes"),
        ("tests/conformance/collection.py", "import torch.nn"),
    ],
)
def test_a_breach_of_the_layers_is_seen(path: str, text: str) -> None:
    assert len(violations(path, ast.parse(text))) == 1


def test_every_tracked_source_is_looked_at() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    there = {path for path in listed.stdout.split() if (ROOT / path).exists()}
    assert there
    assert there <= {source.path for source in SOURCES}


def test_importing_the_lower_layers_loads_neither_torch_nor_more_than_they_may() -> None:
    program = (
        "import importlib, pkgutil, sys\n"
        "def load(package, *but):\n"
        "    for each in pkgutil.iter_modules(importlib.import_module(package).__path__):\n"
        "        if each.name not in ('__main__', 'webpage') + but:\n"
        "            importlib.import_module(package + '.' + each.name)\n"
        "load('reports', 'releases')\n"
        "assert 'numpy' not in sys.modules and 'cases' not in sys.modules\n"
        "import reports.releases\n"
        "assert 'numpy' not in sys.modules\n"
        "load('cases')\n"
        "assert 'oracle.batch_norm' not in sys.modules\n"
        "load('oracle')\n"
        "assert 'torch' not in sys.modules and 'tests' not in sys.modules\n"
        "print('done')\n"
    )
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("done\n", "")


def longest(path: str) -> int:
    """How many lines the file may have."""
    for beginning, (lines, _) in LONGER.items():
        if path.startswith(beginning):
            return lines
    return LONGEST


@each_source
def test_length(source: Source) -> None:
    lines = len(source.data.splitlines())
    assert lines <= longest(source.path)


@pytest.mark.parametrize("beginning", LONGER)
def test_an_exemption_from_the_length_is_needed(beginning: str) -> None:
    lengths = [len(s.data.splitlines()) for s in SOURCES if s.path.startswith(beginning)]
    assert max(lengths) > LONGEST


def undocumented(path: str, tree: ast.Module) -> List[str]:
    """The module, public classes and public functions without a docstring.

    In ``tests/meta`` the name of a function is a sentence, or overrides what is documented elsewhere:
    there a docstring is asked of modules and classes.
    """
    missing = [] if ast.get_docstring(tree) else ["the module"]
    kinds: Tuple[type, ...] = (ast.ClassDef, ast.FunctionDef)
    if path.startswith("tests/meta/"):
        kinds = (ast.ClassDef,)

    def look(body: List[ast.stmt]) -> None:
        for node in body:
            if not isinstance(node, (ast.ClassDef, ast.FunctionDef)) or node.name.startswith("_"):
                continue
            if isinstance(node, kinds) and not ast.get_docstring(node):
                missing.append(node.name)
            if isinstance(node, ast.ClassDef):
                look(node.body)

    look(tree.body)
    return missing


@each_source
def test_docstrings(source: Source) -> None:
    assert undocumented(source.path, source.tree) == []


def test_a_missing_docstring_is_seen() -> None:
    tree = ast.parse("class A:\n    def f(self): pass\n    def _g(self): pass\ndef h(): pass")
    assert undocumented("cases/a.py", tree) == ["the module", "A", "f", "h"]
    assert undocumented("tests/meta/a.py", tree) == ["the module", "A"]


@each_source
def test_names_say_something(source: Source) -> None:
    assert not set(Path(source.path).with_suffix("").parts) & EMPTY_NAMES


@each_source
def test_bytes(source: Source) -> None:
    text = source.data.decode("utf-8")
    assert not text.startswith("\ufeff")
    assert "\t" not in text
    assert "\r" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@each_source
def test_python_38_can_read_it(source: Source) -> None:
    ast.parse(source.data, feature_version=(3, 8))
    modules = set(imported(source.tree))
    assert not modules & NEWER_THAN_38
    # Annotations such as "int | None" are text to Python 3.8, but only with this import.
    if any(not isinstance(node, ast.Expr) for node in source.tree.body):
        assert "__future__" in modules


def test_syntax_of_later_pythons_is_refused() -> None:
    later = "match 1:\n    case 1: pass\n"
    ast.parse(later)
    with pytest.raises(SyntaxError):
        ast.parse(later, feature_version=(3, 8))
