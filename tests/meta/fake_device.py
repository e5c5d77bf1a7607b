"""A device that is none: tensors that refuse to meet ordinary ones, so that a forgotten move shows.

``There`` is a tensor with a mark. An operation on marked tensors gives marked tensors. An operation on a
marked and an ordinary tensor raises, as torch does for tensors of two devices, and a marked tensor cannot
be read as a NumPy array before ``cpu()`` has taken the mark off.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, Optional, Tuple

import torch

from tests.subject.devices import Device

GRAD: Any = torch.Tensor.grad

CROSSING = {torch.Tensor.copy_}
"""The operations that may take tensors of two devices."""


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    """Return the tensors in nested lists and tuples."""
    if isinstance(values, torch.Tensor):
        yield values
    elif isinstance(values, (list, tuple)):
        for each in values:
            yield from _tensors(each)


class There(torch.Tensor):
    """A tensor on the fake device."""

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Tuple[Any, ...] = (), kwargs: Optional[Dict[str, Any]] = None
    ) -> Any:
        """Perform an operation whose tensors all lie on the device."""
        kwargs = kwargs or {}
        with torch._C.DisableTorchFunctionSubclass():
            if func is torch.Tensor.cpu:
                return args[0].as_subclass(torch.Tensor)
            if func is torch.Tensor.numpy:
                raise TypeError("can't convert a tensor of the fake device to numpy")
            given = [each for each in _tensors((args, tuple(kwargs.values()))) if each.dim()]
        if func not in CROSSING and not all(isinstance(each, There) for each in given):
            raise RuntimeError("Expected all tensors to be on the same device: fake and cpu")
        found = super().__torch_function__(func, types, args, kwargs)
        if func == GRAD.__get__ and type(found) is torch.Tensor:
            return found.as_subclass(There)  # autograd's engine, which made it, knows nothing of marks
        return found


class FakeDevice(Device):
    """The device of ``There``."""

    def to(self, tensor: torch.Tensor) -> torch.Tensor:
        """Mark the tensor; one without dimensions may lie anywhere, as in torch."""
        return tensor.detach().clone().as_subclass(There) if not isinstance(tensor, There) else tensor

    def move(self, module: Any) -> Any:
        """Mark all parameters and buffers."""
        for name, tensor in module.named_parameters():
            there = self.to(tensor.data)
            setattr(module, name, torch.nn.Parameter(there, requires_grad=tensor.requires_grad))
        for name, tensor in module.named_buffers():
            setattr(module, name, self.to(tensor))
        return module

    def holds(self, tensor: torch.Tensor) -> bool:
        """Whether the tensor is marked."""
        return isinstance(tensor, There)

    def wait(self) -> None:
        """Return at once."""


FAKE = FakeDevice("fake")
