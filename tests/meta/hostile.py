"""BatchNorm2d subjects that harm the process that runs them; torch is all they need."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from typing import Any, ClassVar, List, Type

import torch
from torch import Tensor

Base = torch.nn.BatchNorm2d


class EndsTheProcess(Base):
    """Ends the process at once, with the status of success."""

    def forward(self, input: Tensor) -> Tensor:
        os._exit(0)


class EndsTheProcessInAThread(Base):
    """Ends the process at once from another thread, and is right."""

    def forward(self, input: Tensor) -> Tensor:
        thread = threading.Thread(target=os._exit, args=(0,))
        thread.start()
        thread.join()
        return super().forward(input)


class EndsAChild(Base):
    """Ends a process that it started itself, and is right."""

    def forward(self, input: Tensor) -> Tensor:
        child = os.fork()
        if child == 0:
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status == 0
        return super().forward(input)


class EndsTheProcessLater(Base):
    """Is wrong, and ends the process with the status of success from wherever Python calls it later."""

    class Error(BaseException):
        """An exception whose message ends the process."""

        def __str__(self) -> str:
            os._exit(0)

    def forward(self, input: Tensor) -> Tensor:
        atexit.register(lambda: os._exit(0))
        if _one_value(input):
            raise self.Error
        return super().forward(input)


class Aborts(Base):
    """Aborts the process."""

    def forward(self, input: Tensor) -> Tensor:
        os.abort()


class KillsItself(Base):
    """Sends its process the signal that cannot be caught."""

    def forward(self, input: Tensor) -> Tensor:
        os.kill(os.getpid(), signal.SIGKILL)
        return input


class Exits(Base):
    """Exits as a script does."""

    def forward(self, input: Tensor) -> Tensor:
        sys.exit(0)


class ExitsInAThread(Base):
    """Exits in another thread, which ends only that thread, and is right."""

    def forward(self, input: Tensor) -> Tensor:
        thread = threading.Thread(target=sys.exit, args=(0,))
        thread.start()
        thread.join()
        return super().forward(input)


class ClosesStdout(Base):
    """Closes ``sys.stdout``, and is right."""

    def forward(self, input: Tensor) -> Tensor:
        sys.stdout.close()
        return super().forward(input)


class ClosesTheDescriptor(Base):
    """Closes the file descriptor of the standard output, and is right."""

    def forward(self, input: Tensor) -> Tensor:
        with contextlib.suppress(OSError):
            os.close(1)
        return super().forward(input)


class OpensEverything(Base):
    """Opens files until no descriptor is left, and is right."""

    opened: ClassVar[List[Any]] = []

    def forward(self, input: Tensor) -> Tensor:
        with contextlib.suppress(OSError):
            while True:
                self.opened.append(os.open(os.devnull, os.O_RDONLY))
        return super().forward(input)


class LeavesAThread(Base):
    """Leaves a thread that never ends, and is right."""

    started: ClassVar[List[threading.Thread]] = []

    def forward(self, input: Tensor) -> Tensor:
        if not self.started:
            self.started.append(threading.Thread(target=time.sleep, args=(10**6,), name="endless"))
            self.started[0].start()
        return super().forward(input)


class LeavesAThreadInEveryForward(Base):
    """Leaves many threads that never end, and is right."""

    def forward(self, input: Tensor) -> Tensor:
        threading.Thread(target=time.sleep, args=(10**6,), name="endless").start()
        return super().forward(input)


class HangsAtTheEnd(Base):
    """Registers a function with ``atexit`` that never ends, and is right."""

    def forward(self, input: Tensor) -> Tensor:
        atexit.register(time.sleep, 10**6)
        return super().forward(input)


class Hangs(Base):
    """Does not return from its forward."""

    def forward(self, input: Tensor) -> Tensor:
        time.sleep(10**6)
        return input


class HangsInCompiledCode(Base):
    """Hangs in a function of C that keeps Python's lock, so that no other thread runs."""

    def forward(self, input: Tensor) -> Tensor:
        ctypes.PyDLL(None).sleep(10**6)
        return input


class EndsTheProcessInCompiledCode(Base):
    """Ends the process by a function of C, which nothing in Python can refuse."""

    def forward(self, input: Tensor) -> Tensor:
        ctypes.CDLL(None)._exit(0)
        return input


def _one_value(input: Tensor) -> bool:
    return input.dim() == 4 and input.numel() == input.size(1)


def _at_one_value(hostile: Type[Base]) -> Type[Base]:
    """Return a subject that is hostile to a batch of one value per channel, and right with all others."""

    class AtOneValue(hostile):  # type: ignore[valid-type, misc]
        """Is hostile to one kind of batch."""

        def forward(self, input: Tensor) -> Tensor:
            return super().forward(input) if _one_value(input) else Base.forward(self, input)

    return AtOneValue


EndsTheProcessAtOneValue = _at_one_value(EndsTheProcess)
EndsTheProcessInAThreadAtOneValue = _at_one_value(EndsTheProcessInAThread)
AbortsAtOneValue = _at_one_value(Aborts)
KillsItselfAtOneValue = _at_one_value(KillsItself)
ExitsAtOneValue = _at_one_value(Exits)
ClosesStdoutAtOneValue = _at_one_value(ClosesStdout)
ClosesTheDescriptorAtOneValue = _at_one_value(ClosesTheDescriptor)
OpensEverythingAtOneValue = _at_one_value(OpensEverything)
HangsAtOneValue = _at_one_value(Hangs)
HangsInCompiledCodeAtOneValue = _at_one_value(HangsInCompiledCode)
EndsTheProcessInCompiledCodeAtOneValue = _at_one_value(EndsTheProcessInCompiledCode)
