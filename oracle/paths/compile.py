"""Steps on the paths through ``torch.compile``."""

from __future__ import annotations

import dataclasses
import re
from typing import Dict, Optional

from cases.derivatives import Accumulate, Backward, Double
from cases.steps import FORMS, Forward, Step
from cases.variants import NARROW, Variant
from oracle.expected_derivatives import ExpectedGradient
from oracle.meanings import advance
from oracle.paths.rounding import (
    gradients_in_16_bits,
    gradients_of_rounded_statistics,
    mean_of_infinity,
)
from oracle.paths.walk import (
    Advance,
    allowing,
    by_forward,
    differentiated_graph,
    failing,
    remembering,
    tagged,
    within,
)
from oracle.refusals import OVERLAPPING
from oracle.semantics import Semantics
from oracle.state import Expected, ExpectedError, Graph, Inside, State

NOT_4D, MIXED_DTYPE, NOT_1D = "expected 4D input", "mixed dtype", "expected 1 dims"
"""Parts of the messages about an input of the wrong rank, an input of another dtype than the module, and
a tensor of the module that is a row."""

PYTHON = (NOT_4D, "division by zero")
"""Parts of the messages of exceptions that the module's own Python code raises."""

UNSEEN = (MIXED_DTYPE, NOT_1D, "INTERNAL ASSERT")
"""Parts of the messages of checks that the captured graph does not make, so they come when it runs."""

OTHERWISE = {
    "both be None": "both be None",
    "not implemented for": "could not infer output dtype|Autograd not support dtype",
    NOT_1D: "Attempting to broadcast a dimension|The size of tensor a .s[0-9]+: hint",
}
"""Maps a part of the message of a check to the message with which the same is refused in a graph."""


def cumulates(state: State) -> bool:
    """Whether a forward reads the number in the counter, which no graph can hold as a constant."""
    counted = state.training and bool(state.track_running_stats)
    return bool(counted and state.momentum is None and state.num_batches_tracked is not None)


SKIPPED = "skipped"
"""The memory of a path after a forward that failed behind a graph break: from then on torch calls the
module as it is."""


def _compiled(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward of a compiled module.

    An operator that refuses its arguments does so while the graph is captured, before anything ran. After
    a graph break torch calls the rest of the forward as it is, if that cannot be captured.
    """
    assert isinstance(step, Forward)
    found = advance(state, step, variant, semantics)
    error = found.error
    if error is None or any(part in error.pattern for part in PYTHON):
        return found
    if cumulates(state):
        return remembering(found, SKIPPED)
    if state.memory == SKIPPED:
        return found
    rows = NOT_1D in error.pattern and not state.training
    if any(part in error.pattern for part in UNSEEN) and not rows:
        return found
    # A graph refuses overlapping tensors, too, so the defect of the kernel cannot show.
    if error == OVERLAPPING:
        return _wrapped(state, found, error)

    def outside(found: Expected) -> Expected:
        return found if found.error is None else _wrapped(state, found, found.error)

    return dataclasses.replace(outside(found), inside=Inside(state, found, outside))


def _wrapped(state: State, found: Expected, error: ExpectedError) -> Expected:
    """Return what is shown of an operator that refuses its arguments while the graph is captured."""
    pattern = within(error, "TorchRuntimeError").pattern
    for part, instead in OTHERWISE.items():
        if part in pattern:
            pattern = instead
    wrapped = ExpectedError("TorchRuntimeError", _with_symbols(pattern))
    return tagged(Expected(state, error=wrapped, switches=found.switches), "compile_error")


def _with_symbols(pattern: str) -> str:
    """Return the pattern of a message in which a graph may show a symbol for a number: s50, zf18."""
    pattern = re.sub(r"(should contain) ([0-9]+) elements", r"\1 (\2|s[0-9]+) elements", pattern)
    pattern = re.sub(r"(eps must be .* but got) (\S+)$", r"\1 (\2|zf[0-9]+)", pattern)
    before, size, after = pattern.partition("got input size")
    return before + size + re.sub("[0-9]+", r"(\g<0>|s[0-9]+)", after)


def _fullgraph(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward of a module that must compile as one graph."""
    found = advance(state, step, variant, semantics)
    if found.error is not None and NOT_4D in found.error.pattern:
        return failing(state, "Unsupported", "", "fullgraph")
    if cumulates(state):
        return failing(state, "UserError", "data-dependent expression", "fullgraph")
    return _compiled(state, step, variant, semantics)


def _decomposed(one: Advance) -> Advance:
    """Return the function for a forward whose batch_norm is decomposed into other operators."""

    def forward(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = one(state, step, variant, semantics)
        if found.output is not None:
            lost = mean_of_infinity(state, found)
            clauses = () if lost is found else ("decomposed_infinity",)
            return tagged(lost, "decomposed_strides", *clauses)
        assert found.error is not None
        unchecked = any(each.form in FORMS for each in state.tensors())
        unchecked = unchecked or MIXED_DTYPE in found.error.pattern
        return tagged(found, "decomposed_checks") if unchecked else found

    return forward


def _traced_ahead(one: Advance) -> Advance:
    """Return the function for a forward whose operators are traced before anything runs.

    A check that the captured graph leaves to them comes before the counter has been increased.
    """

    def forward(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = one(state, step, variant, semantics)
        if found.output is not None:
            return _before_update(state, found)
        if found.error is None or NOT_1D not in found.error.pattern or found.state is state:
            return found
        skipped = state.memory == SKIPPED or found.state.memory == SKIPPED
        return found if skipped else failing(state, *found.error, "ahead_checks")

    return forward


def _before_update(state: State, found: Expected) -> Expected:
    """Return what a forward shows if it reads weight and bias before it updates the running buffers.

    The order matters only where a weight or bias is a running buffer as well.
    """
    assert found.output is not None
    weight, bias = (each and each.numbers for each in (state.weight, state.bias))
    if found.output.weight is weight and found.output.bias is bias:
        return found
    output = dataclasses.replace(found.output, weight=weight, bias=bias)
    now = found.state.with_last_graph(output=output)
    return tagged(dataclasses.replace(found, output=output, state=now), "ahead_alias")


def _ahead(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a step; the backward was traced ahead of time, with the tensors that it needs."""
    found = advance(state, step, variant, semantics)
    graph = differentiated_graph(state, step)
    if graph is None:
        return found
    if found.error is not None and found.state is not state:
        return failing(state, *found.error, "ahead_whole")
    if isinstance(step, Double) and found.error is None:
        refused = "does not currently support double backward"
        return failing(state, "RuntimeError", refused, "ahead_double")
    if found.error is not None and "inplace" in found.error.pattern:
        return tagged(found, "ahead_saved")
    if _changed(state, graph):
        return tagged(found, "ahead_saved")
    return found if found.gradients is None else tagged(found, "ahead_strides")


def _changed(state: State, graph: Graph) -> bool:
    """Whether a tensor that the forward read has other numbers by now."""
    output = graph.output
    read = [(state.weight, output.weight)]
    if not output.batch_statistics:
        read += [(state.running_mean, output.mean), (state.running_var, output.variance)]
    return any(tensor is not None and tensor.numbers is not numbers for tensor, numbers in read)


def _with_symbolic_shapes(one: Advance) -> Advance:
    """Return the function for a step; the backward was traced ahead of time for sizes that may change.

    It takes the upstream gradient in the memory format that it has seen in the output, which is
    contiguous where the strides are ambiguous, and copies any other.
    """

    def perform(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = one(state, step, variant, semantics)
        if found.gradients is None:
            return found
        return dataclasses.replace(found, gradients=tuple(map(_copied, found.gradients)))

    return perform


def _donated(one: Advance) -> Advance:
    """Return the function for a step; a backward that overwrites what was saved keeps no graph."""

    def perform(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = one(state, step, variant, semantics)
        keeps = isinstance(step, (Backward, Accumulate)) and step.retain
        refused = found.error is not None and "ahead_double" not in found.clauses
        if refused or not (keeps or isinstance(step, Double)):
            return found
        return failing(state, "RuntimeError", "donated buffers", "ahead_donated")

    return perform


def _cached(one: Advance) -> Advance:
    """Return the function for a step; a backward that was compiled before may keep no graph."""

    def perform(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = one(state, step, variant, semantics)
        keeps = isinstance(step, (Backward, Accumulate)) and step.retain and found.error is None
        return tagged(found, "ahead_cached") if keeps or "ahead_double" in found.clauses else found

    return perform


def _copied(gradient: Optional[ExpectedGradient]) -> Optional[ExpectedGradient]:
    """Return a gradient by an upstream gradient that was copied to the memory format of the output."""
    if gradient is None:
        return None
    x = gradient.output.batch
    last = x.memory_format == "channels_last" and not x.ambiguous
    layout = "channels_last" if last else "contiguous"
    return dataclasses.replace(gradient, upstream=dataclasses.replace(gradient.upstream, layout=layout))


def _ahead_decomposed(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a step; a backward of decomposed operators lays gradients out in its own way."""
    found = _ahead(state, step, variant, semantics)
    return found if found.gradients is None else tagged(found, "decomposed_strides")


def _in_16_bits(one: Advance) -> Advance:
    """Return the function for a step; decomposed operators round the gradients of 16-bit inputs.

    What they have added to ``.grad`` stays there in later steps.
    """

    def perform(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = one(state, step, variant, semantics)
        if found.error is not None or variant.input_dtype not in NARROW:
            return found
        there = [each for each in found.gradients or () if each is not None]
        there += [part for _, grad in found.state.grads() for part in grad.parts]
        outputs = [each.output for each in there if each.output.batch.values.size]
        wide = found.state.dtype not in NARROW
        if wide and any(each.batch_statistics for each in outputs):
            return allowing(found, "decomposed_statistics", gradients_of_rounded_statistics(found))
        return allowing(found, "decomposed_narrow", gradients_in_16_bits(found)) if outputs else found

    return perform


_ENDS = {"": _compiled, "_static": _compiled, "_dynamic": _compiled, "_fullgraph": _fullgraph}


def _performed(name: str, one: Advance) -> Advance:
    """Return the function for a step on the paths of a backend."""
    kind, _, end = name.rpartition("_")
    if "dynamo" in (kind, name):
        return by_forward(one)
    eager = name.startswith("aot_eager")
    others: Advance = _ahead if eager else _ahead_decomposed
    if end == "dynamic":
        others = _with_symbolic_shapes(others)
        others = _donated(others) if eager else others
    if name.startswith("inductor") or (end == "dynamic" and not eager):
        others = _cached(others)
    if eager:
        return by_forward(_traced_ahead(one), others)
    return by_forward(_in_16_bits(_decomposed(_traced_ahead(one))), _in_16_bits(others))


STEPPING: Dict[str, Advance] = {
    name + end: _performed(name + end, one)
    for name in ("dynamo", "aot_eager", "aot_decomp", "inductor")
    for end, one in _ENDS.items()
}
"""Maps the name of a path to the function for a step on it."""
