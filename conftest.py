"""pytest options and hooks; the work is done in tests/conformance."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence

import pytest

from tests.conformance import exploration, options, parametrisation, preflight
from tests.conformance.recorder import UNUSABLE, Recorder, send_home
from tests.conformance.session import DESELECTED, session_of


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's own options."""
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Refuses unusable options before anything runs."""
    try:
        preflight.check(config.option, config.args)
    except preflight.Unusable as error:
        raise pytest.UsageError(str(error)) from error
    if config.option.explore:
        exploration.check()
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(config), "batchnorm-recorder")


def _is_ours(collector: Any) -> bool:
    """Whether a module or test belongs to tests/conformance."""
    return collector.path.parent == collector.config.rootpath / "tests" / "conformance"


def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> Optional[List[Any]]:
    """A family without a case to run has no test."""
    if not name.startswith("test_") or not isinstance(collector, pytest.Module):
        return None
    if _is_ours(collector) and not parametrisation.parameters(collector.obj, collector.config.option)[1]:
        return []
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a case."""
    if _is_ours(metafunc.definition):
        name, values, ids = parametrisation.parameters(metafunc.module, metafunc.config.option)
        metafunc.parametrize(name, values, ids=ids)


def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    """With --case nothing but that case runs."""
    if config.option.case:
        items[:] = [item for item in items if _is_ours(item)]


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """A run that leaves cases out is a selection of its tier."""
    for config in {item.config for item in items}:
        config.stash[DESELECTED] = config.stash.get(DESELECTED, 0) + len(items)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Has torch and the subject before the first case, or ends the run in one line."""
    config = session.config
    if config.option.collectonly or not any(_is_ours(item) for item in session.items):
        return
    try:
        session_of(config)
    except preflight.Unusable as error:
        output = getattr(config, "workeroutput", None)
        if output is None:
            raise pytest.UsageError(str(error)) from error
        output[UNUSABLE] = str(error)
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker sends home what the controller does not know."""
    if hasattr(session.config, "workerinput"):
        send_home(session.config)
