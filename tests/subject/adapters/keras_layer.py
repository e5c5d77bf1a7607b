"""Keras 3's BatchNormalization, on any of its backends.

Conventions (https://keras.io/api/layers/normalization_layers/batch_normalization/):

- ``moving_mean = moving_mean * momentum + mean(batch) * (1 - momentum)``: momentum is the complement of
  torch's.
- ``moving_var`` averages ``var(batch)`` as it normalises, without Bessel's correction.
- The defaults are momentum 0.99, epsilon 1e-3 and axis -1. Here the axis is 1.
- ``gamma`` and ``beta`` are weight and bias, which ``scale`` and ``center`` leave out.
- ``training`` is an argument of the call; there is no layer without running statistics.
"""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Tuple

import keras
import numpy as np

from tests.subject.adapter import Adapter, Array, Gradients
from tests.subject.adapters.conventions import Convention

NAMES = {"weight": "gamma", "bias": "beta"}
NAMES.update(running_mean="moving_mean", running_var="moving_variance")
SOURCE = "https://keras.io/api/layers/normalization_layers/batch_normalization/"
AVERAGE = Convention(biased=True)

Pullback = Callable[[Any], Tuple[Any, ...]]
"""A function from the gradient of an output to those of input, gamma and beta, where there are any."""


class KerasLayer(Adapter):
    """keras.layers.BatchNormalization; a backend adds how its forward is recorded."""

    offers = frozenset({"float32", "float64", "float16", "train", "eval", "affine", "bias", "backward"})
    offers |= {"retain", "earlier", "no_grad", "set:eps", "set:momentum", "mixed_float16"}
    contract = (
        AVERAGE.average_clause("moving_var averages the variance of the batch as it normalises", SOURCE),
    )

    def __init__(self, num_features: int, eps: float, momentum: Any, dtype: str, **offered: bool) -> None:
        affine, bias = offered.get("affine", True), offered.get("bias", True)
        self.layer = keras.layers.BatchNormalization(
            axis=1,
            momentum=1 - momentum,
            epsilon=eps,
            scale=affine,
            center=affine and bias,
            dtype=dtype if not dtype.startswith("mixed_") else keras.DTypePolicy(dtype),
        )
        self.layer.build((None, num_features, None, None))
        self.pullbacks: List[Pullback] = []

    def recorded(self, given: Any, training: bool) -> Tuple[Any, Pullback]:
        """Return the output for a tensor of the backend, and its pullback."""
        raise NotImplementedError

    def forward(self, x: Array, training: bool, record: bool = True) -> Array:
        """Call the layer."""
        output, pullback = self.recorded(keras.ops.convert_to_tensor(x, dtype=str(x.dtype)), training)
        self.pullbacks = [pullback, *self.pullbacks[:1]]
        return _array(output)

    def backward(self, gradient: Array, earlier: bool = False) -> Gradients:
        """Differentiate the last output, or the one before it."""
        pullback = self.pullbacks[int(earlier)]
        found = iter(pullback(keras.ops.convert_to_tensor(gradient, dtype=str(gradient.dtype))))
        given = _array(next(found))
        there = (self.layer.gamma, self.layer.beta)
        weight, bias = (None if each is None else _array(next(found)) for each in there)
        return given, weight, bias

    def parameters(self) -> List[Any]:
        """Return the variables gamma and beta, as far as there are any."""
        return [each for each in (self.layer.gamma, self.layer.beta) if each is not None]

    def read(self, name: str) -> Optional[Array]:
        """Return a tensor of the layer under torch's name."""
        variable = getattr(self.layer, NAMES[name])
        return None if variable is None else _array(variable)

    def write(self, name: str, values: Array) -> None:
        """Replace a tensor of the layer."""
        getattr(self.layer, NAMES[name]).assign(values)

    def set(self, name: str, value: Any) -> None:
        """Set eps or momentum of the live layer."""
        if name == "eps":
            self.layer.epsilon = value
        else:
            self.layer.momentum = 1 - value


def _array(values: Any) -> Array:
    return np.array(keras.ops.convert_to_numpy(values))
