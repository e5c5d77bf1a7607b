"""ONNX Runtime's BatchNormalization, in eval and in training_mode, on the CPU.

The conventions are those of the operator: see ``tests.subject.adapters.onnx_model``. bfloat16 has no
kernel on the CPU (https://github.com/microsoft/onnxruntime/blob/main/docs/OperatorKernels.md).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict, List

import onnxruntime

from tests.subject.adapter import Array
from tests.subject.adapters.onnx_model import OnnxModel


class OnnxRuntime(OnnxModel):
    """A session of onnxruntime for each model."""

    offers = OnnxModel.offers | {"float64", "float16", "mixed_float16"}
    implementation = f"onnxruntime {onnxruntime.__version__}"

    def run(self, content: bytes, inputs: Dict[str, Array]) -> List[Array]:
        """Run the model in its session."""
        outputs: List[Array] = _session(content).run(None, inputs)
        return outputs


@lru_cache(maxsize=512)
def _session(content: bytes) -> Any:
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
