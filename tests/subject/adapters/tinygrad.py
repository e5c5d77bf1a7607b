"""tinygrad's nn.BatchNorm2d.

Conventions (https://docs.tinygrad.org/nn/#tinygrad.nn.BatchNorm, and help(tinygrad.nn.BatchNorm2d)):

- Arguments, defaults, layout and the unbiased running variance are torch's.
- Train mode is a context of the whole library: ``Context(TRAINING=1)``.
- A layer is float32; its tensors are cast to another dtype.
- There is no layer with a weight and without a bias.
- The device is DEV: CPU needs clang, PYTHON emulates it slowly without.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, List, Optional, Tuple

import numpy as np
from tinygrad import Context, Device, Tensor, dtypes, nn

from cases.attributes import BUFFERS, FLOATING
from tests.subject.adapter import Adapter, Array, Gradients

DTYPES = ("float32", "float64", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


class Tinygrad(Adapter):
    """nn.BatchNorm2d with its defaults."""

    offers = frozenset({*DTYPES, "train", "eval", "affine", "track_running_stats", "backward", "retain"})
    offers |= {"earlier", "no_grad", "counter", "set:eps", "set:momentum", "set:track_running_stats"}
    implementation = f"tinygrad {version('tinygrad')} ({Device.DEFAULT})"

    def __init__(self, num_features: int, eps: float, momentum: Any, dtype: str, **offered: bool) -> None:
        self.layer = nn.BatchNorm2d(num_features, eps, momentum=momentum, **offered)
        self.input_dtype = getattr(dtypes, dtype.replace("mixed_", ""))
        layer_dtype = dtypes.float32 if dtype.startswith("mixed_") else self.input_dtype
        for name in FLOATING:
            tensor = getattr(self.layer, name, None)
            if tensor is not None:
                setattr(self.layer, name, tensor.cast(layer_dtype).contiguous().realize())
        self.calls: List[Tuple[Tensor, ...]] = []

    def forward(self, x: Array, training: bool, record: bool = True) -> Array:
        """Call the layer."""
        given = Tensor(x).cast(self.input_dtype).realize()
        own = self._parameters()
        with Context(TRAINING=int(training)):
            output = self.layer(given)
        statistics = [getattr(self.layer, name, None) for name in BUFFERS]
        Tensor.realize(*(each for each in statistics if each is not None))
        self.calls = [(output, given, *own), *self.calls[:1]]
        return _array(output)

    def backward(self, gradient: Array, earlier: bool = False) -> Gradients:
        """Differentiate the last output, or the one before it."""
        output, *leaves = self.calls[int(earlier)]
        upstream = Tensor(gradient).cast(output.dtype)
        given, *own = map(_array, output.gradient(*leaves, gradient=upstream))
        weight, bias = own or (None, None)
        return given, weight, bias

    def _parameters(self) -> List[Tensor]:
        return [each for each in (self.layer.weight, self.layer.bias) if each is not None]

    def read(self, name: str) -> Optional[Array]:
        """Return a tensor of the layer under torch's name."""
        tensor = getattr(self.layer, name, None)
        return None if tensor is None else _array(tensor)

    def write(self, name: str, values: Array) -> None:
        """Replace a tensor of the layer."""
        tensor = getattr(self.layer, name)
        setattr(self.layer, name, Tensor(values).cast(tensor.dtype).contiguous().realize())

    def set(self, name: str, value: Any) -> None:
        """Set eps or momentum of the live layer."""
        setattr(self.layer, name, value)


def _array(tensor: Tensor) -> Array:
    return np.array((tensor.float() if tensor.dtype == dtypes.bfloat16 else tensor).numpy())
