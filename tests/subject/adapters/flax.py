"""Flax's nnx.BatchNorm, on JAX.

Conventions (https://flax.readthedocs.io/en/latest/api_reference/flax.nnx/nn/normalization.html):

- ``momentum`` is the "decay rate for the exponential moving average", the complement of torch's;
  default 0.99.
- ``axis`` is the feature axis, by default the last. Here it is 1.
- ``scale`` and ``bias`` are weight and bias; ``use_scale`` and ``use_bias`` leave them out.
- ``use_running_average`` selects eval mode; there is no layer without running statistics.
- "Statistics are always at least float32": there is no layer of float16, but a float32 layer takes such
  inputs.
- float64 needs jax_enable_x64 (https://docs.jax.dev/en/latest/default_dtypes.html).
"""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

import flax
import jax
import numpy as np
from flax import nnx

from tests.subject.adapter import Adapter, Array, Gradients
from tests.subject.adapters.conventions import Convention

jax.config.update("jax_enable_x64", True)

NAMES = {"weight": "scale", "bias": "bias", "running_mean": "mean", "running_var": "var"}
DTYPES = ("float32", "float64", "mixed_float16", "mixed_bfloat16")


AVERAGE = Convention(biased=True, textbook=True)
SOURCE = "https://flax.readthedocs.io/en/latest/api_reference/flax.nnx/nn/normalization.html"


class Flax(Adapter):
    """nnx.BatchNorm with its defaults, except for the axis."""

    offers = frozenset({*DTYPES, "train", "eval", "affine", "bias", "backward", "retain", "earlier"})
    offers |= {"no_grad", "set:eps", "set:momentum"}
    implementation = f"flax {flax.__version__} (jax {jax.__version__})"
    contract = (
        AVERAGE.average_clause(
            "the running variance averages the batch variance as it normalises, uncorrected",
            SOURCE,
        ),
        AVERAGE.textbook_clause(
            "use_fast_variance is on by default: 'a faster, but less numerically stable, calculation'",
            f"{SOURCE}, and https://github.com/google/flax/issues/1491",
        ),
    )

    def __init__(self, num_features: int, eps: float, momentum: Any, dtype: str, **offered: bool) -> None:
        affine, bias = offered.get("affine", True), offered.get("bias", True)
        self.layer = nnx.BatchNorm(
            num_features,
            axis=1,
            momentum=1 - momentum,
            epsilon=eps,
            use_scale=affine,
            use_bias=affine and bias,
            param_dtype="float32" if dtype.startswith("mixed_") else dtype,
            rngs=nnx.Rngs(0),
        )
        self.input_dtype = dtype.replace("mixed_", "")
        self.pullbacks: List[Tuple[Any, Any]] = []

    def forward(self, x: Array, training: bool, record: bool = True) -> Array:
        """Call the layer."""
        graph, parameters, statistics = nnx.split(self.layer, nnx.Param, nnx.BatchStat)

        def call(parameters: Any, statistics: Any, given: Any) -> Any:
            layer = nnx.merge(graph, parameters, statistics)
            output = layer(given, use_running_average=not training)
            return output, nnx.state(layer, nnx.BatchStat)

        given = jax.numpy.asarray(x, dtype=self.input_dtype)
        output, pullback, new = jax.vjp(call, parameters, statistics, given, has_aux=True)
        nnx.update(self.layer, new)
        self.pullbacks = [(pullback if record else None, output.dtype), *self.pullbacks[:1]]
        return _array(output)

    def backward(self, gradient: Array, earlier: bool = False) -> Gradients:
        """Differentiate the last output, or the one before it."""
        pullback, dtype = self.pullbacks[int(earlier)]
        parameters, _, given = pullback(jax.numpy.asarray(gradient, dtype=dtype))
        found = (parameters.get(NAMES[name]) for name in ("weight", "bias"))
        weight, bias = (None if each is None else _array(each[...]) for each in found)
        return _array(given), weight, bias

    def read(self, name: str) -> Optional[Array]:
        """Return a tensor of the layer under torch's name."""
        variable = getattr(self.layer, NAMES[name])
        return None if variable is None else _array(variable[...])

    def write(self, name: str, values: Array) -> None:
        """Replace a tensor of the layer."""
        variable = getattr(self.layer, NAMES[name])
        variable.set_value(jax.numpy.asarray(values, dtype=variable.dtype))

    def set(self, name: str, value: Any) -> None:
        """Set eps or momentum of the live layer."""
        if name == "eps":
            self.layer.epsilon = value
        else:
            self.layer.momentum = 1 - value


def _array(values: Any) -> Array:
    return np.asarray(values, dtype="float32" if values.dtype.itemsize == 2 else None)
