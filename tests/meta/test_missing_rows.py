"""Missing rows: a case that was asked for and left no row makes the run fail, whatever has lost it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cases import catalogue
from tests.conformance import summary
from tests.meta.command import SMOKE, Ran, run


def test_cases_without_a_row_are_counted() -> None:
    assert summary.without_row([]) == []
    (line,) = summary.without_row(["d", "c"])
    assert line.startswith("2 case(s) left no row")
    assert line.endswith("first: c")


def test_a_whole_tier_has_a_row_for_every_id() -> None:
    for tier, families in (("smoke", ("matrix", "edge")), ("gate", catalogue.FAMILIES)):
        listed = [each for family in families for each in catalogue.ids(family, tier)]
        assert list(summary.ids_of(tier, 0)) == listed
    gate = list(summary.ids_of("gate", 5))
    assert len(gate) == sum(len(list(catalogue.ids(f, "gate"))) for f in catalogue.FAMILIES)
    assert all(each.endswith("-seed5") == each.startswith("matrix-") for each in gate)


PLANTS = {
    "forgets_rows": (
        "import pytest\n"
        "from tests.conformance.judging import FOUND\n"
        "@pytest.hookimpl(hookwrapper=True)\n"
        "def pytest_runtest_call(item):\n"
        "    yield\n"
        "    if 'momentum_none' in item.name: item.stash[FOUND] = {}\n"
    ),
    "skips_running": (
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_pyfunc_call(pyfuncitem):\n"
        "    return True if 'momentum_none' in pyfuncitem.name else None\n"
    ),
    "says_skipped": (
        "import pytest\n"
        "def pytest_runtest_call(item):\n"
        "    if 'momentum_none' in item.name: pytest.skip('not today')\n"
    ),
    "drops_items": (
        "def pytest_collection_modifyitems(items):\n"
        "    items[:] = [item for item in items if 'momentum_none' not in item.name]\n"
    ),
    "loses_tests": (
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtest_protocol(item):\n"
        "    return True if 'momentum_none' in item.name else None\n"
    ),
}
WHOLE = ("drops_items",)
"""Faults that are only noticed in a whole tier, because they lose cases before collection."""


def run_with(plugin: str, folder: Path, *options: str) -> Ran:
    (folder / f"{plugin}.py").write_text(PLANTS[plugin], encoding="ascii")
    return run(*SMOKE, "-p", plugin, *options, plugins=str(folder))


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=pytest.mark.long) if each in WHOLE else each for each in PLANTS]
)
def test_a_run_with_a_case_that_left_no_row_fails(name: str, tmp_path: Path) -> None:
    """A plugin plants the fault; without it the run passes."""
    shard = (1, 1) if name in WHOLE else (1, 16)
    done = run_with(name, tmp_path, "--shard", "{}/{}".format(*shard))
    tier = (i for f in catalogue.FAMILIES for i in catalogue.select(f, "smoke", shard))
    planted = [i for i in tier if "momentum_none" in i]
    assert planted
    assert f"ERROR: {len(planted)} case(s) left no row" in done.output, done.output[-2000:]
    assert done.status == pytest.ExitCode.INTERNAL_ERROR


def test_workers_notice_it_too(tmp_path: Path) -> None:
    """The workers load the plugin, too."""
    done = run_with("forgets_rows", tmp_path, "--shard", "1/16", "-n", "2")
    assert "case(s) left no row" in done.output, done.output[-2000:]
    assert done.status == pytest.ExitCode.INTERNAL_ERROR
