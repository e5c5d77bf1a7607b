"""The suite's pytest plugin. It has only hooks; the other modules of the package do the work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Generator, List, Optional, Sequence

import pytest

from reports.visible import one_line, short_words
from tests.conformance import ending, exploration, options, parametrisation, preflight, resumption
from tests.conformance.actions import Actions
from tests.conformance.journal import Journal
from tests.conformance.judging import FOUND
from tests.conformance.process import Guard
from tests.conformance.progress import Progress
from tests.conformance.recorder import UNUSABLE, Recorder, send_home
from tests.conformance.resumption import EARLIER, Resumption
from tests.conformance.session import DESELECTED, GUARD, session_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
APART = (HERE.parent / "meta", HERE.parent / "benchmark")
"""The folders of the suite's own tests, which run only when their path is given."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's own options."""
    options.add(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Refuse unusable options before anything runs."""
    if any(ROOT not in (each, *each.parents) for each in _asked(config)):
        raise pytest.UsageError(
            f"the paths {' '.join(config.args)} are not all within the suite, which runs in a pytest "
            f"process of its own; run: cd {ROOT} && python -m pytest"
        )
    guard = config.stash[GUARD] = Guard(
        config.option.case_timeout, witnessed=not hasattr(config, "workerinput")
    )
    try:
        preflight.check(config.option, config.args, guard)
    except preflight.Unusable as error:
        raise pytest.UsageError(one_line(short_words(str(error)))) from error
    if config.option.explore:
        exploration.check()
    earlier = config.stash[EARLIER] = resumption.earlier_of(config)
    if not hasattr(config, "workerinput"):
        recorder = Recorder(config)
        config.pluginmanager.register(recorder, "batchnorm-recorder")
        config.pluginmanager.register(Actions(recorder, os.environ), "batchnorm-actions")
        if config.option.resume is not None:
            journal = Journal(config.option.resume, earlier)
            config.pluginmanager.register(Resumption(recorder, journal), "batchnorm-resumption")
        if not any(_asks_for(config, each) for each in APART):
            ending.keep_short(config)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Have the process that reports say how far the run is, unless the user wants it quiet."""
    config = session.config
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not hasattr(config, "workerinput") and reporter is not None and config.option.verbose > -2:
        progress = Progress(reporter, config.stash[EARLIER].cases)
        config.pluginmanager.register(progress, "batchnorm-progress")


def _asked(config: pytest.Config) -> List[Path]:
    """Return the paths that the run was given."""
    start = config.invocation_params.dir
    return [(start / each.partition("::")[0]).resolve() for each in config.args]


def _is_ours(collector: Any) -> bool:
    """Whether a module or test belongs to tests/conformance."""
    return bool(collector.path.parent == HERE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> Optional[bool]:
    """Leave the suite's own tests out where a path contains them without naming them."""
    return True if collection_path in APART and not _asks_for(config, collection_path) else None


def _asks_for(config: pytest.Config, folder: Path) -> bool:
    """Whether a path of the command line is in the folder."""
    return any(folder in (each, *each.parents) for each in _asked(config))


def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> Optional[List[Any]]:
    """Collect no test for a family without a case to run."""
    if not name.startswith("test_") or not isinstance(collector, pytest.Module):
        return None
    if _is_ours(collector) and not parametrisation.parameters(collector.obj, collector.config.option)[1]:
        return []
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test for each case."""
    if _is_ours(metafunc.definition):
        name, values, ids = parametrisation.parameters(metafunc.module, metafunc.config.option)
        metafunc.parametrize(name, values, ids=ids)


def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    """Run only the cases that --case names, if it is given, and none that an earlier run has finished."""
    if config.option.case:
        items[:] = [item for item in items if _is_ours(item)]
    items[:] = [item for item in items if not config.stash[EARLIER].has(item.nodeid)]


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Note that a run that leaves cases out is a selection of its tier."""
    for config in {item.config for item in items}:
        config.stash[DESELECTED] = config.stash.get(DESELECTED, 0) + len(items)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Load torch and the subject before the first case, or end the run with one line."""
    config = session.config
    if config.option.collectonly or not any(_is_ours(item) for item in session.items):
        return
    try:
        session_of(config)
    except preflight.Unusable as error:
        line = one_line(short_words(str(error)))
        output = getattr(config, "workeroutput", None)
        if output is None:
            raise pytest.UsageError(line) from error
        output[UNUSABLE] = line
        pytest.exit(line, returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach what a case found to its report.

    It is the outermost wrapper, because a plugin may run a test once more from within this hook.
    """
    report = yield
    if call.when == "call":
        for name, value in item.stash.get(FOUND, {}).items():
            setattr(report, name, value)
        resumption.add_header(item.config, report)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send from a worker to the controller what only the worker knows."""
    if hasattr(session.config, "workerinput"):
        send_home(session.config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the guard after the cases. pytest-xdist ends its workers itself."""
    if GUARD in config.stash:
        config.stash[GUARD].close(outlast=not hasattr(config, "workerinput"))
