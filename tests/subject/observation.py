"""Everything visible after a step on a live module."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

import numpy as np


class Raised(NamedTuple):
    """An exception: the class's name and the message."""

    kind: str
    message: str


class ObservedTensor(NamedTuple):
    """A parameter or buffer.

    ``values``: a copy, in float64 where NumPy lacks the dtype. ``dtype``: its name in torch; for what is
    no readable tensor it says what there is instead, and there are no values.
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
    """What lies in the ``.grad`` of a tensor. ``values``: a copy.

    ``as_leaf``: it has the strides of the tensor; contiguous, where a place in the tensor's memory holds
    several of its numbers or none.
    """

    values: np.ndarray
    dtype: str
    contiguous: bool
    as_leaf: bool
    requires_grad: bool


class ObservedSecond(NamedTuple):
    """A second derivative. ``values``: a copy; zeros where torch says that nothing depends on it."""

    values: np.ndarray
    dtype: str


class Observation(NamedTuple):
    """The module after one step.

    ``tensors`` are in the order of TENSORS, ``flags`` in the order of FLAGS. ``same_objects``: whether
    what has the name of each tensor is the Python object that had it before the step.
    ``input_changed``: a step wrote to its input or, of a load, to the state dict. ``shared``: names of
    tensors of a copied module that share memory with the original. ``text``: the text that a step asked
    for. ``grads``: what has a ``.grad``, and that: of the last forward's input and of all tensors.
    ``seconds``: with respect to what a double backward differentiated, and the result.
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
    seconds: Tuple[Tuple[str, ObservedSecond], ...] = ()


def same_bytes(now: np.ndarray, before: np.ndarray) -> bool:
    """Whether two arrays of one shape agree in every bit."""
    return now.tobytes() == before.tobytes()
