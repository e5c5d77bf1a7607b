"""The observation of a live module: everything that is visible after a step."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

import numpy as np


class Raised(NamedTuple):
    """An exception: the class's name and the message."""

    kind: str
    message: str


class ObservedTensor(NamedTuple):
    """A parameter or buffer.

    ``values``: a copy, in float64 where NumPy lacks the dtype. ``dtype``: its name in torch. If the
    attribute is no readable tensor, ``dtype`` says what it is instead, and there are no values.
    """

    values: np.ndarray
    dtype: str
    requires_grad: bool
    has_grad_fn: bool


class ObservedOutput(NamedTuple):
    """The output of a forward. ``values``: a copy of shape (N, C, H, W)."""

    values: np.ndarray
    dtype: str
    contiguous: bool
    channels_last: bool
    requires_grad: bool
    shares_input: bool
    earlier_output_changed: bool


class ObservedGradient(NamedTuple):
    """A gradient that a backward returned. ``values``: a copy.

    ``shares_memory``: with the upstream gradient, or with a gradient of an earlier backward.
    """

    values: np.ndarray
    dtype: str
    contiguous: bool
    channels_last: bool
    requires_grad: bool
    shares_memory: bool = False


class ObservedGrad(NamedTuple):
    """The ``.grad`` of a tensor. ``values``: a copy.

    ``as_leaf``: whether it has the strides of the tensor, or, if the tensor has gaps or overlapping
    numbers, is contiguous.
    """

    values: np.ndarray
    dtype: str
    contiguous: bool
    as_leaf: bool
    requires_grad: bool


class ObservedDerivative(NamedTuple):
    """A second or third derivative, or a tangent.

    ``values``: a copy; zeros where torch says that nothing depends on it.
    """

    values: np.ndarray
    dtype: str


class Observation(NamedTuple):
    """The module after one step.

    ``tensors`` are in the order of TENSORS, ``flags`` in the order of FLAGS. ``same_objects``: for each
    tensor name, whether its Python object is the one from before the step. ``input_changed``: a step
    wrote to its input or, for a load, to the state dict. ``shared``: names of tensors of a copied module
    that share memory with the original. ``text``: the text that a step asked for. ``grads``: every
    ``.grad`` of the last forward's input and of all tensors, with its tensor's name. ``derivatives``:
    second and third derivatives and tangents, with the names of their quantities.
    """

    output: Optional[ObservedOutput]
    raised: Optional[Raised]
    tensors: Tuple[Optional[ObservedTensor], ...]
    same_objects: Tuple[bool, ...]
    flags: Tuple[object, ...]
    input_changed: bool = False
    shared: Tuple[str, ...] = ()
    text: Optional[str] = None
    gradients: Optional[Tuple[Optional[ObservedGradient], ...]] = None
    grads: Tuple[Tuple[str, ObservedGrad], ...] = ()
    derivatives: Tuple[Tuple[str, ObservedDerivative], ...] = ()


def same_bytes(now: np.ndarray, before: np.ndarray) -> bool:
    """Whether two arrays of one shape agree in every bit."""
    return now.tobytes() == before.tobytes()
