"""The entry point of pytest: loads the suite's plugin, or says why it cannot run from here."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any, List, Optional

import pytest

ROOT = Path(__file__).resolve().parent
PACKAGES = ("cases", "oracle", "reports", "tests")
PLUGIN = "tests.conformance.hooks"


def _elsewhere() -> List[str]:
    """Return the suite's packages that Python would not import from this folder."""
    found = []
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        places = [] if spec is None else list(spec.submodule_search_locations or ())
        if [Path(each).resolve() for each in places] != [ROOT / name]:
            found.append(name)
    return found


NOT_FROM_HERE = (
    f"the BatchNorm2d conformance suite in {ROOT} runs in a pytest process of its own, without tests of "
    f"another project; run: cd {ROOT} && python -m pytest"
)
"""The message about another project whose packages have the names of the suite's."""


class Guest:
    """A plugin that replaces the suite's own where another project's pytest meets the clone."""

    def pytest_configure(self, config: pytest.Config) -> None:
        """Refuse to run when a path to the clone was given."""
        start = config.invocation_params.dir
        asked = [(start / each.partition("::")[0]).resolve() for each in config.args]
        if any(each == ROOT or ROOT in each.parents for each in asked):
            raise pytest.UsageError(NOT_FROM_HERE)

    def pytest_ignore_collect(self, collection_path: Path) -> Optional[bool]:
        """Leave the clone out when the other project's tests are collected."""
        return True if ROOT in collection_path.resolve().parents else None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say in one line that the clone was left out."""
        terminalreporter.write_line(f"not run: {NOT_FROM_HERE}")


def _beside_others(pluginmanager: pytest.PytestPluginManager) -> bool:
    """Whether pytest was asked for paths outside of the clone, and met it while collecting them.

    Before pytest has read the options of the suite, it takes their values for paths, too.
    """
    config: Any = pluginmanager.get_plugin("pytestconfig")
    paths = ((config.invocation_params.dir / each.partition("::")[0]).resolve() for each in config.args)
    return any(ROOT not in (each, *each.parents) for each in paths)


def _leave_path() -> None:
    """Remove the clone from the path, where pytest has put it: the other project has its own packages."""
    sys.path[:] = [each for each in sys.path if Path(each).resolve() != ROOT or not each]


def _taken(parser: pytest.Parser) -> bool:
    """Whether another project's plugin has an option of the same name as one of the suite."""
    from tests.conformance import options

    given = [f"{name}=0" for name in options.NAMES]
    return parser.parse_known_and_unknown_args(given)[1] != given


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the suite's plugin."""
    if _beside_others(pluginmanager):
        _leave_path()
        pluginmanager.register(Guest(), "batchnorm2d-guest")
    elif _elsewhere() or _taken(parser):
        pluginmanager.register(Guest(), "batchnorm2d-guest")
    else:
        pluginmanager.import_plugin(PLUGIN)
