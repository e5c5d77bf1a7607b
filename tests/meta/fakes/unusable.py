"""Subjects that cannot be made or called, or that end or print where they should return."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tests.meta.fakes.numbers import NoEps

Base = torch.nn.BatchNorm2d


class CannotBeMade(Base):
    """The constructor raises."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise OSError("no such device")


class NoModule:
    """Takes the arguments and is no module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass


NOT_CALLABLE = 3


class OwnArguments(Base):
    """Takes the number of channels and no other argument."""

    def __init__(self, num_features: int) -> None:
        super().__init__(num_features)


class ExitsWhenMade(Base):
    """The constructor ends the process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise SystemExit("no licence")


class NotOnTheCPU(Base):
    """Has tensors without numbers, as on another device."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "device": "meta"})


class Wordless(Exception):
    """Cannot be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Unreadable(Base):
    """An attribute cannot be read."""

    @property
    def eps(self) -> float:
        raise Wordless

    @eps.setter
    def eps(self, value: float) -> None:
        pass


class ExitsInForward(Base):
    """Ends the process in the middle of a case, as a script does."""

    def forward(self, input: Tensor) -> Tensor:
        raise SystemExit(0)


class SkipsInForward(Base):
    """Calls pytest's own skip in a forward."""

    def forward(self, input: Tensor) -> Tensor:
        import pytest

        pytest.skip("not today")


class DiesLater(Base):
    """Ends the process in a forward after some that went well."""

    forwards = 0

    def forward(self, input: Tensor) -> Tensor:
        import os

        DiesLater.forwards += 1
        if DiesLater.forwards == 40:
            os._exit(1)
        return super().forward(input)


class DiesInForward(Base):
    """Kills the whole process in a forward."""

    def forward(self, input: Tensor) -> Tensor:
        import os

        os._exit(0)


class PrintsAndLies(NoEps):
    """Prints in every forward, and has no eps."""

    def forward(self, input: Tensor) -> Tensor:
        print("said the subject")
        return super().forward(input)


class WrongOnce(Base):
    """Is wrong in one forward of the process, the twelfth that returns."""

    forwards = 0

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        WrongOnce.forwards += 1
        return output + 1 if WrongOnce.forwards == 12 else output


class WrongAtEps1(Base):
    """Is wrong where eps is 1."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        return output + 1 if self.eps == 1 else output
