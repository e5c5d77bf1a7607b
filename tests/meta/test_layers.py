"""The layer rule, read from the syntax trees.

``ALLOWED`` says which package may import which. In words: ``cases`` is data, ``oracle`` adds NumPy to it,
``reports`` reads records with neither torch nor NumPy, and ``tests`` joins the three. Two exceptions are in
``reports``: ``reports/vectors`` imports the oracle and NumPy because it writes the numbers of the oracle, and
the page of behaviours imports the modules of ``SAID``. Only subjects import torch: ``tests/subject``, the
subjects written for ``tests/meta``, the tests there that must know the installed torch, and the benchmark.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from typing import Iterator, List, Set, Tuple

import pytest

from tests.meta.sources import FOLDERS, ROOT, SOURCES, Source

ROOMS = tuple(
    f"tests.{room}"
    for room in ("subject", "comparison", "verdict", "failure", "conformance", "meta", "benchmark")
)
STANDARD: Set[str] = set(getattr(sys, "stdlib_module_names", ()))

SAID = ("oracle.answers", "oracle.combinations", "oracle.semantics", "oracle.switch")
"""The modules whose sentences and tables the page of behaviours prints. It imports them when the page is made,
so that the other commands that read records run without NumPy."""

JOINED = ("cases", "oracle", "reports", "numpy")
FRAMEWORKS: Tuple[str, ...] = (
    *("flax", "inplace_abn", "jax", "keras", "mlx", "mmengine", "onnx", "onnxruntime", "openvino"),
    *("paddle", "tensorflow", "timm", "tinygrad", "torchvision"),
)
"""The frameworks that the adapters drive, each in an environment of its own."""

ALLOWED: Tuple[Tuple[str, Tuple[str, ...]], ...] = (
    ("cases/inputs/", ("cases", "numpy")),
    ("cases/matrix/covering.py", ("cases", "numpy")),
    ("cases/", ("cases",)),
    ("oracle/switch.py", ()),
    ("oracle/registration.py", ("oracle.switch",)),
    ("oracle/differentiation.py", ("oracle.switch",)),
    ("oracle/semantics.py", ("oracle.switch", "oracle.registration", "oracle.differentiation")),
    ("oracle/defects.py", ("oracle.switch",)),
    ("oracle/", ("oracle", "cases", "numpy")),
    ("reports/vectors/consumers/", ("numpy",)),
    ("reports/vectors/", ("reports", "oracle", "cases", "numpy")),
    ("reports/behaviour", ("reports", *SAID)),
    ("reports/schema.py", ("reports", "jsonschema")),
    ("reports/site/programs.py", ("reports", "cases")),
    ("reports/site/", ("reports", "oracle.semantics", "oracle.defects", "jinja2", "markupsafe", "matplotlib")),
    ("reports/", ("reports", "oracle.semantics", "oracle.switch", "oracle.defects")),
    ("noxfile.py", ("nox", "reports", "cases.paths")),
    ("conftest.py", ("pytest", "tests.conformance")),
    ("tests/subject/adapters/", ("tests.subject", "cases", "oracle", "numpy", "torch", *FRAMEWORKS)),
    (
        "tests/subject/paths/onnx.py",
        ("tests.subject", "cases", "torch", "onnxruntime"),
    ),
    ("tests/subject/", ("tests.subject", "cases", "reports.rows", "numpy", "torch")),
    ("tests/comparison/", ("tests.comparison", "tests.subject", *JOINED)),
    ("tests/verdict/", ("tests.verdict", "tests.comparison", "tests.subject", *JOINED)),
    (
        "tests/failure/",
        ("tests.failure", "tests.verdict", "tests.comparison", "tests.subject", *JOINED)
        + ("tests.conformance.session",),
    ),
    ("tests/conformance/", ("tests", *JOINED, "pytest", "hypothesis")),
    (
        "tests/meta/",
        ("tests", *JOINED, "torch", "pytest", "hypothesis", "jinja2", "jsonschema", "matplotlib", "nox", "xdist")
        + ("pytest_html", "yaml", "playwright", "axe_playwright_python"),
    ),
    ("tests/benchmark/", ("tests.benchmark", "tests.meta.liars")),
    ("tests/", ("tests",)),
    (".packaging/", ()),
)
"""Maps the beginning of a path to the packages it may import beside the standard library; the first match
counts."""

each_source = pytest.mark.parametrize("source", SOURCES, ids=[source.path for source in SOURCES])


def imported(tree: ast.AST) -> Iterator[str]:
    """Return the modules that a source imports, anywhere in it, also by name through importlib."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert not node.level, "imports are absolute"
            if node.module in (*FOLDERS, "oracle.numerics", *ROOMS):
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
    """Return the imports of a file that the layer rule does not allow."""
    allowed = next(packages for beginning, packages in ALLOWED if path.startswith(beginning))
    meta = path.startswith(("tests/meta/", "tests/benchmark/"))
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
        ("cases/states.py", "import numpy as np"),
        ("cases/inputs/batches.py", "from oracle.numerics import bounds"),
        ("cases/inputs/batches.py", "import torch"),
        ("oracle/state.py", "def f():\n    import torch"),
        ("oracle/state.py", "from tests.comparison.judgement import judge"),
        ("oracle/defects.py", "import numpy"),
        ("reports/tally.py", "import numpy.linalg"),
        ("reports/tally.py", "from oracle.numerics import bounds"),
        ("reports/releases.py", "from oracle import batch_norm"),
        ("reports/behaviour.py", "from oracle import batch_norm"),
        ("reports/tally.py", "from oracle.answers import holds"),
        ("reports/vectors/numbers.py", "import torch"),
        ("reports/vectors/content.py", "from tests.verdict.result import run"),
        ("reports/vectors/consumers/numpy_consumer.py", "from oracle import batch_norm"),
        ("reports/site/contents.py", "from cases import catalogue"),
        ("conftest.py", "import torch"),
        ("tests/comparison/step.py", "import importlib\nimportlib.import_module('torch')"),
        ("tests/comparison/step.py", "from tests.verdict.result import run"),
        ("tests/verdict/result.py", "from tests.failure.report import report"),
        ("tests/verdict/result.py", "import pytest"),
        ("tests/subject/module.py", "from oracle.state import State"),
        ("tests/failure/report.py", "from tests.meta import fakes"),
        ("tests/conformance/recorder.py", "import torch.nn"),
        ("tests/conformance/recorder.py", "from xdist.scheduler import LoadScheduling"),
        ("tests/conformance/recorder.py", "import _pytest.runner"),
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
        "def load(name):\n"
        "    package = importlib.import_module(name)\n"
        "    for each in pkgutil.walk_packages(package.__path__, name + '.'):\n"
        "        if not each.name.endswith('__main__') and not each.name.startswith(apart):\n"
        "            importlib.import_module(each.name)\n"
        "apart = ('reports.vectors.', 'reports.site')\n"
        "load('reports')\n"
        "assert 'numpy' not in sys.modules and 'cases' not in sys.modules\n"
        "load('cases')\n"
        "assert 'oracle.batch_norm' not in sys.modules\n"
        "load('oracle')\n"
        "apart = ' '\n"
        "load('reports.vectors')\n"
        "assert 'torch' not in sys.modules and 'tests' not in sys.modules\n"
        "print('done')\n"
    )
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("done\n", "")


def test_collecting_the_cases_needs_no_torch() -> None:
    """The controller of a run with workers, and ``--collect-only``, work without it."""
    program = (
        "import sys, pytest\n"
        "pytest.main(['--collect-only', '-q', '-q', '--tier', 'smoke', '-p', 'no:cacheprovider'])\n"
        "print('torch' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout.splitlines()[-1] == "False", ran.stdout[-500:] + ran.stderr[-500:]


def private(tree: ast.AST) -> List[str]:
    """Return names with a leading underscore of objects other than self, the class or ``os``."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not node.attr.startswith("_"):
            continue
        if node.attr.startswith("__") or (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", "os")):
            continue
        found.append(node.attr)
    return found


PYTESTS = tuple(s for s in SOURCES if s.path.startswith("tests/conformance/") or s.path == "conftest.py")
REPLACED = {"pytest_runtest_protocol", "pytest_runtestloop", "pytest_xdist_make_scheduler"}
"""Hooks whose implementation would replace pytest's or xdist's own."""


@pytest.mark.parametrize("source", PYTESTS, ids=[source.path for source in PYTESTS])
def test_nothing_private_of_pytest_or_xdist_is_used(source: Source) -> None:
    assert private(source.tree) == []
    assert not [each for each in imported(source.tree) if _within(each, ("_pytest", "xdist"))]
    defined = {node.name for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef)}
    assert not defined & REPLACED


@pytest.mark.parametrize("text", ["item._request", "session._setupstate.stack", "config._inicache = {}"])
def test_a_private_name_is_seen(text: str) -> None:
    assert private(ast.parse(text))
    assert not private(ast.parse("self._rows, cls._rows, item.__class__"))
