"""The protocol by which any implementation of BatchNorm2d is driven, in terms of NumPy arrays.

An adapter is a class: its constructor makes one layer, its methods are the operations that it offers, and
``offers`` says which these are. README.md in this folder tells how one is written. Needs no torch.
"""

from __future__ import annotations

import copy
from typing import Any, Dict, FrozenSet, Mapping, Optional, Tuple

import numpy as np

from cases.attributes import TENSORS
from cases.variants import DTYPES
from reports.rows import VALUES
from tests.subject.contract import Clause

Array = np.ndarray
Gradients = Tuple[Array, Optional[Array], Optional[Array]]

WORDS: Dict[str, str] = {
    **{dtype: f"the constructor accepts dtype={dtype!r}" for dtype in DTYPES},
    "train": "forward with training=True",
    "eval": "forward with training=False",
    "affine": "the constructor accepts affine=False: no weight, no bias",
    "bias": "the constructor accepts bias=False: a weight, no bias",
    "track_running_stats": "the constructor accepts track_running_stats=False: no running statistics",
    "momentum_none": "momentum None: a cumulative average over all batches",
    "backward": "backward(gradient) after a forward",
    "retain": "several backwards of one forward",
    "earlier": "backward(gradient, earlier=True): of the forward before the last",
    "no_grad": "forward(..., record=False): a forward of which there is no backward",
    "counter": "read and write num_batches_tracked, an int64 scalar",
    "set:eps": "set('eps', number) on a live layer",
    "set:momentum": "set('momentum', number) on a live layer",
    "set:affine": "set('affine', bool) on a live layer",
    "set:track_running_stats": "set('track_running_stats', bool) on a live layer",
    **{f"drop:{name}": f"drop({name!r}), and write({name!r}, ...) after it" for name in TENSORS},
    "reset_running_stats": "reset('reset_running_stats'): mean 0, variance 1, counter 0",
    "reset_parameters": "reset('reset_parameters'): weight 1, bias 0, and the running statistics",
    "copy": "copy(): an independent layer with the same state",
    "pickle": "the layer survives pickle",
    "load": "load({name: array, ...}): what a state dict holds",
    "convert": "convert(dtype) of a live layer",
}
"""Maps each word of ``Adapter.offers`` to what it says that the adapter can do."""


class Adapter:
    """A BatchNorm2d layer of some framework, whose inputs and outputs have shape (N, C, H, W).

    A subclass defines ``__init__``, ``forward``, ``read`` and ``write``, and a method for everything else
    that it offers.

    ``offers``: words of WORDS; a program that needs another one is not applicable. ``promise``: one of
    ``reports.rows.PROMISES`` but module. ``implementation``: name and version, such as "flax 0.12.12".
    ``contract``: what the framework legitimately does otherwise. ``sums_exactly``: it rounds nothing
    where no operation has to, so that it must be bit-equal in the exact lane.
    """

    offers: FrozenSet[str] = frozenset({"float32", "train", "eval"})
    promise: str = VALUES
    implementation: str = ""
    contract: Tuple[Clause, ...] = ()
    sums_exactly: bool = False

    def __init__(self, num_features: int, eps: float, momentum: Any, dtype: str, **offered: bool) -> None:
        """Make a layer with C = ``num_features`` channels.

        ``momentum``: the weight of the new batch in the running statistics, as in torch; None where
        "momentum_none" is offered. ``dtype``: one of the offered words, of the layer (mixed_float16: a
        float32 layer whose inputs are float16). ``offered``: affine, track_running_stats and bias, each
        only if ``offers`` has its word.
        """
        raise NotImplementedError("__init__ is not offered")

    def forward(self, x: Array, training: bool, record: bool = True) -> Array:
        """Return the output for ``x`` in its dtype; in training, update the running statistics.

        ``x`` has the dtype that the layer is given; bfloat16 comes as float32, because NumPy lacks it.
        ``record``: False only if "no_grad" is offered.
        """
        raise NotImplementedError("forward is not offered")

    def backward(self, gradient: Array, earlier: bool = False) -> Gradients:
        """Return the gradients of the last forward for its input, the weight and the bias.

        ``gradient``: the gradient of a loss for the output. None where there is no weight or no bias.
        ``earlier``: True only if "earlier" is offered.
        """
        raise NotImplementedError("backward is not offered")

    def read(self, name: str) -> Optional[Array]:
        """Return weight, bias, running_mean or running_var, shape (C,), None where the layer has none.

        num_batches_tracked, shape (), is read if "counter" is offered. The running variance is the
        unbiased one, as torch keeps it.
        """
        raise NotImplementedError("read is not offered")

    def write(self, name: str, values: Array) -> None:
        """Replace what ``read(name)`` returns; ``values`` are float64, or int64 for the counter."""
        raise NotImplementedError("write is not offered")

    def set(self, name: str, value: Any) -> None:
        """Set eps, momentum, affine or track_running_stats of the live layer."""
        raise NotImplementedError("set is not offered")

    def drop(self, name: str) -> None:
        """Set a tensor to None."""
        raise NotImplementedError("drop is not offered")

    def reset(self, method: str) -> None:
        """Do what torch's method of this name does."""
        raise NotImplementedError("reset is not offered")

    def copy(self) -> Adapter:
        """Return an independent layer with the same state."""
        return copy.deepcopy(self)

    def load(self, state: Mapping[str, Array]) -> None:
        """Take over the arrays of a state dict."""
        for name, values in state.items():
            self.write(name, values)

    def convert(self, dtype: str) -> None:
        """Convert the live layer to another of the offered dtypes."""
        raise NotImplementedError("convert is not offered")

    def flag(self, name: str) -> Any:
        """Return a flag, one of ``cases.attributes.FLAGS``; asked only with the promise of state."""
        return getattr(self, name)
