"""The path through ONNX: the module is exported, and onnxruntime runs it."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from typing import Any

import torch

from tests.subject.paths.path import Made


class Onnx(Made):
    """``torch.onnx.export`` of the module and the first input, run by onnxruntime on the CPU.

    The output is a tensor of its own without a gradient. What a model computes of the running statistics
    is not written back.
    """

    kernels = False
    sums_exactly = False

    def make(self, module: Any, x: torch.Tensor) -> Any:
        """Return the program; raises what torch raises."""
        import onnxruntime  # type: ignore[import-not-found, unused-ignore]

        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            exported: Any = torch.onnx.export(module, (x.detach(),), dynamo=True, verbose=False)
        session = onnxruntime.InferenceSession(
            exported.model_proto.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        name = session.get_inputs()[0].name

        def run(x: torch.Tensor) -> torch.Tensor:
            given = x.detach().contiguous().cpu().numpy()
            return torch.from_numpy(session.run(None, {name: given})[0]).to(x.device)

        return run


PATHS = {"onnx": Onnx}
"""Maps the name of a path to its class."""
