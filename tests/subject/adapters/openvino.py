"""OpenVINO's CPU device, which reads the BatchNormalization of ONNX.

The conventions are those of the operator: see ``tests.subject.adapters.onnx_model``. training_mode is
read since 2026.4 (https://github.com/openvinotoolkit/openvino/pull/37170). The device computes in
float32, also where tensors are float16 or float64, so these are not offered
(https://docs.openvino.ai/2026/openvino-workflow/running-inference/inference-devices-and-modes/cpu-device.html);
the hint keeps it from using bfloat16.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict, List

import numpy as np
import openvino

from tests.subject.adapter import Array
from tests.subject.adapters.onnx_model import OnnxModel


class OpenVino(OnnxModel):
    """A compiled model for each model of ONNX."""

    implementation = f"openvino {openvino.__version__.partition('-')[0]}"

    def run(self, content: bytes, inputs: Dict[str, Array]) -> List[Array]:
        """Run the compiled model."""
        return [np.array(each) for each in _compiled(content)(list(inputs.values())).values()]


@lru_cache(maxsize=512)
def _compiled(content: bytes) -> Any:
    core = openvino.Core()
    return core.compile_model(core.read_model(content), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
