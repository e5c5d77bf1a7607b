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
sys.path.insert(0, str(ROOT))  # for reports, which a session imports when it needs it
RECORDS = ROOT / "reports" / "records"
OUT = ROOT / "out"
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


BUILT_FOR = (
    ("3.8", "numpy==1.24.4", "1.4.0 1.5.1 1.6.0 1.7.1 1.8.1 1.9.1 1.10.2"),
    ("3.10", "numpy==1.26.4", "1.11.0 1.12.1 1.13.1"),
    ("3.11", "numpy==1.26.4", "2.0.1 2.1.2 2.2.2"),
    ("3.11", "numpy==2.3.5", "2.3.1 2.4.1 2.5.1 2.6.0 2.7.1 2.8.0 2.9.1"),
    ("3.11", "numpy==2.3.5", "2.10.0 2.11.0 2.12.1 2.13.0 2.14.1 2.15.0"),
)
"""An interpreter, a NumPy, and the releases of torch whose wheels were built for them."""

RELEASES: Tuple[Release, ...] = tuple(
    Release(torch, python, numpy) for python, numpy, releases in BUILT_FOR for torch in releases.split()
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
    extras = (*_extra("explore"), *_extra("html"), *_extra("validate"), *_extra("dev"))
    _install(session, TORCH, *CORE, *extras)
    session.run("ruff", "check", ".")
    session.run("mypy")
    arguments = session.posargs or ["-n", "2", "--dist", "worksteal"]  # files share what they compute
    session.run("python", "-m", "pytest", "tests/meta", "-m", "not long", *arguments)


@nox.session
def plugins(session: nox.Session) -> None:
    """Run smoke once with each of the plugins that people use."""
    _install(session, TORCH, *CORE, *_extra("plugins"))
    arguments = session.posargs or ["-n", "2"]
    session.run("python", "-m", "pytest", "tests/meta/test_plugins.py", *arguments)


@nox.session
def site(session: nox.Session) -> None:
    """Test the page of records in a real browser; it needs a Chromium: apt-get install chromium.

    The variable CHROMIUM names one that is not found on the path.
    """
    _install(session, TORCH, *CORE, *_extra("explore"), *_extra("html"), *_extra("site"))
    session.run("python", "-m", "pytest", "tests/meta/browser", *session.posargs)


HOSTED = ("-n", "2", "tests/meta/test_hosting.py")
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
    _install(session, TORCH, *CORE, *_extra("explore"), *_extra("validate"))
    session.run("python", "-m", "pytest", "tests/meta", "-m", "long", *session.posargs)


@nox.session
def explore(session: nox.Session) -> None:
    """Run random programs: ``nox -s explore -- 20000``; given again, an interrupted search goes on."""
    _install(session, TORCH, *CORE, *_extra("explore"))
    count, *rest = session.posargs or ["2000"]
    OUT.mkdir(exist_ok=True)
    unfinished = f"--resume={OUT / 'explore.unfinished'}"
    session.run("python", "-m", "pytest", "--explore", count, "-k", "exploration", unfinished, *rest)


SHARDS = 100
"""The parts of the full tier, each a run and a record of its own, of about 27,600 cases."""


@nox.session
def full(session: nox.Session) -> None:
    """Run the full tier in 100 shards, into out/full; given again, it goes on where it stopped."""
    from reports.durations import Pace
    from reports.order import ends, finished
    from reports.revision import suite_revision

    _install(session, TORCH, *CORE)
    folder = OUT / "full"
    folder.mkdir(parents=True, exist_ok=True)
    suite = suite_revision(ROOT)
    parts = {f"{n}/{SHARDS}": folder / f"shard-{n:03}.jsonl.gz" for n in range(1, SHARDS + 1)}

    def recorded(part: str) -> bool:
        header = finished(parts[part])
        if header is None:
            return False
        now = (header.torch.partition("+")[0], header.suite, header.selection)
        return now == (TORCH, suite, f"--shard {part}")

    todo = [part for part in parts if not recorded(part)]
    pace = Pace(len(parts), len(parts) - len(todo))
    for part in todo:
        session.log(f"{pace.line()}: shard {part}")
        files = [f"--report={parts[part]}", f"--resume={folder / 'unfinished'}"]
        arguments = session.posargs or ["-n", "2", "-q"]
        command = ["python", "-m", "pytest", "--tier", "full", "--shard", part, *files, *arguments]
        session.run(*command, success_codes=[0, 1])
        pace.add()
    session.run("python", "-m", "reports", "summary", *map(str, parts.values()))
    failed = [each for each in parts.values() if ends(each)[1].exit]
    if failed:
        session.error(f"findings in {len(failed)} shards: python -m reports show {failed[0]}")


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


ADAPTERS = ROOT / "tests" / "subject" / "adapters"
IMPLEMENTATIONS = nox.project.load_toml(str(ADAPTERS / "environments.toml"))
"""Maps each implementation that has a record to its environment; the file says what the entries are."""


@nox.session
@nox.parametrize("name", [nox.param(each, id=each) for each in IMPLEMENTATIONS])
def adapter(session: nox.Session, name: str) -> None:
    """Run smoke on another implementation and record it: nox -s "adapter(flax)"."""
    chosen = IMPLEMENTATIONS[name]
    environment = dict(chosen.get("environment", {}))
    session.install(*CORE, *chosen["packages"])
    if "build" in chosen:  # a distribution of source alone, that is built against what is installed
        session.install("--no-build-isolation", "--no-deps", chosen["build"], env=environment)
    if name == "tinygrad":  # its CPU device compiles with clang; without it, Python emulates one, slowly
        environment["DEV"] = "CPU" if shutil.which(os.environ.get("CC", "clang")) else "PYTHON"
    record = RECORDS / "implementations" / f"{name}.jsonl.gz"
    claim = ["--subject", chosen["subject"], "--promise", chosen["promise"], f"--report={record}"]
    arguments = [*claim, *(session.posargs or ["--tier", "smoke", "-q"])]
    found = [0, 1]  # findings are what the record is for
    program = ["python", "-m", "pytest", "tests/conformance"]
    session.run(*program, *arguments, env=environment, success_codes=found)


def _recorded(record: Path) -> bool:
    """Whether the record exists and is a finished one of the whole gate tier."""
    from reports.order import finished

    header = finished(record)
    return header is not None and header.tier == "gate" and header.selection is None


def _written(record: Path) -> int:
    """Return when the record was written, 0 if there is none."""
    return record.stat().st_mtime_ns if record.exists() else 0


@nox.session(python=False)
def sweep(session: nox.Session) -> None:
    """Record every release and write reports/RELEASES.md; releases that have a record are skipped.

    ``nox -s sweep -- again`` records all of them anew.

    An environment is removed as soon as its record is written, so that only one torch is on disk.
    """
    from reports.durations import Pace

    again = "again" in session.posargs
    todo = [each for each in RELEASES if again or not _recorded(each.record)]
    pace = Pace(len(RELEASES), len(RELEASES) - len(todo))
    failed = []
    for each in todo:
        progress = f"torch {each.torch}"
        session.log(f"{pace.line()}: {progress} on Python {each.python}")
        before = _written(each.record)
        name = f"release({each.torch})"
        session.run(
            sys.executable, "-m", "nox", "-s", name, success_codes=[0, 1, 2], external=True
        )
        pace.add()
        if not _recorded(each.record) or _written(each.record) == before:
            failed.append(each.torch)
            session.warn(f"{progress}: no record was written")
            continue
        for environment in (ROOT / ".nox").glob(f"release-*{each.torch.replace('.', '-')}*"):
            shutil.rmtree(environment)
    session.run(sys.executable, "-m", "reports", "releases", external=True)
    if failed:
        session.error(f"no record of torch {', '.join(failed)}: run nox -s sweep again")


@nox.session
def paths(session: nox.Session) -> None:
    """Record smoke on every path that is given: ``nox -s paths -- jit.script fx``; by default, on all."""
    from cases.paths import PATHS

    chosen = session.posargs or [name for name in PATHS if name != "cudnn_off"]
    _install(session, TORCH, *CORE, *(_extra("onnx") if "onnx" in chosen else ()))
    for name in chosen:
        report = f"--report={RECORDS / 'paths' / f'{name}.jsonl.gz'}"
        arguments = ("--tier", "smoke", "--path", name, report)
        session.run("python", "-m", "pytest", *arguments, success_codes=[0, 1])
