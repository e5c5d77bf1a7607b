"""Protects the process that runs the cases, and says which case tried to end it.

A subject is foreign code in the same process: it can end the process, close the streams that pytest
writes to, use up the file descriptors, hang, or leave a thread that never ends. ``Guard`` names the case
that did so.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import importlib
import os
import sys
import threading
import time
from typing import Any, Callable, Dict, Iterator, List, NoReturn, Optional

from tests.conformance.witness import Witness

UNJUDGED = 3
"""The exit status of a process that a case has ended, and of a run with a case without a verdict."""

STANDARD = {1: "standard output", 2: "standard error"}
"""The file descriptors that a run needs."""

ENDING = ("_exit", "abort", "execv", "execve")
"""The functions of ``os`` that end a process at once. The others of their kind call one of these."""

HOLDERS = (os, importlib.import_module(os.name))
"""The modules that have these functions: ``os``, and ``posix`` or ``nt``, where it takes them from."""

SPARE = 32
"""The number of file descriptors kept back, for the results of a run whose subject took all others."""

PATIENCE = 10.0
"""The seconds for which threads may outlive the run before the process is ended."""

GRACE = 20.0
"""The seconds after the limit of a case until a process is ended in which Python does not get to run."""

INTERVAL = 0.25
"""The seconds from one look at the clock to the next."""


class Damage(Exception):
    """Damage that the subject did to the process. The text ends a sentence that begins with "it"."""


class Exhausted(Damage):
    """No file descriptor is left, so no other case can be judged."""


class _Unclosable:
    """A stream that stays open; ``closed`` is called instead of closing it."""

    def __init__(self, stream: Any, closed: Callable[[], None]) -> None:
        self._stream = stream
        self.close = closed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> _Unclosable:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Guard:
    """Watches over everything that the subject of one run does.

    ``limit``: seconds that a case may take, 0 for no limit. ``witnessed``: a second process says in
    which case this one ended; pytest-xdist says so of its workers. It must be made while pytest does
    not capture, because it keeps copies of the standard streams.
    """

    def __init__(self, limit: float, witnessed: bool = False) -> None:
        self.limit = limit
        self._witnessed = witnessed and os.name == "posix"
        self._witness: Optional[Witness] = None
        self._user = {number: _copy(number) for number in STANDARD}
        self._process = os.getpid()
        self._calls: Dict[str, Callable[..., NoReturn]] = {name: getattr(os, name) for name in ENDING}
        self._doing = ""
        self._since = 0.0
        self._damage: List[str] = []
        self._over = threading.Event()
        self._spare: List[int] = []
        self._begun = False

    def _begin(self) -> None:
        self._begun = True
        self._refuse_calls()
        errors = self._user.get(2)
        if self._witnessed and errors is not None:
            self._witness = Witness(errors)
        self._spare = [os.open(os.devnull, os.O_RDONLY) for _ in range(SPARE)]
        if self.limit:
            threading.Thread(target=self._watch, name="case-timeout", daemon=True).start()

    @contextlib.contextmanager
    def over(self, doing: str) -> Iterator[None]:
        """Return a context that raises Damage when the subject tries to end the process, or breaks it.

        ``doing``: what the subject does meanwhile, as the subject of a sentence.
        """
        if not self._begun:
            self._begin()
        kept = {number: _copy(number) for number in STANDARD}
        self._since = time.monotonic()
        self._note(doing)
        self._limit_stuck()
        try:
            with self._streams_open():
                yield
        except SystemExit:
            if not self._damage:  # the subject exits as a script does
                raise
        finally:
            self._note("")
            self._unlimit_stuck()
            self._mend(kept)
            damage = " and ".join(dict.fromkeys(self._damage))
            self._damage.clear()
        if damage:
            raise Damage(damage)

    def _note(self, doing: str) -> None:
        self._doing = doing
        if self._witness is not None and os.getpid() == self._process:
            self._witness.note(doing)

    def _refuse_calls(self) -> None:
        """Replace the functions of ENDING: they do not end this process, but still end a fork of it.

        They stay replaced between the cases: a finalizer or a thread of the subject may call them there.
        """
        for name, call in self._calls.items():
            _replace(name, self._refusal(name, call))

    def _refusal(self, name: str, call: Callable[..., NoReturn]) -> Callable[..., NoReturn]:
        def refuse(*arguments: Any, **named: Any) -> NoReturn:
            if os.getpid() != self._process:
                call(*arguments, **named)
            given = [*map(repr, arguments), *(f"{each}={value!r}" for each, value in named.items())]
            called = f"os.{name}({', '.join(given[:1])})"
            self._damage.append(f"ended the process by {called}")
            raise SystemExit(called)  # in another thread, this ends that thread without a message

        return refuse

    @contextlib.contextmanager
    def _streams_open(self) -> Iterator[None]:
        """Return a context in which ``sys.stdout`` and ``sys.stderr`` cannot be closed."""
        damage = self._damage
        output = _Unclosable(sys.stdout, lambda: damage.append("closed sys.stdout"))
        errors = _Unclosable(sys.stderr, lambda: damage.append("closed sys.stderr"))
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            yield

    def _mend(self, kept: Dict[int, Optional[int]]) -> None:
        """Open again what was closed; raise Exhausted when no descriptor is left."""
        exhausted = _exhausted()
        for number, copy in kept.items():
            if copy is None:
                continue
            try:
                os.fstat(number)
            except OSError:
                os.dup2(copy, number)
                self._damage.append(f"closed the {STANDARD[number]}, file descriptor {number}")
            os.close(copy)
        if exhausted:
            self._release()
            raise Exhausted("left no file descriptor to open another file with")

    def _watch(self) -> None:
        """End the process when a case takes longer than the limit."""
        while not self._over.wait(INTERVAL):
            doing, spent = self._doing, time.monotonic() - self._since
            if doing and spent > self.limit:
                began = time.strftime("%H:%M:%S", time.localtime(time.time() - spent))
                self._end(
                    f"{doing} has not ended in {self.limit:g} s (it began at {began}), so the run is "
                    "ended without a record; run that alone with -s to see where it hangs, or give it "
                    "longer by --case-timeout SECONDS"
                )

    def _limit_stuck(self) -> None:
        """End the process by C code soon after the limit: compiled code may hang and keep Python's lock.

        No thread of Python can then say which case it is: the witness does. The traceback shows where.
        """
        errors = self._user.get(2)
        if self.limit and errors is not None:
            faulthandler.dump_traceback_later(self.limit + GRACE, exit=True, file=errors)

    def _unlimit_stuck(self) -> None:
        if self.limit and os.getpid() == self._process:  # a fork lacks the thread, and would wait for it
            faulthandler.cancel_dump_traceback_later()

    def _end(self, line: str) -> NoReturn:
        """Write one line and end the process."""
        self._note("")
        for number, copy in self._user.items():
            if copy is not None:
                os.dup2(copy, number)
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None:
                with contextlib.suppress(OSError, ValueError):  # the stream may be closed
                    stream.flush()
        with contextlib.suppress(OSError):
            os.write(2, f"\nERROR: {line}\n".encode("utf-8", "backslashreplace"))
        self._calls["_exit"](UNJUDGED)

    def close(self, outlast: bool) -> None:
        """End the guard. ``outlast``: remaining threads may not keep the process for long."""
        self._over.set()
        self._release()
        if self._witness is not None:
            self._witness.close()
        for name, call in self._calls.items():
            _replace(name, call)
        if outlast and self._begun:
            atexit.register(_ignore_calls)  # runs before the functions that the subject has registered
            threading.Thread(target=self._outlast, name="process-end", daemon=True).start()
        else:
            self._forget()

    def _release(self) -> None:
        while self._spare:
            os.close(self._spare.pop())

    def _forget(self) -> None:
        for copy in self._user.values():
            if copy is not None:
                os.close(copy)
        self._user = {}

    def _outlast(self) -> None:
        """Wait a while for the subject's threads after the main thread's end, then end the process."""
        threading.main_thread().join()
        time.sleep(PATIENCE)
        self._end(f"the process cannot end {PATIENCE:g} s after the run: {_unended()}")


def _replace(name: str, call: Callable[..., Any]) -> None:
    """Put ``call`` in the place of a function of ENDING."""
    for module in HOLDERS:
        setattr(module, name, call)


def _unended() -> str:
    """Return what keeps the process, and what to do: threads, or else a function of ``atexit``."""
    there = [each for each in threading.enumerate() if not each.daemon]
    names = [repr(each.name)[:60] for each in there if each is not threading.main_thread()]
    if not names:
        return "a function that the subject has registered with atexit has not ended; let it end"
    if len(names) == 1:
        still = f"thread {names[0]} of the subject is still running"
        return f"{still}; let it end, or make it a daemon thread"
    return (
        f"thread {names[0]} of the subject and {len(names) - 1} more are still running; let them end, or "
        "make them daemon threads"
    )


def _ignore_calls() -> None:
    """Make the functions of ENDING do nothing.

    A function that the subject has registered with ``atexit`` cannot change the exit status by them.
    """
    for name in ENDING:
        _replace(name, lambda *_: None)


def _copy(number: int) -> Optional[int]:
    """Return a second descriptor for a standard stream; None where the process has no such stream."""
    try:
        return os.dup(number)
    except OSError:
        return None


def _exhausted() -> bool:
    """Whether no file can be opened."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return True
    return False
