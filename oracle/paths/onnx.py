"""Steps on the path through ONNX."""

from __future__ import annotations

import dataclasses
from typing import Dict

import numpy as np

from cases.inputs import batch
from cases.steps import Forward, Step
from cases.variants import NARROW, Variant
from oracle.meanings import advance
from oracle.paths.compile import NOT_4D
from oracle.paths.converting import of_its_own
from oracle.paths.guards import cumulates
from oracle.paths.making import Made, through
from oracle.paths.walk import Advance, by_forward, failing, tagged
from oracle.semantics import Semantics
from oracle.state import Expected, State


def _onnx(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward of an exported model, which is a function without buffers and gradients.

    Its attributes are float32, so eps is rounded.
    """
    assert isinstance(step, Forward)
    made = state.path_memory
    shape = batch(variant, step.batch).values.shape
    if not isinstance(made, Made):
        right = advance(state, step, variant, semantics)
        if cumulates(state) and not (right.error and NOT_4D in right.error.pattern):
            return failing(state, "TorchExportError", "data-dependent expression", "onnx_item")
        if right.error is not None or state.training or not right.output.batch.values.size:  # type: ignore[union-attr]
            return tagged(right, "onnx_refused")
        assert isinstance(state.eps, (int, float))
        inner = of_its_own(state.changed(graphs=(), eps=float(np.float32(state.eps))))
        made = Made(inner, shape)
    found = through(state.changed(path_memory=made), made.inner, step, variant, semantics)
    if shape != made.shape or found.output is None or found.output.dtype in NARROW:
        return tagged(found, "onnx_input")
    output = dataclasses.replace(found.output, requires_grad=False, memory_format="contiguous")
    state = found.state.with_last_graph(output=output, trainable=(), saved=())
    text = "" if step.way == "hooked" else None
    seen = dataclasses.replace(found, output=output, text=text, state=state, inside=None)
    return tagged(seen, "onnx_constants")


STEPPING: Dict[str, Advance] = {"onnx": by_forward(_onnx)}
"""Maps the name of a path to the function for a step on it."""
