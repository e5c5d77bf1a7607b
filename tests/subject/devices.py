"""Where the module and its tensors lie: moves them there, reads them back, notices what stayed behind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Tuple

import torch

from reports.rows import CPU
from tests.subject.contract import Circumstances, Clause
from tests.subject.errors import DeviceError
from tests.subject.foreign import said

NAME = re.compile(r"[a-z][a-z0-9]*(:[0-9]{1,3})?")
"""The name of a device: its type, and its number where there are several."""


@lru_cache(maxsize=None)
def dtype_name(dtype: torch.dtype) -> str:
    """Return the name of a dtype, such as ``float32``."""
    return str(dtype).rpartition(".")[2]


@dataclass(frozen=True)
class Device:
    """A device of torch. ``name``: as given to ``--device``. ``contract``: what the device lacks."""

    name: str
    contract: Tuple[Clause, ...] = ()

    def to(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the tensor on the device; the tensor itself where it is there already."""
        return tensor.to(self.name)

    def move(self, module: Any) -> Any:
        """Return the module with all its parameters and buffers on the device."""
        return module.to(self.name)

    def holds(self, tensor: torch.Tensor) -> bool:
        """Whether the tensor lies on the device, one of this type where the name has no number."""
        return self.name in (str(tensor.device), tensor.device.type)

    def dtype_of(self, tensor: torch.Tensor) -> str:
        """Return the name of the tensor's dtype; for a tensor elsewhere, with the place.

        So a result that was left on another device is a finding about its dtype.
        """
        name = dtype_name(tensor.dtype)
        return name if self.holds(tensor) else f"{name} on {tensor.device}"

    @property
    def models(self) -> Tuple[str, ...]:
        """The model of the device, where torch knows it."""
        part: Any = getattr(torch, self.name.partition(":")[0], None)
        return (str(part.get_device_name(self.name)),) if hasattr(part, "get_device_name") else ()

    def wait(self) -> None:
        """Wait until the device has done all that it was asked for; raise what went wrong there."""
        part: Any = getattr(torch, self.name.partition(":")[0], None)
        if hasattr(part, "synchronize"):
            part.synchronize()


class Memory(Device):
    """The ordinary memory, from which nothing has to be moved."""

    @property
    def models(self) -> Tuple[str, ...]:
        """Nothing: the platform says what it is."""
        return ()

    def to(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the tensor."""
        return tensor

    def move(self, module: Any) -> Any:
        """Return the module."""
        return module

    def wait(self) -> None:
        """Return at once: a call on the CPU is done when it returns."""


HERE = Memory(CPU)


def _wide(there: Circumstances) -> bool:
    """Whether the step is the construction of a float64 module."""
    return there.number == 0 and there.case.variant.module_dtype == "float64"


WITHOUT_FLOAT64 = Clause(
    "no_float64",
    "the device has no arithmetic in float64, so a module cannot be converted to it",
    "https://pytorch.org/docs/stable/notes/mps.html; https://developer.apple.com/metal (Metal Shading "
    "Language Specification, section 2.1: no double)",
    _wide,
    raises=("TypeError", "float64"),
)

CONTRACTS = {"mps": (WITHOUT_FLOAT64,)}
"""Maps the type of a device to what it lacks. A device that is not here lacks nothing."""


def device(name: str) -> Device:
    """Return the device of this name; raise DeviceError where nothing can be computed there."""
    if name == CPU:
        return HERE
    if not NAME.fullmatch(name):
        known = "as in cpu, cuda, cuda:1, mps, xpu"
        raise DeviceError(f"{name!r}: accepted is a device of torch, {known}")
    found = Device(name, CONTRACTS.get(name.partition(":")[0], ()))
    try:
        there = found.to(torch.ones(2))
        works = found.holds(there) and (there + there).cpu().tolist() == [2.0, 2.0]
    except Exception as error:  # each device has its own way to say that it is not there
        reason = said(error).partition("\n")[0]
        raise DeviceError(
            f"{name!r} cannot be used with torch {torch.__version__} ({reason}); run on a machine "
            "that has it, with a build of torch for it, or leave --device out"
        ) from error
    if not works:
        raise DeviceError(f"{name!r}: 1 + 1 is not 2 there; accepted is a device that computes")
    return found
