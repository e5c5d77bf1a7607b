"""The clone in other places: in another folder, within another project, read-only, without a home."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Optional, Tuple

import pytest

from tests.meta.command import FEW, REMEMBERING, ROOT, USAGE, Ran, run

CASES = 12
"""The number of cases that FEW selects."""

HOST: Dict[str, str] = {
    "tests/__init__.py": "",
    "cases/__init__.py": "",
    "tests/test_host.py": "def test_host(seed):\n    assert seed == 3\n",
    "conftest.py": (
        "import pytest\n"
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--seed', type=int, default=3)\n"
        "@pytest.fixture\n"
        "def seed(request):\n"
        "    return request.config.getoption('--seed')\n"
    ),
}
"""A project with packages and an option of the same names as the suite's."""

CLONE = "third_party/batchnorm"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of that project, with the clone as a submodule in it."""
    folder = tmp_path_factory.mktemp("host")
    for name, text in HOST.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="ascii")
    clone = folder / CLONE
    for name in ("cases", "oracle", "reports", "tests"):
        unneeded = shutil.ignore_patterns("__pycache__", "records")
        shutil.copytree(ROOT / name, clone / name, ignore=unneeded)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, clone / name)
    return folder


def passes(ran: Ran) -> bool:
    """Whether the few cases ran, and nothing else."""
    assert (ran.status, ran.counts.get("passed")) == (0, CASES), ran.output
    return True


@pytest.mark.parametrize("start", ["", "third_party", "tests", CLONE + "/tests"])
def test_a_path_to_the_clone_runs_the_cases_from_any_folder(start: str, host: Path) -> None:
    """The tests of the suite do not run. The path comes first: before pytest has read the options of the
    suite, it takes the word after ``--tier`` for a path, too."""
    path = os.path.relpath(host / CLONE, host / start)
    assert passes(run(path, *FEW, cwd=host / start))


def test_a_path_to_the_clone_does_not_collect_the_tests_of_the_suite(host: Path) -> None:
    listed = run(CLONE, "--collect-only", "--tier", "smoke", cwd=host)
    assert listed.status == 0, listed.output
    assert "tests/conformance/" in listed.output
    assert "tests/meta" not in listed.output
    assert "test_tiers.py" in run("--collect-only", f"{CLONE}/tests/meta/test_tiers.py", cwd=host).output


def test_workers_run_in_a_clone_elsewhere(host: Path) -> None:
    assert passes(run(CLONE, *FEW, "-n", "1", cwd=host))


def test_a_file_to_be_written_elsewhere_is_no_path_of_another_project(tmp_path: Path) -> None:
    """pytest takes the file for a path until it has read the options of the suite."""
    record = tmp_path / "new.jsonl"
    assert passes(run("--report", str(record), *FEW))
    assert record.exists()


def test_another_project_runs_its_own_tests_beside_the_clone(host: Path) -> None:
    """One line says how the suite is run."""
    ran = run(cwd=host)
    assert (ran.status, ran.counts) == (0, {"passed": 1}), ran.output
    (line,) = [line for line in ran.lines if "conformance" in line]
    assert line.startswith("not run: the BatchNorm2d conformance suite in ")
    assert line.endswith(f"run: cd {(host / CLONE).resolve()} && python -m pytest")


@pytest.mark.parametrize("option", ["--seed", "--of-its-own"])
def test_a_clone_that_pytest_meets_first_leaves_the_names_to_the_project(option: str, tmp_path: Path) -> None:
    """The folder of the clone is listed before ``tests``, and the project may have one of the options."""
    for name, text in HOST.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.replace("--seed", option), encoding="ascii")
    (tmp_path / "tests/test_cases.py").write_text(f"import cases\n{HOST['tests/test_host.py']}", encoding="ascii")
    for name in ("cases", "oracle", "reports", "tests"):
        (tmp_path / "batchnorm" / name).mkdir(parents=True)
        (tmp_path / "batchnorm" / name / "__init__.py").write_text("raise ImportError", encoding="ascii")
    shutil.copy(ROOT / "conftest.py", tmp_path / "batchnorm")
    ran = run(cwd=tmp_path)
    assert (ran.status, ran.counts) == (0, {"passed": 2}), ran.output
    assert "not run: the BatchNorm2d conformance suite in " in ran.output


@pytest.mark.parametrize(
    "arguments",
    [("tests", CLONE), (CLONE, "tests"), (CLONE, "tests", "-n", "1"), (CLONE, "-c", "pytest.ini")],
)
def test_tests_of_both_in_one_run_are_refused_in_one_line(arguments: Tuple[str, ...], host: Path) -> None:
    """The line has the command to run instead."""
    (host / "pytest.ini").write_text("[pytest]\n", encoding="ascii")
    ran = run(*arguments, cwd=host)
    (host / "pytest.ini").unlink()
    assert (ran.status, len(ran.lines)) == (USAGE, 1), ran.output
    assert ran.lines[0].endswith(f"run: cd {(host / CLONE).resolve()} && python -m pytest")


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONSAFEPATH": "1"},
        {"HOME": None, "USER": None, "LOGNAME": None, "XDG_CACHE_HOME": None},
        {"LC_ALL": "C", "LANG": None, "PYTHONUTF8": "0", "PYTHONIOENCODING": None},
        {"PYTHONOPTIMIZE": "1"},
    ],
    ids=["safe path", "no home", "C locale", "optimized"],
)
def test_the_environment_does_not_matter(variables: Dict[str, Optional[str]]) -> None:
    assert passes(run(*FEW, variables=variables, fresh=True))


def test_a_clone_that_cannot_be_written_to_runs(host: Path) -> None:
    """The run prints nothing about the folders that pytest and Python would make in the clone."""
    clone = host / CLONE
    for each in [clone, *clone.rglob("*")]:
        each.chmod(each.stat().st_mode & ~0o222)
    try:
        ran = run(*FEW, cwd=clone, command=REMEMBERING)
    finally:
        for each in [clone, *clone.rglob("*")]:
            each.chmod(each.stat().st_mode | 0o200)
    assert passes(ran)
    assert "warning" not in ran.output


def test_what_pip_installs_is_a_command_and_no_package_of_the_suite() -> None:
    """Many projects have packages of the same names as the suite's."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^py-modules = \["batchnorm2d_conformance"\]$', project, re.MULTILINE)
    assert re.search(r'^batchnorm2d-conformance = "batchnorm2d_conformance:main"$', project, re.MULTILINE)
    module = ROOT / ".packaging" / "batchnorm2d_conformance.py"
    program = "import batchnorm2d_conformance; raise SystemExit(batchnorm2d_conformance.main())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=str(module.parent), capture_output=True, text=True, check=True
    )
    assert "runs from a clone" in done.stdout
    assert "python -m pytest" in done.stdout


def test_the_options_named_are_those_that_are_added() -> None:
    """``NAMES`` serves to notice another project's option of the same name."""
    from tests.conformance import options

    tree = ast.parse(Path(options.__file__).read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    added = [
        str(call.args[0].value)
        for call in calls
        if getattr(call.func, "attr", "") == "addoption" and isinstance(call.args[0], ast.Constant)
    ]
    assert sorted(added) == sorted(options.NAMES)
