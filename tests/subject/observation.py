"""Everything visible after a step on a live module."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, Optional, Tuple

import numpy as np

TENSORS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
FLAGS = ("num_features", "eps", "momentum", "affine", "track_running_stats", "training")


class Raised(NamedTuple):
    """An exception: the class's name and the message."""

    kind: str
    message: str


class TensorFacts(NamedTuple):
    """What a parameter or buffer is, apart from its numbers. ``dtype``: its name in torch."""

    dtype: str
    shape: Tuple[int, ...]
    requires_grad: bool
    has_grad_fn: bool


tensor_facts = lru_cache(maxsize=1024, typed=True)(TensorFacts)
"""The same object for the same facts: most often they need not be compared one by one."""


class ObservedTensor(NamedTuple):
    """A parameter or buffer. ``data``: its values as bytes, in the NumPy dtype of character ``kind``.

    What is no tensor at all has no values and says in its dtype what it is.
    """

    data: bytes
    kind: str
    facts: TensorFacts

    @property
    def values(self) -> np.ndarray:
        """The values as an array, read-only."""
        return np.frombuffer(self.data, dtype=self.kind).reshape(self.facts.shape)


class ObservedOutput(NamedTuple):
    """What a forward returned. ``values``: a copy, in memory order of the logical (N, C, H, W)."""

    values: np.ndarray
    dtype: str
    contiguous: bool
    channels_last: bool
    requires_grad: bool
    shares_input: bool


class Observation(NamedTuple):
    """The module after one step.

    ``tensors`` are in the order of TENSORS; ``flags`` in the order of FLAGS. ``same_objects``: whether
    what has the name of each tensor is the Python object that had it before the step.
    ``input_changed``: a forward wrote to its input. ``shared``: names of tensors of a copied module
    that share memory with the original. ``earlier_output_changed``: the output of the forward before
    this one has other bytes now. ``shown``: the text that a step asked for.
    """

    output: Optional[ObservedOutput]
    raised: Optional[Raised]
    tensors: Tuple[Optional[ObservedTensor], ...]
    same_objects: Tuple[bool, ...]
    flags: Tuple[object, ...]
    input_changed: bool = False
    shared: Tuple[str, ...] = ()
    earlier_output_changed: bool = False
    shown: Optional[str] = None


def other_bytes(now: np.ndarray, before: np.ndarray) -> bool:
    """Whether the two differ in any bit."""
    if now.size < 65536:
        return bool(now.tobytes() != before.tobytes())
    word = np.dtype(f"i{now.itemsize}")
    return not np.array_equal(now.view(word), before.view(word))
