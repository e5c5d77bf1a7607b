"""Steps on the paths on which operators and backward are traced ahead of time."""

from __future__ import annotations

import dataclasses
from typing import Optional

from cases.derivatives import Accumulate, Backward, Double
from cases.inputs import upstream
from cases.inputs.batches import Batch
from cases.steps import Step
from cases.variants import Variant
from oracle.backward import holds_tensors
from oracle.expected_derivatives import ExpectedGradient
from oracle.meanings import advance
from oracle.paths.guards import called_as_it_is, differentiates_module, of_several_sizes
from oracle.paths.walk import Advance, also_inside, differentiated_graph, failing, tagged, used_up
from oracle.semantics import Rules, Semantics
from oracle.state import Expected, Graph, State

MIXED_DTYPE, NOT_1D = "mixed dtype", "expected 1 dims"
"""Parts of the messages about an input of another dtype than the module, and a tensor of the module that
is a row."""

LEAF = "a leaf Variable that requires grad is being used in an in-place operation"
TWICE = "does not currently support double backward"
"""Parts of the messages about a backward that copies an upstream gradient which requires a gradient, and
one that is differentiated."""


def traced_ahead(one: Advance) -> Advance:
    """Return the function for a forward whose operators are traced before anything runs.

    A check that the captured graph leaves to them comes before the counter has been increased.
    """

    def forward(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        if called_as_it_is(state, step, variant):
            return one(state, step, variant, semantics)
        apart = _apart(state)
        found = one(apart, step, variant, semantics)
        if apart is not state:
            found = _written_twice(state, apart, found)
        if found.output is not None:
            return _read_first(apart, found)
        if found.error is None or found.state.num_batches_tracked is state.num_batches_tracked:
            return found
        unseen = any(part in found.error.pattern for part in (NOT_1D, MIXED_DTYPE))
        return failing(state, *found.error, "ahead_checks") if unseen else found

    return forward


def _apart(state: State) -> State:
    """Return the module with two running statistics, where one tensor is both.

    The operator that is traced reads both before it writes to either.
    """
    mean, var = state.running_mean, state.running_var
    if mean is None or var is None or mean.identity is not var.identity:
        return state
    return state.changed(running_mean=mean._replace(identity=object()))


def _written_twice(state: State, apart: State, found: Expected) -> Expected:
    """Return the result of a forward that writes running_mean to a tensor, and then running_var.

    ``apart``: the module with two running statistics, of which ``found`` is expected.
    """

    def outside(each: Expected) -> Expected:
        variance = each.state.running_var
        return dataclasses.replace(each, state=each.state.changed(running_mean=variance))

    if found.error is not None or found.state.running_mean is apart.running_mean:
        seen = outside(found)
        return dataclasses.replace(seen, state=state) if found.state is apart else seen
    return tagged(also_inside(apart, found, outside), "ahead_statistics")


def _read_first(state: State, found: Expected) -> Expected:
    """Return the result of a forward that reads weight and bias first, also where a kernel is wrong."""

    def change(shown: Expected) -> Expected:
        return shown if shown.output is None else _before_update(state, shown)

    return also_inside(state, found, change)


def _before_update(state: State, found: Expected) -> Expected:
    """Return the result of a forward if it reads weight and bias before it updates the running buffers.

    The order matters only where a weight or bias is a running buffer as well.
    """
    assert found.output is not None
    weight, bias = (each and each.numbers for each in (state.weight, state.bias))
    if found.output.weight is weight and found.output.bias is bias:
        return found
    output = dataclasses.replace(found.output, weight=weight, bias=bias)
    now = found.state.with_last_graph(output=output)
    return tagged(dataclasses.replace(found, output=output, state=now), "ahead_alias")


def ahead(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a step; the backward was traced ahead of time, with the tensors that it needs."""
    found = advance(state, step, variant, semantics)
    graph = differentiated_graph(state, step)
    if graph is None:
        return found
    of_module = _of_module(state, step)
    if of_module is not False:
        return found if of_module else tagged(found, "compile_skipped")
    if found.error is not None:
        return _refused(state, graph, found, Rules(semantics))
    if isinstance(step, Double):
        return _twice(state, step, variant, found)
    if _changed(state, graph):
        return tagged(found, "ahead_saved")
    found = _used_up(step, found)
    return found if found.gradients is None else tagged(found, "ahead_strides")


def _refused(state: State, graph: Graph, found: Expected, rules: Rules) -> Expected:
    """Return the result of a step that is refused by a backward that was traced ahead of time."""
    assert found.error is not None
    if found.state is not state:
        return failing(state, *found.error, "ahead_whole")
    if "inplace" in found.error.pattern or _converted(graph) or _changed(state, graph):
        return tagged(found, "ahead_saved")
    return tagged(found, "ahead_used_up") if graph.freed and not holds_tensors(graph, rules) else found


def _used_up(step: Step, found: Expected) -> Expected:
    """Return the result of a backward, after which its graph is used up, also that of an empty batch."""
    assert isinstance(step, (Backward, Accumulate))
    place = getattr(step, "earlier", 0)
    performed = found.gradients is None or any(found.gradients)
    kept = step.retain or not performed or found.state.graphs[place].freed
    return found if kept else used_up(found, place)


def _of_module(state: State, step: Step) -> Optional[bool]:
    """Whether a step differentiates an output that no compiled code returned; None: unknown."""
    return differentiates_module(state, getattr(step, "earlier", 0))


def _converted(graph: Graph) -> bool:
    """Whether running statistics, and no parameters, have been converted since a train-mode forward."""
    other = [each.name for each in graph.saved if each.dtype != graph.dtype]
    return graph.mixed and graph.output.batch_statistics and not {"weight", "bias"} & {*other}


def _twice(state: State, step: Double, variant: Variant, found: Expected) -> Expected:
    """Return the result of a double backward, whose upstream gradient requires a gradient."""
    x = state.graphs[0].output.batch
    copied = _copies(x, upstream(variant, x, step.upstream))
    if of_several_sizes(state):
        copied = None
    if copied is False and not any(each.differentiated for each in found.derivatives):
        return found
    message = {True: LEAF, False: TWICE, None: f"{TWICE}|{LEAF}"}[copied]
    return failing(state, "RuntimeError", message, "ahead_double")


def _copies(x: Batch, incoming: Batch) -> Optional[bool]:
    """Whether a backward copies an upstream gradient to the strides that it was traced with.

    These are those of a dense tensor whose dimensions lie in the order of the input's. None where that
    does not follow: with a dimension of size 1, or numbers that share a place in memory.
    """
    shape = x.values.shape
    if not x.values.size:  # the suite's tensors without elements have strides of 0
        return True
    if 1 in shape or x.overlaps or x.layout == "windows":
        return None
    wanted, step = [0] * len(shape), 1
    for each in sorted(range(len(shape)), key=lambda place: x.strides[place]):
        wanted[each] = step
        step *= shape[each]
    return incoming.strides != tuple(wanted)


def _changed(state: State, graph: Graph) -> bool:
    """Whether a tensor that the forward read has other numbers by now."""
    output = graph.output
    read = [(state.weight, output.weight)]
    if not output.batch_statistics:
        read += [(state.running_mean, output.mean), (state.running_var, output.variance)]
    return any(tensor is not None and tensor.numbers is not numbers for tensor, numbers in read)


def with_symbolic_shapes(one: Advance) -> Advance:
    """Return the function for a step; the backward was traced ahead of time for sizes that may change.

    It takes the upstream gradient in the memory format that it has seen in the output, which is
    contiguous where the strides are ambiguous, and copies any other.
    """

    def perform(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = one(state, step, variant, semantics)
        if "ahead_double" in found.clauses:  # it copies to a memory format, without writing to a leaf
            return failing(state, "RuntimeError", TWICE, "ahead_double")
        if found.gradients is None or _of_module(state, step) is not False:
            return found
        return dataclasses.replace(found, gradients=tuple(map(_copied, found.gradients)))

    return perform


def donated(one: Advance) -> Advance:
    """Return the function for a step; a backward that overwrites what was saved keeps no graph."""

    def perform(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = one(state, step, variant, semantics)
        keeps = isinstance(step, (Backward, Accumulate)) and step.retain
        refused = found.error is not None and "ahead_double" not in found.clauses
        if refused or not (keeps or isinstance(step, Double)) or _of_module(state, step) is not False:
            return found
        return failing(state, "RuntimeError", "donated buffers", "ahead_donated")

    return perform


def cached(one: Advance, always: bool) -> Advance:
    """Return the function for a step; a backward that was compiled before may keep no graph.

    ``always``: every backward may be such a one. If False, a backward may be one only after torch has
    compiled forwards of several sizes.
    """

    def perform(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = one(state, step, variant, semantics)
        if _of_module(state, step) is not False or not (always or of_several_sizes(state)):
            return found
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


def ahead_decomposed(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a step; a backward of decomposed operators lays gradients out in its own way."""
    found = ahead(state, step, variant, semantics)
    return found if found.gradients is None else tagged(found, "decomposed_strides")
