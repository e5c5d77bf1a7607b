"""The registry of liars: each fault, and the cases that must catch it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Callable, Dict, Tuple, Type, TypeVar

from tests.meta.liars.honest import HonestBatchNorm2d


@dataclass(frozen=True)
class Liar:
    """A BatchNorm2d with one fault.

    ``family``: the name of its module. ``lie``: the class's docstring, on one line. ``seen_in``: words
    that bring the fault to light: the id of some case that catches it must have all of them. ``through``:
    a quantity that this case must find wrong, so that a liar is not caught because of an accidental other
    fault.
    """

    name: str
    family: str
    lie: str
    seen_in: Tuple[str, ...]
    through: str
    factory: Type[HonestBatchNorm2d]


LIARS: Dict[str, Liar] = {}
"""Maps a name to its liar, in the order of definition; filled by importing ``tests.meta.liars``."""

Subject = TypeVar("Subject", bound=Type[HonestBatchNorm2d])


def liar(*seen_in: str, through: str) -> Callable[[Subject], Subject]:
    """Register the decorated class; raises ValueError for a second of its name or one without words."""

    def register(factory: Subject) -> Subject:
        name = factory.__name__
        lie = factory.__dict__.get("__doc__")
        if name in LIARS:
            raise ValueError(f"two liars are called {name}")
        if not lie or not seen_in:
            raise ValueError(f"{name} must say what it lies about, and where that is seen")
        family = factory.__module__.rpartition(".")[2]
        words = " ".join(inspect.cleandoc(lie).split())
        LIARS[name] = Liar(name, family, words, seen_in, through, factory)
        return factory

    return register
