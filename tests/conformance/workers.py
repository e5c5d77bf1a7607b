"""Which worker of pytest-xdist runs which cases, and how it says that they are done.

An event for the end of every case costs controller and worker more than many a case takes, so a worker
tells of many cases at a time. Which one it is in, that it leaves where its death does not take it along:
in a file, its place, that both map into memory.
"""

from __future__ import annotations

import mmap
import struct
import tempfile
import threading
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

import pytest
from xdist.scheduler import WorkStealingScheduling

from tests.conformance.parcels import HELD_BACK

DONE = "runtest_protocol_complete"
"""The event of pytest-xdist that says so."""
_IN_THE_MEANTIME = ("logstart", "testreport", "logfinish")
"""Events that may come before the ends of the cases they tell of."""

_PLACE = struct.Struct("q")
PLACES = "bn_places"
"""The entry of a worker's input that names the folder of the places."""


class Place:
    """The number of the case that a worker is in, in a file of its name."""

    def __init__(self, folder: Path, worker: str, create: bool = False) -> None:
        """Raises OSError where the file, which ``create`` makes, is not there."""
        path = folder / worker
        if create:
            path.write_bytes(_PLACE.pack(-1))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _PLACE.size)

    def put(self, number: int) -> None:
        """Leaves the number there."""
        _PLACE.pack_into(self._memory, 0, number)

    def number(self) -> int:
        """What was left there last; -1 before anything was."""
        found: int = _PLACE.unpack_from(self._memory)[0]
        return found

    def close(self) -> None:
        """Lets go of the file, which some systems do not delete before."""
        self._memory.close()


class Stretches(WorkStealingScheduling):  # type: ignore[misc]
    """Every worker gets one stretch of the cases, and in the end what a slower one still has: neighbours
    have inputs and expectations in common."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        self._places: Dict[Any, Place] = {}

    def add_node(self, node: Any) -> None:
        """A new worker; the file of its place says that it may tell of many cases at a time."""
        super().add_node(node)
        folder = Path(node.workerinput[PLACES])
        self._places[node] = Place(folder, node.workerinput["workerid"], create=True)

    def mark_test_complete(
        self, node: Any, item_index: Union[int, Sequence[int]], duration: Optional[float] = None
    ) -> None:
        """One case is done, or all of these."""
        done = {item_index} if isinstance(item_index, int) else set(item_index)
        pending = self.node2pending[node]
        pending[:] = [each for each in pending if each not in done]
        self.check_schedule()

    def remove_node(self, node: Any) -> Optional[str]:
        """The case that a dead worker was in, if it had not told of its end; those before are done."""
        pending = self.node2pending[node]
        place = self._places.pop(node)
        number = place.number()
        place.close()
        if number in pending:
            del pending[: pending.index(number)]
        crashed: Optional[str] = super().remove_node(node)
        return crashed


def folder_of_places(config: pytest.Config) -> str:
    """Where the places of a run's workers are; of the run, and gone with it."""
    existing: Optional[tempfile.TemporaryDirectory[str]] = getattr(config, "_bn_places", None)
    if existing is None:
        existing = tempfile.TemporaryDirectory(prefix="batchnorm-places-")
        config._bn_places = existing  # type: ignore[attr-defined]
    return existing.name


class Progress:
    """What a worker tells the controller's ``Stretches`` of the cases it runs."""

    def __init__(self, interactor: Any, place: Place) -> None:
        """``interactor``: pytest-xdist's plugin in the worker, whose events pass through here then."""
        self._interactor = interactor
        self._place = place
        self._send = interactor.sendevent
        self._done: List[int] = []
        self._finished = threading.Event()
        self._one_at_a_time = threading.Lock()
        interactor.sendevent = self.send
        threading.Thread(target=self._tell_now_and_then, daemon=True).start()

    def begins(self) -> None:
        """A case begins: all that may happen from now on is its doing."""
        self._place.put(self._interactor.item_index)

    def send(self, name: str, **arguments: Any) -> None:
        """In the place of the interactor's ``sendevent``."""
        if name == DONE:
            with self._one_at_a_time:
                self._done.append(arguments["item_index"])
            return
        if name not in _IN_THE_MEANTIME:
            self._tell()
        if name == "workerfinished":
            self._finished.set()
        self._send(name, **arguments)

    def _tell(self) -> None:
        with self._one_at_a_time:
            done, self._done = self._done, []
            if done:
                self._send(DONE, item_index=done, duration=0.0)

    def _tell_now_and_then(self) -> None:
        """A worker that waits for what to run next tells of what it has run."""
        while not self._finished.wait(HELD_BACK):
            self._tell()


def progress(config: pytest.Config) -> Optional[Progress]:
    """Of this worker, where its controller wants to hear of many cases at a time: a scheduler that is
    not ours does not, nor can a controller elsewhere."""
    workerinput: Dict[str, Any] = config.workerinput  # type: ignore[attr-defined]
    interactors = [each for each in config.pluginmanager.get_plugins() if hasattr(each, "sendevent")]
    if PLACES not in workerinput or not interactors:
        return None
    try:
        place = Place(Path(workerinput[PLACES]), workerinput["workerid"])
    except OSError:
        return None
    return Progress(interactors[0], place)
