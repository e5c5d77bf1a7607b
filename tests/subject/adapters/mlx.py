"""MLX's nn.BatchNorm, on the CPU.

Conventions (https://ml-explore.github.io/mlx/build/html/python/nn/_autosummary/mlx.nn.BatchNorm.html):

- "For four-dimensional arrays, the shape is NHWC".
- Momentum, epsilon and their defaults are torch's, and so is the unbiased running variance, since
  https://github.com/ml-explore/mlx/pull/3817.
- ``affine`` leaves out weight and bias, both at once.
- float64 is for the CPU alone (https://ml-explore.github.io/mlx/build/html/python/data_types.html).
"""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

import mlx.core as mx
import numpy as np
from mlx import nn

from tests.subject.adapter import Adapter, Array, Gradients

mx.set_default_device(mx.cpu)

DTYPES = ("float32", "float64", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")
PARAMETERS = ("weight", "bias")


class MLX(Adapter):
    """nn.BatchNorm with its defaults."""

    offers = frozenset({*DTYPES, "train", "eval", "affine", "track_running_stats", "backward", "retain"})
    offers |= {"earlier", "no_grad", "set:eps", "set:momentum"}
    implementation = f"mlx {mx.__version__}"

    def __init__(self, num_features: int, eps: float, momentum: Any, dtype: str, **offered: bool) -> None:
        self.layer = nn.BatchNorm(num_features, eps, momentum, **offered)
        self.layer.set_dtype(getattr(mx, "float32" if dtype.startswith("mixed_") else dtype))
        self.dtype = dtype.replace("mixed_", "")
        self.calls: List[Tuple[Any, List[Any]]] = []

    def forward(self, x: Array, training: bool, record: bool = True) -> Array:
        """Call the layer."""
        if not x.size:  # mx.sum over empty axes may never return, which would end the whole run
            raise RuntimeError("not called: mlx may hang on an empty batch")
        layer, given = self.layer.train(training), self._given(x)
        before, settings = dict(layer.parameters()), (layer.eps, layer.momentum)
        own = [before[name] for name in PARAMETERS if name in before]

        def again(given: Any, *parameters: Any) -> Any:
            copied = nn.BatchNorm(x.shape[1], *settings, bool(parameters), "running_mean" in before)
            return copied.train(training).update({**before, **dict(zip(PARAMETERS, parameters))})(given)

        self.calls = [(again, [given, *own]), *self.calls[:1]]
        output = layer(given)
        mx.eval(output, layer.parameters())
        y: Array = _array(output).transpose(0, 3, 1, 2)
        return y

    def backward(self, gradient: Array, earlier: bool = False) -> Gradients:
        """Differentiate the last output, or the one before it."""
        again, inputs = self.calls[int(earlier)]
        _, (given, *own) = mx.vjp(again, inputs, [self._given(gradient)])
        weight, bias = map(_array, own or (None, None))
        return _array(given).transpose(0, 3, 1, 2), weight, bias

    def _given(self, values: Array) -> Any:
        return mx.array(np.ascontiguousarray(values.transpose(0, 2, 3, 1)), dtype=getattr(mx, self.dtype))

    def read(self, name: str) -> Optional[Array]:
        """Return a tensor of the layer under torch's name."""
        values: Optional[Array] = _array(self.layer.get(name))
        return values

    def write(self, name: str, values: Array) -> None:
        """Replace a tensor of the layer."""
        self.layer[name] = mx.array(values, dtype=self.layer[name].dtype)

    def set(self, name: str, value: Any) -> None:
        """Set eps or momentum of the live layer."""
        setattr(self.layer, name, value)


def _array(values: Any) -> Any:
    """Return an array of NumPy, which lacks bfloat16; None for None."""
    if values is None:
        return None
    return np.array(values.astype(mx.float32) if values.dtype == mx.bfloat16 else values)
