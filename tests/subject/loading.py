"""Finds the class that ``--subject package.module:Class`` names, and the release that runs."""

from __future__ import annotations

import importlib
from typing import NamedTuple

import torch

from tests.subject.module import Factory
from tests.subject.observation import FLAGS, TENSORS

DEFAULT = "torch.nn:BatchNorm2d"


class SubjectError(ValueError):
    """The subject cannot be had; the message says why and what is accepted."""


class Environment(NamedTuple):
    """The torch that runs."""

    version: str
    threads: int


def load(name: str) -> Factory:
    """The class; raises SubjectError for a name that does not lead to a callable."""
    module_name, colon, class_name = name.partition(":")
    if not colon or not module_name or not class_name:
        raise SubjectError(f"subject {name!r}: accepted is package.module:Class, as in {DEFAULT}")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # importing runs foreign code, which may raise anything
        text = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {text[0] if text else ''}"
        raise SubjectError(
            f"subject {name!r}: cannot import {module_name!r} ({reason}); is its folder on PYTHONPATH?"
        ) from error
    factory = getattr(module, class_name, None)
    if factory is None:
        raise SubjectError(f"subject {name!r}: module {module_name!r} has no {class_name!r}")
    if not callable(factory):
        raise SubjectError(f"subject {name!r}: {class_name!r} is not callable")
    _try(name, factory)
    return factory  # type: ignore[no-any-return]


def _try(name: str, factory: Factory) -> None:
    """A subject that cannot be constructed at all, or looked at, would fail every case alike."""
    try:
        module = factory(3)
    except Exception as error:  # constructing runs foreign code, which may raise anything
        text = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {text[0] if text else ''}"
        raise SubjectError(f"subject {name!r}: it cannot be called with 3 ({reason})") from error
    for attribute in (*TENSORS, *FLAGS, "train", "eval"):
        if not hasattr(module, attribute):
            raise SubjectError(
                f"subject {name!r}: it makes a {type(module).__name__} without {attribute!r}; "
                "BatchNorm2d's attributes are needed"
            )
    if not callable(module):
        raise SubjectError(f"subject {name!r}: the {type(module).__name__} it makes is not callable")


def environment(threads: int) -> Environment:
    """Sets torch's thread count and reports what runs."""
    torch.set_num_threads(threads)
    return Environment(torch.__version__, torch.get_num_threads())
