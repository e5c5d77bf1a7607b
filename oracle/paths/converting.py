"""Steps on the paths on which another module takes the place of the one under test."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict

from cases.attributes import TENSORS
from cases.derivatives import Backward
from cases.inputs import batch
from cases.inputs.batches import Batch
from cases.steps import Copy, Forward, Step
from cases.variants import WIDE, Variant
from oracle.meanings import advance
from oracle.outputs import UNRECORDED
from oracle.paths.making import Made, through
from oracle.paths.walk import Advance, apart, by_forward, differentiated_graph, failing, tagged
from oracle.semantics import Semantics
from oracle.state import Expected, Graph, State, Tensor


def _sync(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward of a SyncBatchNorm, which checks less of the rank and more of the counter."""
    assert isinstance(step, Forward)
    found = advance(state, step, variant, semantics)
    given = batch(variant, step.batch).values
    if given.ndim != 4 and given.ndim >= 2:
        return tagged(found, "sync_rank")
    if given.ndim > 1 and given.shape[1] == 0:
        refused = "number of input channels should be non-zero"
        return failing(state, "ValueError", refused, "sync_channels")
    counted = state.training and state.track_running_stats
    if counted and state.num_batches_tracked is None:
        return failing(state, "AssertionError", "num_batches_tracked must not be None", "sync_counter")
    return found


def _fused(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward of a convolution into which the module was fused."""
    assert isinstance(step, Forward)
    made = state.path_memory
    if not isinstance(made, Made):
        if state.training:
            return failing(state, "AssertionError", "Fusion only for eval!", "fused_eval")
        if state.running_mean is None or state.running_var is None:
            absent = "bn.running_mean and bn.running_var must not be None"
            return failing(state, "AssertionError", absent, "fused_buffers")
        made = Made(of_its_own(state.changed(graphs=())))
    refused = _refused_by_convolution(made.inner, batch(variant, step.batch))
    if refused:
        return failing(state.changed(path_memory=made), "RuntimeError", refused, "fused_refuses")
    found = through(state.changed(path_memory=made), made.inner, step, variant, semantics)
    output = found.output
    if output is None or not output.batch.values.size or output.dtype not in WIDE:
        return tagged(found, "fused_input")
    return tagged(_trainable(found, step), "fused_constants")


def _refused_by_convolution(inner: State, given: Batch) -> str:
    """Return the pattern of the message with which a convolution refuses an input; "" if it does not."""
    shape, channels = given.values.shape, inner.config.num_features
    if given.dtype != inner.dtype:
        return r"Input type \(.*\) and bias type \(.*\) should be the same"
    if len(shape) not in (3, 4):
        return "input to conv2d"
    if shape[-3] != max(channels, 1):
        return f"to have {channels} channels, but got {shape[-3]} channels"
    if any(isinstance(each, Tensor) and each.form == "row" for each in inner.entries()):
        return "expected bias to be 1-dimensional"
    return "" if all(shape[-2:]) else "Kernel size can't be greater than actual input size"


def of_its_own(state: State) -> State:
    """Return the module with tensors of its own that hold the same numbers and require no gradient."""
    changes: Dict[str, Any] = {}
    for name in TENSORS:
        entry = state.entry(name)
        if isinstance(entry, Tensor):
            changes[name] = Tensor(entry.numbers, object(), form=entry.form)
        elif entry is not None:
            changes[name] = entry._replace(identity=object())
    return state.changed(**changes)


def _trainable(found: Expected, step: Forward) -> Expected:
    """Return the output of a convolution, whose weight and bias require gradients of their own."""
    assert found.output is not None
    recorded = step.way not in UNRECORDED
    output = dataclasses.replace(found.output, requires_grad=recorded)
    state = found.state.with_last_graph(output=output, saved=())
    text = "" if step.way == "hooked" else found.text
    return dataclasses.replace(found, output=output, text=text, state=state)


def _fused_backward(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a step; a backward of the convolution gives the input's gradient alone."""
    found = advance(state, step, variant, semantics)
    graph = differentiated_graph(state, step)
    if graph is None:
        return found
    nothing = apart(state, step)
    if nothing is not None:
        return tagged(nothing, "fused_backward")
    return tagged(found, "fused_strides" if _usual(graph, step) else "fused_backward")


def _usual(graph: Graph, step: Step) -> bool:
    return graph.trainable == ("input",) and not graph.freed and isinstance(step, Backward)


def _lazy(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a step other than a forward; a module that is constructed anew is a lazy one, too."""
    found = advance(state, step, variant, semantics)
    config = state.config
    if not isinstance(step, Copy) or step.how != "state_dict" or found.error is not None:
        return found
    if config.affine or config.track_running_stats:
        return found
    return tagged(dataclasses.replace(found, state=found.state.changed(num_features=0)), "lazy_features")


STEPPING: Dict[str, Advance] = {
    "lazy": by_forward(advance, _lazy),
    "sync": by_forward(_sync),
    "fused": by_forward(_fused, _fused_backward),
}
"""Maps the name of a path to the function for a step on it; a path that is missing differs nowhere."""
