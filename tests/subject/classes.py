"""Makes the subject of a class of torch, or says in one line why it cannot be one; describes torch."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Dict, FrozenSet, Tuple

import numpy as np
import torch

from cases.attributes import FLAGS, STATISTICS, TENSORS
from cases.construction import Config
from cases.variants import Variant
from reports.rows import MODULE, STATE, VALUES
from tests.subject.devices import HERE, Device, device
from tests.subject.errors import SubjectError
from tests.subject.foreign import safe_repr, said
from tests.subject.lacking import lacking, unoffered
from tests.subject.loading import Environment
from tests.subject.module import Factory, LiveModule, construct, eager
from tests.subject.reading import Unreadable
from tests.subject.subject import Subject
from tests.subject.surroundings import restore, settings

NEEDED: Dict[str, Tuple[str, ...]] = {VALUES: STATISTICS, STATE: TENSORS + FLAGS, MODULE: TENSORS + FLAGS}
"""Maps a promise to the attributes without which it cannot be made."""


ADAPT = "an adapter can translate: tests/subject/README.md"


class TorchError(ValueError):
    """The torch that is installed cannot be used; the message says why and what to do."""


_MARKS = "its class attributes 'sums_exactly' and 'implementation'"


def subject(name: str, factory: Factory, promise: str, place: str) -> Subject:
    """Return the subject of a class with BatchNorm2d's constructor and attributes.

    ``promise``: one of PROMISES. ``place``: the device. Raises SubjectError and DeviceError.
    """
    there = device(place)
    if isinstance(factory, torch.nn.Module):
        raise SubjectError(f"subject {name!r}: it is a {type(factory).__name__}; name its class")
    before = settings()
    lacks = _try(name, factory, promise, there)
    restore(before)  # a setting that was changed here would not be seen to change in any case
    try:
        found = eager(factory, name, promise, there)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a class can be foreign code, too: its attributes may be computed
        raise SubjectError(f"subject {name!r}: {_MARKS} cannot be read ({said(error)})") from error
    if not isinstance(found.implementation, (str, type(None))):
        raise SubjectError(
            f"subject {name!r}: its 'implementation' is {safe_repr(found.implementation)[:80]}; "
            "accepted is a text with a name and version, or None"
        )
    if promise == VALUES:
        return dataclasses.replace(found, offers=partial(unoffered, lacks=lacks))
    return found


def _try(name: str, factory: Factory, promise: str, there: Device) -> FrozenSet[str]:
    """Raise SubjectError for a subject that cannot be constructed or observed; return what it lacks."""
    trying, arguments = "called with 3", False
    try:
        module = factory(3)
        for attribute in (*NEEDED[promise], "train", "eval"):
            trying = f"asked for {attribute!r}"
            if not hasattr(module, attribute):
                less = NEEDED[promise] != NEEDED[VALUES] and attribute not in NEEDED[VALUES]
                hint = f"; --promise {VALUES} needs {' and '.join(NEEDED[VALUES])} alone" if less else ""
                raise SubjectError(
                    f"subject {name!r}: it makes a {type(module).__name__} without {attribute!r}; "
                    f"BatchNorm2d's attributes are needed{hint}"
                )
        if not callable(module):
            raise SubjectError(
                f"subject {name!r}: the {type(module).__name__} it makes is not callable"
            )
        trying = "called with 3, eps=, momentum=, affine=, track_running_stats= as BatchNorm2d can"
        arguments = True
        construct(factory, Config(3, call="keywords"), "float32", there)
        arguments = False
        place = "the CPU" if there is HERE else there.name
        trying = f"observed: weight, bias and buffers must be None or torch tensors on {place}"
        for each in LiveModule(factory, Config(3), Variant(), there).perform(None).tensors:
            if promise != VALUES and each is not None and isinstance(each.dtype, Unreadable):
                raise TypeError(each.dtype)
        for mode in ("train", "eval"):
            trying = f"called in {mode} mode with an ordinary batch, float32 of shape (2, 3, 2, 2)"
            module = there.move(factory(3))
            getattr(module, mode)()
            output = module(there.to(torch.zeros(2, 3, 2, 2)))
            if not isinstance(output, torch.Tensor) or output.shape != (2, 3, 2, 2):
                raise TypeError(f"it returns {_kind(output)}, not a tensor of this shape")
        return lacking(module)
    except (SubjectError, KeyboardInterrupt):
        raise
    except BaseException as error:  # this is foreign code, which may even exit
        hint = f"; {ADAPT}" if arguments else ""
        raise SubjectError(f"subject {name!r}: it cannot be {trying} ({said(error)}){hint}") from error


def _kind(output: object) -> str:
    if isinstance(output, torch.Tensor):
        return f"a tensor of shape {tuple(output.shape)}"
    return "None" if output is None else f"a {type(output).__name__}"


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
