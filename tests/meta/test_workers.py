"""Which worker of pytest-xdist runs which cases."""

from __future__ import annotations

import re
import time
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, List, Tuple

import pytest

from cases import catalogue
from cases.steps import Forward
from tests.conformance import parcels, workers
from tests.meta.test_command_line import FAKES, SMOKE, run

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


DIES_LATER = f"{FAKES}:DiesLater"
"""In the fortieth forward of a process."""


def test_the_case_that_kills_a_worker_is_named() -> None:
    """Though the ends of those before it had not been told of yet."""
    forwards, names = 0, []
    for case_id in collected():
        steps = catalogue.find(case_id).steps
        forwards += sum(isinstance(step, Forward) for step in steps)
        names.append(case_id)
        if forwards >= 40:
            break
    ran = run(*CASES, "-n", "1", "--max-worker-restart", "0", "--subject", DIES_LATER)
    # Once, or twice: where CI is set, pytest repeats the whole message in its summary.
    (killer,) = set(re.findall(r"crashed while running '.*\[(.*)\]'", ran.output))
    assert killer == names[-1]
    assert len(names) > 3


def test_a_scheduler_of_another_plugin_is_told_of_each_case(tmp_path: Path) -> None:
    plugin = """
import pytest
from xdist.scheduler import LoadScheduling

class Counting(LoadScheduling):
    def mark_test_complete(self, node, item_index, duration=0):
        assert type(item_index) is int
        super().mark_test_complete(node, item_index, duration)

@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config, log):
    return Counting(config, log)
"""
    (tmp_path / "other_scheduler.py").write_text(plugin, encoding="ascii")
    ran = run(*CASES, "-n", "2", "-p", "other_scheduler", plugins=str(tmp_path))
    assert ran.status == 0, ran.output


class FakeInteractor:
    """Lies about being pytest-xdist's plugin in a worker: its events go into a list."""

    def __init__(self) -> None:
        self.item_index = 0
        self.sent: List[Tuple[str, Dict[str, Any]]] = []

    def sendevent(self, name: str, **arguments: Any) -> None:
        self.sent.append((name, arguments))


@pytest.fixture
def place(tmp_path: Path) -> workers.Place:
    return workers.Place(tmp_path, "gw0", create=True)


def test_ends_are_told_before_anything_that_depends_on_them(place: workers.Place) -> None:
    """What the controller wants back, or that the worker is through; a report may come before."""
    interactor = FakeInteractor()
    telling = workers.Progress(interactor, place)
    for number in (3, 4):
        telling.send(workers.DONE, item_index=number, duration=0.1)
        telling.send("testreport", data={})
    telling.send("unscheduled", indices=[7])
    telling.send(workers.DONE, item_index=5, duration=0.1)
    telling.send("workerfinished", workeroutput={})
    names = [name for name, _ in interactor.sent if name != "testreport"]
    told = [arguments["item_index"] for name, arguments in interactor.sent if name == workers.DONE]
    assert list(chain.from_iterable(told)) == [3, 4, 5]
    assert names[-3:] == ["unscheduled", workers.DONE, "workerfinished"]


def test_ends_are_told_by_and_by(place: workers.Place) -> None:
    """A worker that waits for more to do sends nothing of itself."""
    interactor = FakeInteractor()
    telling = workers.Progress(interactor, place)
    telling.send(workers.DONE, item_index=1, duration=0.1)
    for _ in range(400):
        if interactor.sent:
            break
        time.sleep(parcels.HELD_BACK)
    assert interactor.sent == [(workers.DONE, {"item_index": [1], "duration": 0.0})]
    telling.send("workerfinished", workeroutput={})


def test_a_place_says_where_a_worker_is(place: workers.Place, tmp_path: Path) -> None:
    assert place.number() == -1
    interactor = FakeInteractor()
    telling = workers.Progress(interactor, workers.Place(tmp_path, "gw0"))
    interactor.item_index = 2**40
    telling.begins()
    assert place.number() == 2**40
    telling.send("workerfinished", workeroutput={})


def test_a_worker_without_a_place_tells_of_each_case(tmp_path: Path) -> None:
    """One on another machine, or of a controller with another scheduler."""
    with pytest.raises(FileNotFoundError):
        workers.Place(tmp_path, "gw0")
    interactor = FakeInteractor()
    plugins = SimpleNamespace(get_plugins=lambda: [object(), interactor])
    given = {"workerid": "gw0", workers.PLACES: str(tmp_path)}
    for workerinput in (given, {"workerid": "gw0"}):
        assert workers.progress(SimpleNamespace(workerinput=workerinput, pluginmanager=plugins)) is None
    interactor.sendevent(workers.DONE, item_index=1)
    assert interactor.sent == [(workers.DONE, {"item_index": 1})]
