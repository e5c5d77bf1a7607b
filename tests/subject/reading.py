"""Reads tensors and attributes off a live module, whatever state the subject has put them in."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import torch

from tests.subject.devices import HERE, Device
from tests.subject.foreign import said
from tests.subject.observation import ObservedTensor


class Unreadable(str):
    """The value of an attribute that raised when it was read; the text says what it raised."""


def attribute(module: Any, name: str) -> Any:
    """Return the attribute, or an Unreadable in its place."""
    try:
        return getattr(module, name)
    except Exception as error:  # whatever the subject raises is the observation
        return Unreadable(said(error))


def numbers(tensor: torch.Tensor) -> np.ndarray:
    """Return a view of a tensor's values; a copy where they are on a device.

    The copy is in float64 where NumPy lacks the dtype.
    """
    try:
        return tensor.detach().numpy() if tensor.requires_grad else tensor.numpy()
    except TypeError:  # NumPy lacks the dtype, or the tensor is on a device
        here = tensor.detach().cpu()
    try:
        return here.numpy()
    except TypeError:
        return here.double().numpy()


def observed(tensor: Any, device: Device = HERE) -> Optional[ObservedTensor]:
    """Observe a parameter or buffer, None where there is none."""
    if tensor is None:
        return None
    if not isinstance(tensor, torch.Tensor):
        return _no_tensor(tensor if isinstance(tensor, Unreadable) else f"no tensor but {tensor!r}")
    try:
        values = numbers(tensor).copy()
        return ObservedTensor(
            values, device.dtype_of(tensor), tensor.requires_grad, tensor.grad_fn is not None
        )
    except Exception as error:  # sparse, without storage
        return _no_tensor(Unreadable(said(error)))


def _no_tensor(what: str) -> ObservedTensor:
    return ObservedTensor(np.empty(0), what, False, False)
