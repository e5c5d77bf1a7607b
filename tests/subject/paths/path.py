"""The protocol of a path: how the forward of a live module is reached."""

from __future__ import annotations

from typing import Any, Callable, Dict, Tuple

import torch

from cases.attributes import TENSORS

Factory = Callable[..., Any]


class PathError(ValueError):
    """The path cannot be taken here; the message says what is missing and what to do."""


class Path:
    """A way to the forward of one live module. This one calls the module.

    One object belongs to one module of one program. What it makes of the module (a graph, a trace, a
    program) it makes once, at the first forward for which ``make`` returns, and never again, whatever
    changes later. A step that replaces the module by a copy replaces the path by a new one: a copy is
    another module. A conversion of the dtype changes the module itself, so the path stays.

    ``sums_exactly``: the path runs torch's own CPU kernels, which must be exact on inputs whose
    statistics need no rounding. ``kernels``: it runs those kernels and so must show their known defects.
    """

    sums_exactly = True
    kernels = True

    @classmethod
    def check(cls) -> None:
        """Raise PathError if the path cannot be taken in this process."""

    @classmethod
    def factory(cls, factory: Factory) -> Factory:
        """Return the callable that constructs the module in the place of the class under test."""
        return factory

    def forward(self, module: Any, x: torch.Tensor) -> Any:
        """Return the output of the module for ``x``; raises what the path raises."""
        return module(x)


class Made(Path):
    """A path that makes a program of the module at the first forward, and calls the program from then on.

    ``made``: the program, None before there is one. Making it may call the module and so
    change its buffers; ``make`` has to undo that, because the forward runs afterwards.
    """

    def __init__(self) -> None:
        self.made: Any = None
        self.entries: Dict[str, Any] = {}

    def make(self, module: Any, x: torch.Tensor) -> Any:
        """Return a program of the module, a callable; raises what torch raises."""
        raise NotImplementedError

    def prepare(self, module: Any) -> None:
        """Carry those changes of the module over to the program that its user can make, too."""

    def forward(self, module: Any, x: torch.Tensor) -> Any:
        """Make the program if there is none, prepare it, and call it."""
        if self.made is None:
            self.made = self.make(module, x)
            self.entries = tensors(module)
        self.prepare(module)
        return self.made(x)


def tensors(module: Any) -> Dict[str, Any]:
    """Return the module's parameters and buffers by name, None for one that it lacks."""
    return {name: getattr(module, name, None) for name in TENSORS}


class Kept:
    """A context that gives the module's buffers their numbers back when it ends."""

    def __init__(self, module: Any) -> None:
        self._tensors = [each for each in tensors(module).values() if isinstance(each, torch.Tensor)]
        self._before = [each.detach().clone() for each in self._tensors]

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, *_: object) -> None:
        with torch.no_grad():
            for tensor, before in zip(self._tensors, self._before):
                if not torch.equal(tensor, before):
                    places = _places(tensor)
                    tensor.data[places].copy_(before[places])


def _places(tensor: torch.Tensor) -> Tuple[slice, ...]:
    """Return the index that selects every place in memory once, even if several elements share it."""
    return tuple(slice(0, 1) if stride == 0 else slice(None) for stride in tensor.stride())
