"""PaddlePaddle's nn.BatchNorm2D, on the CPU.

Conventions (https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/nn/BatchNorm2D_en.html):

- moving_mean = moving_mean * momentum + mean * (1 - momentum): momentum is the complement of torch's.
- The running statistics are called ``_mean`` and ``_variance``.
- ``weight_attr=False`` and ``bias_attr=False`` leave out weight and bias.
- There is no layer without running statistics, and on the CPU none of float16 or bfloat16.
"""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

import numpy as np
import paddle

from tests.subject.adapter import Adapter, Array, Gradients
from tests.subject.adapters.conventions import Convention, float32_complement

paddle.set_device("cpu")

NAMES = {"weight": "weight", "bias": "bias", "running_mean": "_mean", "running_var": "_variance"}
AVERAGE = Convention(biased=True, factor=float32_complement)


class Paddle(Adapter):
    """nn.BatchNorm2D with its defaults."""

    offers = frozenset({"float32", "float64", "train", "eval", "affine", "bias", "backward", "retain"})
    offers |= {"earlier", "no_grad", "set:eps", "set:momentum"}
    implementation = f"paddlepaddle {paddle.__version__}"
    contract = (
        AVERAGE.average_clause(
            "moving_variance averages the batch variance as it normalises, uncorrected, and 1 - momentum "
            "is computed in float32",
            "https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/nn/BatchNorm2D_en.html; "
            "https://github.com/PaddlePaddle/Paddle/pull/68159, closed",
        ),
    )

    def __init__(self, num_features: int, eps: float, momentum: Any, dtype: str, **offered: bool) -> None:
        affine = offered.get("affine", True)
        self.layer = paddle.nn.BatchNorm2D(
            num_features,
            momentum=1 - momentum,
            epsilon=eps,
            weight_attr=None if affine else False,
            bias_attr=None if affine and offered.get("bias", True) else False,
        )
        self.layer.to(dtype=dtype)
        self.calls: List[Tuple[Any, List[Any]]] = []

    def forward(self, x: Array, training: bool, record: bool = True) -> Array:
        """Call the layer."""
        given = paddle.to_tensor(x, stop_gradient=False)
        self.layer.train() if training else self.layer.eval()
        with paddle.set_grad_enabled(record):
            output = self.layer(given)
        self.calls = [(output, [given, self.layer.weight, self.layer.bias]), *self.calls[:1]]
        return np.array(output.numpy())

    def backward(self, gradient: Array, earlier: bool = False) -> Gradients:
        """Differentiate the last output, or the one before it."""
        output, leaves = self.calls[int(earlier)]
        there = [each for each in leaves if each is not None]
        found = iter(paddle.grad([output], there, [paddle.to_tensor(gradient)], retain_graph=True))
        given, weight, bias = (None if each is None else next(found).numpy() for each in leaves)
        assert given is not None
        return given, weight, bias

    def read(self, name: str) -> Optional[Array]:
        """Return a tensor of the layer under torch's name."""
        tensor = getattr(self.layer, NAMES[name])
        return None if tensor is None else np.array(tensor.numpy())

    def write(self, name: str, values: Array) -> None:
        """Replace a tensor of the layer."""
        tensor = getattr(self.layer, NAMES[name])
        tensor.set_value(values.astype(tensor.numpy().dtype))

    def set(self, name: str, value: Any) -> None:
        """Set eps or momentum of the live layer."""
        if name == "eps":
            self.layer._epsilon = value
        else:
            self.layer._momentum = 1 - value
