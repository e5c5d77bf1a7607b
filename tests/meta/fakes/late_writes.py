"""Subjects that write into tensors of earlier forwards."""

from __future__ import annotations

import contextlib
from typing import Any, ClassVar, List

import torch
from torch import Tensor

Base = torch.nn.BatchNorm2d


def _outside_of_transforms() -> Any:
    """Return a context in which a function of torch.func that runs lets every tensor be written to."""
    return getattr(torch._C, "_DisableFuncTorch", contextlib.nullcontext)()


def _unwrapped(tensor: Tensor) -> Tensor:
    """Return the tensor that the caller has, where a function of torch.func hands on a wrapper of it."""
    functorch: Any = getattr(torch._C, "_functorch", None)
    while functorch is not None and functorch.is_functorch_wrapped_tensor(tensor):
        tensor = functorch.get_unwrapped(tensor)
    return tensor


class WritesToEarlierInputs(Base):
    """Is right in every forward, but later overwrites earlier inputs, of other instances, too."""

    given: ClassVar[List[Tensor]] = []

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        with _outside_of_transforms():
            for earlier in self.given:
                if earlier.is_contiguous():
                    earlier.data.fill_(100)
        self.given[:] = [*self.given[-50:], _unwrapped(input)]
        return output


class WritesToEarlierOutputs(Base):
    """Is right in every forward, but later overwrites the output before it, of another instance, too."""

    returned: ClassVar[List[Tensor]] = []

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        with _outside_of_transforms():
            for earlier in self.returned:
                earlier.data.fill_(100)
        self.returned[:] = [_unwrapped(output)]
        return output
