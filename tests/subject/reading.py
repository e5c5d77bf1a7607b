"""Reads tensors and attributes off a live module, whatever state the subject has put them in."""

from __future__ import annotations

import sys
from typing import Any, Dict, Optional

import numpy as np
import torch

from tests.subject.foreign import said
from tests.subject.observation import ObservedTensor


class Unreadable(str):
    """Stands for an attribute that raised when it was read; the text says what."""


def attribute(module: Any, name: str) -> Any:
    """The attribute, or an Unreadable in its place."""
    try:
        return getattr(module, name)
    except Exception as error:  # whatever the subject raises is the observation
        return Unreadable(said(error))


class _Names(Dict[Any, str]):
    """torch dtype to its name, as ``float32``."""

    def __missing__(self, dtype: torch.dtype) -> str:
        self[dtype] = sys.intern(str(dtype).rpartition(".")[2])
        return self[dtype]


DTYPES = _Names()
def numbers(tensor: torch.Tensor) -> np.ndarray:
    """A view of a tensor's values; a copy in float64 where NumPy lacks the dtype."""
    try:
        return tensor.detach().numpy() if tensor.requires_grad else tensor.numpy()
    except TypeError:
        return tensor.detach().double().numpy()


def observed_tensor(tensor: Any) -> Optional[ObservedTensor]:
    """What is visible of a parameter or buffer."""
    if tensor is None:
        return None
    if isinstance(tensor, torch.Tensor):
        try:
            values = numbers(tensor)
            return ObservedTensor(
                values.tobytes(),
                values.dtype.char,
                values.shape,
                DTYPES[tensor.dtype],
                tensor.requires_grad,
                tensor.grad_fn is not None,
            )
        except Exception as error:  # on another device, sparse, without storage
            tensor = Unreadable(said(error))
    kind = tensor if isinstance(tensor, Unreadable) else f"no tensor but {tensor!r}"
    return ObservedTensor(b"", "d", (0,), kind, False, False)
