"""Converts a live module, and registers tensors with it."""

from __future__ import annotations

from typing import Any, Callable, Dict

import torch

from cases.attributes import FLOATING
from cases.inputs import attached
from cases.steps import CONVERSIONS, UNSAVED, Attach
from tests.subject.devices import Device

BETWEEN = 77.0
"""The number that lies between the values of a strided tensor."""


def _with_gaps(values: torch.Tensor) -> torch.Tensor:
    """Return every second value of a larger tensor, by filling: old releases cannot add in 16 bits."""
    larger = values.new_full((2 * len(values),), BETWEEN)
    larger[::2] = values
    return larger[::2]


FORMS: Dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "": lambda values: values,
    "strided": _with_gaps,
    "expanded": lambda values: values[:1].expand(values.shape),
    "row": lambda values: values.reshape(1, -1),
    "shifted": lambda values: torch.cat([values.new_full((3,), BETWEEN), values])[3:],
}
"""Maps a word of ``cases.steps.FORMS`` to the function that gives a tensor that form."""


def convert(module: Any, how: str) -> None:
    """Call the method that one of CONVERSIONS names."""
    if how == "to_channels_last":
        module.to(memory_format=torch.channels_last)
    elif how.startswith("to_"):
        module.to(getattr(torch, CONVERSIONS[how]))
    else:
        getattr(module, how)()


def attach(module: Any, step: Attach, tensor: torch.Tensor) -> None:
    """Set or register a new tensor."""
    kind = step.kind.partition(".")[0]
    tensor = FORMS[step.form](tensor)
    if kind == UNSAVED:
        module.register_buffer(step.name, tensor, persistent=False)
        return
    if kind != "tensor":
        tensor = torch.nn.Parameter(tensor, requires_grad=kind == "trainable")
    setattr(module, step.name, tensor)


def overwrite(module: Any, channels: int, device: Device) -> None:
    """Copy known values into the data of every floating-point tensor that is there."""
    for name in FLOATING:
        tensor = getattr(module, name)
        if tensor is not None:
            values = torch.from_numpy(attached(name, channels).copy())
            tensor.data.copy_(device.to(values.to(tensor.dtype)))
