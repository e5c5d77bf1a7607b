"""Loads the class that ``--subject package.module:Class`` names, and describes the installed torch."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch

from cases.attributes import FLAGS, TENSORS
from cases.construction import Config
from cases.variants import Variant
from tests.subject import DEFAULT
from tests.subject.foreign import place, said
from tests.subject.module import Factory, LiveModule, construct
from tests.subject.reading import Unreadable


class SubjectError(ValueError):
    """The subject cannot be loaded; the message says why and what is accepted."""


class TorchError(ValueError):
    """The torch that is installed cannot be used; the message says why and what to do."""


class Environment(NamedTuple):
    """The properties of the installed torch."""

    version: str
    threads: int


def load(name: str) -> Factory:
    """Return the class; raise SubjectError for a name that does not lead to a usable callable."""
    module_name, colon, class_name = name.partition(":")
    if not colon or not module_name or not class_name or module_name.startswith("."):
        raise SubjectError(f"subject {name!r}: accepted is package.module:Class, as in {DEFAULT}")
    module = _module(name, module_name)
    factory = getattr(module, class_name, None)
    if factory is None:
        raise SubjectError(f"subject {name!r}: module {module_name!r} has no {class_name!r}")
    if not callable(factory):
        raise SubjectError(f"subject {name!r}: {class_name!r} is not callable")
    _try(name, factory)
    return factory  # type: ignore[no-any-return]


def _module(subject: str, name: str) -> ModuleType:
    """Import the module of a subject; raise SubjectError.

    The message tells a missing module from a module whose own imports fail.
    """
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # importing runs foreign code, which may even exit
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing is None or not (name + ".").startswith(missing + "."):
            text = f"importing {name!r} fails ({said(error)}), raised at {place(error)}"
        elif "." in missing:
            package, _, module = missing.rpartition(".")
            text = f"package {package!r} has no module {module!r}"
        else:
            text = f"there is no module {missing!r}; is its folder on PYTHONPATH?"
        raise SubjectError(f"subject {subject!r}: {text}") from error


def _try(name: str, factory: Factory) -> None:
    """Raise SubjectError for a subject that cannot be constructed or observed at all."""
    trying = "called with 3"
    try:
        module = factory(3)
        for attribute in (*TENSORS, *FLAGS, "train", "eval"):
            trying = f"asked for {attribute!r}"
            if not hasattr(module, attribute):
                raise SubjectError(
                    f"subject {name!r}: it makes a {type(module).__name__} without {attribute!r}; "
                    "BatchNorm2d's attributes are needed"
                )
        if not callable(module):
            raise SubjectError(
                f"subject {name!r}: the {type(module).__name__} it makes is not callable"
            )
        trying = "called with 3, eps=, momentum=, affine=, track_running_stats= as BatchNorm2d can"
        construct(factory, Config(3, call="keywords"), "float32")
        trying = "observed: weight, bias and buffers must be None or torch tensors on the CPU"
        for each in LiveModule(factory, Config(3), Variant()).perform(None).tensors:
            if each is not None and isinstance(each.dtype, Unreadable):
                raise TypeError(each.dtype)
        for mode in ("train", "eval"):
            trying = f"called in {mode} mode with an ordinary batch, float32 of shape (2, 3, 2, 2)"
            module = factory(3)
            getattr(module, mode)()
            module(torch.zeros(2, 3, 2, 2))
    except (SubjectError, KeyboardInterrupt):
        raise
    except BaseException as error:  # this is foreign code, which may even exit
        raise SubjectError(f"subject {name!r}: it cannot be {trying} ({said(error)})") from error


def environment(threads: int) -> Environment:
    """Set torch's thread count and return its properties; raise TorchError where it cannot be used."""
    version = torch.__version__
    try:
        torch.from_numpy(np.zeros(1)).numpy()
    except Exception as error:  # NumPy has another major release, or torch was built without it
        raise TorchError(
            f"torch {version} cannot exchange arrays with NumPy {np.__version__} ({said(error)}); "
            "install the NumPy that it was built for, as in: pip install 'numpy<2'"
        ) from error
    torch.set_num_threads(threads)
    return Environment(version, torch.get_num_threads())
