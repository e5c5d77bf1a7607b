"""Reads tensors and attributes off a live module, whatever state the subject has put them in."""

from __future__ import annotations

import sys
from typing import Any, Dict, Optional, Tuple

import numpy as np
import torch

from tests.subject.foreign import said
from tests.subject.observation import ObservedTensor, tensor_facts


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


class Reader:
    """Observes the tensors that have one name, one after the other.

    As long as it is the same tensor at the same place in memory, NumPy's view of it serves again, and
    so does the observation while no bit has changed.
    """

    __slots__ = ("_copied", "_negated", "_place", "_seen", "_tensor", "_view")

    def __init__(self) -> None:
        # Whether the numbers are the negatives of those in memory: no view of NumPy's shows that.
        self._negated = getattr(torch.Tensor, "is_neg", _not_negated)
        self._tensor: Any = None
        self._copied = False
        self._place: Any = None
        self._view = np.empty(0)
        self._seen = _no_tensor("nothing yet")

    def observe(self, tensor: Any) -> Optional[ObservedTensor]:
        """What is visible of a parameter or buffer, None where there is none."""
        if tensor is None:
            return None
        if not isinstance(tensor, torch.Tensor):
            return _no_tensor(tensor if isinstance(tensor, Unreadable) else f"no tensor but {tensor!r}")
        try:
            place = (
                tensor.data_ptr(),
                tensor.dtype,
                tensor.shape,
                tensor.stride(),
                tensor.requires_grad,
                tensor.grad_fn is None,
                self._negated(tensor),
            )
            if tensor is not self._tensor or place != self._place or self._copied:
                self._look(tensor, place)
        except Exception as error:  # on another device, sparse, without storage
            return _no_tensor(Unreadable(said(error)))
        data = self._view.tobytes()
        seen = self._seen
        if data != seen.data:
            seen = self._seen = seen._replace(data=data)
        return seen

    def _look(self, tensor: torch.Tensor, place: Tuple[Any, ...]) -> None:
        view = numbers(tensor)
        dtype, has_grad_fn = DTYPES[tensor.dtype], tensor.grad_fn is not None
        facts = tensor_facts(dtype, view.shape, tensor.requires_grad, has_grad_fn)
        self._tensor, self._place, self._view = tensor, place, view
        self._copied = dtype not in _VIEWED
        self._seen = ObservedTensor(view.tobytes(), view.dtype.char, facts)


def _not_negated(tensor: torch.Tensor) -> bool:
    """Of releases before 1.10."""
    return False


_VIEWED = ("float32", "float64", "int64")
"""Dtypes of which NumPy has a view, not a copy."""


def _no_tensor(what: str) -> ObservedTensor:
    return ObservedTensor(b"", "d", tensor_facts(what, (0,), False, False))
