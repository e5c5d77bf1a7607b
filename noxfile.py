"""Environments: the conformance run, the suite's own tests, one environment for each torch release.

Every environment pins torch. The interpreter that runs nox is used unless a release needs another one.
Environments are made by the interpreter's own venv, because virtualenv does not support Python 3.8;
NOX_BACKEND names another way.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple, Tuple

import nox

nox.options.sessions = ["conformance"]
nox.options.default_venv_backend = os.environ.get("NOX_BACKEND", "venv")
nox.options.reuse_venv = "yes"

ROOT = Path(__file__).parent
RECORDS = ROOT / "reports" / "records"
TORCH = "2.13.0"
PROJECT = nox.project.load_toml(str(ROOT / "pyproject.toml"))["project"]
CORE: Tuple[str, ...] = tuple(each for each in PROJECT["dependencies"] if not each.startswith("torch"))
"""The packages that the suite needs. torch is not among them: every environment pins a release of it."""

OLDEST = ("pytest==8.0.0", "pytest-xdist==3.5.0")
"""The oldest releases that ``CORE`` allows."""


def _extra(name: str) -> Tuple[str, ...]:
    return tuple(PROJECT["optional-dependencies"][name])



class Release(NamedTuple):
    """A torch release, and the interpreter and NumPy that its wheels were built for."""

    torch: str
    python: str
    numpy: str

    @property
    def record(self) -> Path:
        """The path of the record of this release; there is one for each minor release."""
        minor = ".".join(self.torch.split(".")[:2])
        return RECORDS / f"torch-{minor}.jsonl.gz"


RELEASES: Tuple[Release, ...] = (
    Release("1.4.0", "3.8", "numpy==1.24.4"),
    Release("1.5.1", "3.8", "numpy==1.24.4"),
    Release("1.6.0", "3.8", "numpy==1.24.4"),
    Release("1.7.1", "3.8", "numpy==1.24.4"),
    Release("1.8.1", "3.8", "numpy==1.24.4"),
    Release("1.9.1", "3.8", "numpy==1.24.4"),
    Release("1.10.2", "3.8", "numpy==1.24.4"),
    Release("1.11.0", "3.10", "numpy==1.26.4"),
    Release("1.12.1", "3.10", "numpy==1.26.4"),
    Release("1.13.1", "3.10", "numpy==1.26.4"),
    Release("2.0.1", "3.11", "numpy==1.26.4"),
    Release("2.1.2", "3.11", "numpy==1.26.4"),
    Release("2.2.2", "3.11", "numpy==1.26.4"),
    Release("2.3.1", "3.11", "numpy==2.3.5"),
    Release("2.4.1", "3.11", "numpy==2.3.5"),
    Release("2.5.1", "3.11", "numpy==2.3.5"),
    Release("2.6.0", "3.11", "numpy==2.3.5"),
    Release("2.7.1", "3.11", "numpy==2.3.5"),
    Release("2.8.0", "3.11", "numpy==2.3.5"),
    Release("2.9.1", "3.11", "numpy==2.3.5"),
    Release("2.10.0", "3.11", "numpy==2.3.5"),
    Release("2.11.0", "3.11", "numpy==2.3.5"),
    Release("2.12.1", "3.11", "numpy==2.3.5"),
    Release("2.13.0", "3.11", "numpy==2.3.5"),
    Release("2.14.1", "3.11", "numpy==2.3.5"),
    Release("2.15.0", "3.11", "numpy==2.3.5"),
)
"""The releases that are recorded, at least one of every minor version."""


def _install(session: nox.Session, torch: str, *packages: str) -> None:
    """Install torch in exactly this release, together with the rest, so that nothing can replace it."""
    session.install(f"torch=={torch}", *packages)


@nox.session
def conformance(session: nox.Session) -> None:
    """Run the conformance matrix on the pinned torch; arguments go to pytest."""
    _install(session, TORCH, *CORE)
    arguments = session.posargs or ["-n", "2"]
    session.run("python", "-m", "pytest", "tests/conformance", *arguments)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests of the suite itself, ruff and mypy."""
    tools = tuple(each for each in _extra("dev") if not each.startswith("nox"))
    _install(session, TORCH, *CORE, *_extra("explore"), *_extra("html"), *tools)
    session.run("ruff", "check", ".")
    session.run("mypy")
    arguments = session.posargs or ["-n", "2"]
    session.run("python", "-m", "pytest", "tests/meta", "-m", "not long", *arguments)


@nox.session
def plugins(session: nox.Session) -> None:
    """Run smoke once with each of the plugins that people use."""
    _install(session, TORCH, *CORE, *_extra("plugins"))
    arguments = session.posargs or ["-n", "2"]
    session.run("python", "-m", "pytest", "tests/meta/test_plugins.py", *arguments)


HOSTED = ("-n", "2", "tests/meta/test_hosting.py", "tests/meta/test_own_options.py")
"""The tests of what the suite needs from pytest and pytest-xdist."""


@nox.session
def oldest(session: nox.Session) -> None:
    """Run smoke and the tests of hosting on the oldest supported pytest and pytest-xdist."""
    _install(session, TORCH, "numpy", *OLDEST)
    session.run("python", "-m", "pytest", "--tier", "smoke", "-n", "2")
    session.run("python", "-m", "pytest", *(session.posargs or HOSTED))


@nox.session
def newest(session: nox.Session) -> None:
    """Run smoke and the tests of hosting on the newest pytest and pytest-xdist."""
    _install(session, TORCH, *CORE)
    session.install("--upgrade", "pytest", "pytest-xdist")
    session.run("python", "-m", "pytest", "--tier", "smoke", "-n", "2")
    session.run("python", "-m", "pytest", *(session.posargs or HOSTED))


@nox.session
def long(session: nox.Session) -> None:
    """Run the tests that take minutes: all mutants, all liars on gate, seeds, threads and orders."""
    _install(session, TORCH, *CORE, *_extra("explore"))
    session.run("python", "-m", "pytest", "tests/meta", "-m", "long", *session.posargs)


@nox.session
def explore(session: nox.Session) -> None:
    """Run random programs: ``nox -s explore -- 20000``."""
    _install(session, TORCH, *CORE, *_extra("explore"))
    count, *rest = session.posargs or ["2000"]
    session.run("python", "-m", "pytest", "--explore", count, "-k", "exploration", *rest)


@nox.session
def benchmark(session: nox.Session) -> None:
    """Measure the suite on this machine and write reports/BENCHMARK.md."""
    _install(session, TORCH, *CORE, "expecttest")
    arguments = session.posargs or ["--write", "reports/BENCHMARK.md"]
    session.run("python", "-m", "tests.benchmark", *arguments)


@nox.session
@nox.parametrize(
    "python,torch,numpy",
    [nox.param(each.python, each.torch, each.numpy, id=each.torch) for each in RELEASES],
)
def release(session: nox.Session, torch: str, numpy: str) -> None:
    """Record the gate tier on one release: ``nox -s "release(2.5.1)"``."""
    which = next(each for each in RELEASES if each.torch == torch)
    # torch 1.10 and 1.11 import pkg_resources, and its packaging, without requiring setuptools.
    setuptools = ["setuptools<70"] if torch.startswith("1.") else []
    session.install(f"torch=={torch}", *CORE[1:], numpy, *setuptools)
    session.run("python", "-c", "import torch", silent=True)
    RECORDS.mkdir(exist_ok=True)
    report = [f"--report={which.record}"]
    arguments = session.posargs or ["-n", "2", "-q"]
    session.run("python", "-m", "pytest", "tests/conformance", *report, *arguments)


def _recorded(record: Path) -> bool:
    """Whether the record exists and is a finished one of the whole gate tier."""
    from reports.errors import ReportError
    from reports.record import read

    try:
        return read(record).header.selection is None
    except ReportError:
        return False


def _written(record: Path) -> int:
    """Return when the record was written, 0 if there is none."""
    return record.stat().st_mtime_ns if record.exists() else 0


@nox.session(python=False)
def sweep(session: nox.Session) -> None:
    """Record every release and write reports/RELEASES.md; releases that have a record are skipped.

    ``nox -s sweep -- again`` records all of them anew.

    An environment is removed as soon as its record is written, so that only one torch is on disk.
    """
    sys.path.insert(0, str(ROOT))
    again = "again" in session.posargs
    failed = []
    for number, each in enumerate(RELEASES, 1):
        progress = f"[{number}/{len(RELEASES)}] torch {each.torch}"
        if not again and _recorded(each.record):
            session.log(f"{progress}: recorded")
            continue
        session.log(f"{progress}: running on Python {each.python}")
        before = _written(each.record)
        name = f"release({each.torch})"
        session.run(
            sys.executable, "-m", "nox", "-s", name, success_codes=[0, 1, 2], external=True
        )
        if not _recorded(each.record) or _written(each.record) == before:
            failed.append(each.torch)
            session.warn(f"{progress}: no record was written")
            continue
        for environment in (ROOT / ".nox").glob(f"release-*{each.torch.replace('.', '-')}*"):
            shutil.rmtree(environment)
    session.run(sys.executable, "-m", "reports", "releases", external=True)
    if failed:
        session.error(f"no record of torch {', '.join(failed)}: run nox -s sweep again")
