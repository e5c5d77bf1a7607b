"""ONNX models of one BatchNormalization node, and the adapter that all runtimes of such models share.

Conventions (https://onnx.ai/onnx/operators/onnx__BatchNormalization.html, version 15):

- ``running_mean = input_mean * momentum + current_mean * (1 - momentum)``: the complement of torch's.
- ``running_var`` averages the population variance, "this formula does not use sample size N - 1".
- ``epsilon`` and ``momentum`` are attributes of type float, which is float32.
- The operator is a function: scale, B, mean and var are its inputs, running_mean and running_var
  outputs in training_mode. A layer without weight, bias or running statistics gets ones or zeros there.
- There is no gradient.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict, List, Optional

import numpy as np
from onnx import TensorProto, helper

from tests.subject.adapter import Adapter, Array
from tests.subject.adapters.conventions import Convention, float32_complement

SOURCE = "https://onnx.ai/onnx/operators/onnx__BatchNormalization.html"
OPERATOR = Convention(biased=True, factor=float32_complement, float32_eps=True)
CONTRACT = (
    OPERATOR.average_clause(
        "running_var averages the population variance, and momentum is an attribute of type float32",
        SOURCE,
    ),
    OPERATOR.eps_clause("epsilon is an attribute of type float32, even in float64", SOURCE),
)
DTYPES = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "float16": TensorProto.FLOAT16}
STARTS = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}
"""The tensors of a layer in the order of the operator's inputs, each with its first value."""


@lru_cache(maxsize=512)
def model(training: bool, eps: float, momentum: float, input_dtype: str, dtype: str) -> bytes:
    """Return a model with the inputs x, weight, bias, running_mean and running_var.

    Its outputs are y and, in training, new_mean and new_var.
    """
    given, own = DTYPES[input_dtype], DTYPES[dtype]
    inputs = [helper.make_tensor_value_info("x", given, ["N", "C", "H", "W"])]
    inputs += [helper.make_tensor_value_info(name, own, ["C"]) for name in STARTS]
    outputs = [helper.make_tensor_value_info("y", given, None)]
    if training:
        outputs += [helper.make_tensor_value_info(name, own, None) for name in ("new_mean", "new_var")]
    node = helper.make_node(
        "BatchNormalization",
        [each.name for each in inputs],
        [each.name for each in outputs],
        epsilon=float(eps),
        momentum=float(1 - momentum),
        training_mode=int(training),
    )
    graph = helper.make_graph([node], "batch_norm", inputs, outputs)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    content: bytes = made.SerializeToString()
    return content


class OnnxModel(Adapter):
    """A layer whose forward is a model that a runtime runs."""

    offers = frozenset({"float32", "train", "eval", "affine", "bias", "track_running_stats"})
    offers |= {"set:eps", "set:momentum", "set:track_running_stats", "copy", "load", "pickle"}
    contract = CONTRACT

    def __init__(self, num_features: int, eps: float, momentum: Any, dtype: str, **offered: bool) -> None:
        self.eps, self.momentum = eps, momentum
        self.input_dtype = dtype.replace("mixed_", "")
        self.dtype = "float32" if dtype.startswith("mixed_") else dtype
        self.track_running_stats = offered.get("track_running_stats", True)
        there = {"weight": offered.get("affine", True), "bias": offered.get("affine", True)}
        there["bias"] &= offered.get("bias", True)
        self.tensors: Dict[str, Optional[Array]] = {
            name: np.full(num_features, value, self.dtype)
            if there.get(name, self.track_running_stats)
            else None
            for name, value in STARTS.items()
        }

    def forward(self, x: Array, training: bool, record: bool = True) -> Array:
        """Call the layer."""
        by_batch = training or self.tensors["running_mean"] is None
        content = model(by_batch, self.eps, self.momentum, self.input_dtype, self.dtype)
        inputs = {
            name: np.full(x.shape[1], STARTS[name], self.dtype) if each is None else each
            for name, each in self.tensors.items()
        }
        y, *new = self.run(content, {"x": x, **inputs})
        if training and self.track_running_stats and self.tensors["running_mean"] is not None:
            self.tensors["running_mean"], self.tensors["running_var"] = new
        return y

    def run(self, content: bytes, inputs: Dict[str, Array]) -> List[Array]:
        """Return the outputs of a model for its inputs."""
        raise NotImplementedError

    def read(self, name: str) -> Optional[Array]:
        """Return a tensor of the layer under torch's name."""
        return self.tensors[name]

    def write(self, name: str, values: Array) -> None:
        """Replace a tensor of the layer."""
        self.tensors[name] = values.astype(self.dtype)

    def set(self, name: str, value: Any) -> None:
        """Set eps or momentum of the live layer."""
        setattr(self, name, value)
