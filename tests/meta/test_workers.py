"""Which worker of pytest-xdist runs which cases."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import Dict, List

import pytest

from tests.meta.test_command_line import SMOKE, run

CASES = (*SMOKE, "-k", "n8-float32")


def collected() -> List[str]:
    """The ids in the order of collection."""
    return re.findall(r"\[(.*)\]", run(*CASES, "--collect-only").output)


def by_worker(*arguments: str) -> Dict[str, List[str]]:
    """Worker to the ids that it ran, in order."""
    ran = run(*CASES, "-n", "2", "-v", "-v", *arguments)
    assert ran.status == 0, ran.output
    found: Dict[str, List[str]] = {}
    for worker, case_id in re.findall(r"\[(gw\d)\].* PASSED \S*\[(.*)\]", ran.output):
        found.setdefault(worker, []).append(case_id)
    return found


def stretches(places: List[int]) -> int:
    """How many times the next case was not the one after the last."""
    return 1 + sum(later != earlier + 1 for earlier, later in zip(places, places[1:]))


def test_each_worker_runs_neighbours() -> None:
    """A half each, and then what the other still has."""
    ids = collected()
    found = by_worker()
    assert sorted(chain.from_iterable(found.values())) == sorted(ids)
    places = [[ids.index(case_id) for case_id in ran] for ran in found.values()]
    assert sorted(each[0] for each in places) == [0, len(ids) // 2]
    assert max(map(stretches, places)) <= 6


def test_without_that_scheduler_the_usual_one_runs(tmp_path: Path) -> None:
    """pytest-xdist before 3.2 does not have it."""
    plugin = "import xdist.dsession\ndel xdist.scheduler.WorkStealingScheduling\n"
    (tmp_path / "older_xdist.py").write_text(plugin, encoding="ascii")
    ran = run(*CASES, "-n", "2", "-p", "older_xdist", plugins=str(tmp_path))
    assert ran.status == 0, ran.output
    assert "Traceback" not in ran.output


@pytest.mark.parametrize("how", ["loadfile", "each"])
def test_another_way_is_as_asked(how: str) -> None:
    ids = collected()
    found = by_worker("--dist", how)
    assert sorted(chain.from_iterable(found.values())) == sorted(ids * (2 if how == "each" else 1))
