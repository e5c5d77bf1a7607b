"""Steps on the paths that call the module in a context of torch, or through a checkpoint.

The path decides what autograd records: nothing, or what a second call in the backward shows.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Dict, NamedTuple, Optional, Tuple

from cases.derivatives import ASKED, Accumulate, Backward, Double
from cases.steps import Copy, Forward, RequireGrad, Step
from cases.variants import Variant
from oracle import outputs, refusals
from oracle.backward import holds_tensors
from oracle.meanings import advance
from oracle.numerics.normalisation import ExpectedOutput
from oracle.outputs import REQUIRING, UNRECORDED
from oracle.paths.walk import Advance, by_forward, failing, tagged, thawed_apart, used_up, viewed
from oracle.semantics import Rules, Semantics
from oracle.state import Expected, Graph, Inside, State


def _unrecorded(way: str) -> Advance:
    """Return the function for a forward that is called in another way, one of UNRECORDED."""

    def forward(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        assert isinstance(step, Forward)
        if step.way == "inference":
            return advance(state, step, variant, semantics)
        found = advance(state, dataclasses.replace(step, way=way), variant, semantics)
        if step.way == "view":
            found = viewed(state, found, semantics)
        if step.way == "hooked":
            found = dataclasses.replace(found, text=outputs.HOOKS if found.output else None)
        right = advance(state, step, variant, semantics)
        same = (right.output and right.output.requires_grad) == (
            found.output and found.output.requires_grad
        )
        return found if same and right.error == found.error else tagged(found, "records_nothing")

    return forward


def _differentiated(step: Step) -> Optional[Backward]:
    """Return the backward that a step performs first, None for a step that performs none."""
    if isinstance(step, Accumulate):
        return step.backward
    if isinstance(step, Double):
        return Backward(step.upstream, retain=True)
    return step if isinstance(step, Backward) else None


class Called(NamedTuple):
    """A forward that a backward calls again.

    ``saved``: the names and dtypes of the tensors it saved. ``there``: it is called on the module that
    the program has now, not on one that the program has copied.
    """

    step: Forward
    saved: Tuple[Tuple[str, str], ...]
    there: bool = True


def _forward(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward and remember it, and the two before it, to be called again."""
    assert isinstance(step, Forward)
    found = advance(state, step, variant, semantics)

    def outside(found: Expected) -> Expected:
        return _remembered(state, step, found)

    if found.error is not None:
        return dataclasses.replace(found, inside=Inside(state, found, outside))
    return outside(found)


def _remembered(state: State, step: Forward, found: Expected) -> Expected:
    """Return the result of a forward, after which the path remembers it.

    A checkpoint does not keep the versions of the tensors, so no change in place is noticed.
    """
    if found.output is None:
        return found
    graph, *others = found.state.graphs
    way = "forward" if step.way == "hooked" else step.way
    called = Called(dataclasses.replace(step, way=way), _saved(graph))
    earlier = state.path_memory[:2] if isinstance(state.path_memory, tuple) else ()
    graphs, memory = (_unwatched(graph), *others), (called, *earlier)
    return dataclasses.replace(found, state=found.state.changed(graphs=graphs, path_memory=memory))


def _saved(graph: Graph) -> Tuple[Tuple[str, str], ...]:
    """Return the names and dtypes of the tensors that a forward has saved.

    An empty batch is multiplied by a weight, and is saved for the weight's gradient.
    """
    names = tuple((each.name, each.dtype) for each in graph.saved)
    if graph.output.batch.values.size or "weight" not in graph.trainable:
        return names
    return (*names, ("input", graph.output.dtype))


def _unwatched(graph: Graph) -> Graph:
    """Return the graph whose saved tensors no later change of the module reaches."""
    return graph._replace(saved=tuple(each._replace(identity=object()) for each in graph.saved))


def _again(
    state: State,
    called: Called,
    outside: Callable[[Expected], Expected],
    variant: Variant,
    semantics: Semantics,
) -> Expected:
    """Call the module once more; ``outside``: from what that shows to what the step shows."""
    before = state.changed(graphs=())
    again = advance(before, called.step, variant, semantics)
    return dataclasses.replace(outside(again), inside=Inside(before, again, outside, called.step))


def _with(
    state: State, place: int, graph: Graph, step: Step, variant: Variant, semantics: Semantics
) -> Expected:
    """Perform a step that differentiates, with this graph in the place of the one that is there."""
    graphs = list(state.graphs)
    graphs[place] = graph
    now = state.changed(graphs=tuple(graphs))
    seen = advance(now, step, variant, semantics)
    return dataclasses.replace(seen, inside=Inside(now, seen, lambda found: found))


def _recomputing(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a step; one that differentiates calls the module once more, as it is now.

    The module counts and updates again. Every tensor that the backward reads is the new one; of the
    first forward it knows the mode, and in eval mode eps.
    """
    backward = _differentiated(step)
    place = backward.earlier if backward is not None else 0
    first = advance(state, step, variant, semantics)
    if isinstance(step, RequireGrad):  # what is saved anew leads to the leaves of the first forward
        return thawed_apart(first)
    if backward is None or not isinstance(state.path_memory, tuple) or place >= len(state.path_memory):
        return first
    graph, called = state.graphs[place], state.path_memory[place]
    unneeded = first.error is not None or not holds_tensors(graph, Rules(semantics))
    unneeded = unneeded or (backward.of == "bias" and not graph.output.batch.values.size)
    if graph.freed or unneeded:
        return first
    wanted = graph.wanted & {*ASKED[backward.of]}
    if not wanted and not isinstance(step, Accumulate):  # autograd.grad runs nothing
        return first
    if not called.there:
        return tagged(first, "recomputes_elsewhere")

    def outside(again: Expected) -> Expected:
        moved = again.state.changed(graphs=state.graphs)
        if again.error is not None:
            return tagged(dataclasses.replace(again, state=moved), "recomputes")
        second = again.state.graphs[0]
        problem = _metadata(graph, called.saved, second)
        if problem is not None:
            return failing(moved, "CheckpointError", problem, "recomputes")
        assert again.output is not None
        output = _read_anew(graph.output, again.output)
        read = graph._replace(output=output, saved=_unwatched(second).saved)
        if isinstance(step, Double):  # what is saved anew has the place from before a conversion
            read = read._replace(strangers=graph.strangers | graph.renewed)
        seen = _with(moved, place, read, step, variant, semantics)
        same = again.state.entries() == state.entries() and not graph.modified
        return seen if same else tagged(seen, "recomputes")

    return _again(state, called, outside, variant, semantics)


def _read_anew(first: ExpectedOutput, second: ExpectedOutput) -> ExpectedOutput:
    """Return the first output as the backward sees it, with the tensors of the second forward."""
    if first.batch_statistics:
        return dataclasses.replace(first, weight=second.weight, bias=second.bias, eps=second.eps)
    mean, variance = second.mean, second.variance
    return dataclasses.replace(
        first, weight=second.weight, bias=second.bias, mean=mean, variance=variance
    )


def _metadata(before: Graph, saved: Tuple[Tuple[str, str], ...], now: Graph) -> Optional[str]:
    """Return the message about tensors that the second forward saves otherwise; None if none are."""
    if len(saved) > len(_saved(now)):
        return "A different number of tensors was saved"
    if before.output.batch_statistics != now.output.batch_statistics:
        return "have different metadata"
    again = _saved(now) if now.output.batch.values.size else _saved(now)[: len(saved)]
    return None if saved == again else "have different metadata"


def _copied(others: Advance) -> Advance:
    """Return the function for steps other than forwards; a copy marks earlier forwards as not its own."""

    def perform(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = others(state, step, variant, semantics)
        if not isinstance(step, Copy) or not isinstance(state.path_memory, tuple):
            return found
        memory = tuple(each._replace(there=False) for each in state.path_memory)
        return dataclasses.replace(found, state=found.state.changed(path_memory=memory))

    return perform


def _detached(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward that is recorded only if the input requires a gradient, and then as a whole."""
    assert isinstance(step, Forward)
    right = _forward(state, step, variant, semantics)
    if step.way in UNRECORDED:
        return right
    found = _forward(state, dataclasses.replace(step, way="no_grad"), variant, semantics)
    if step.way in REQUIRING and right.error == found.error:
        return _keeping_input(right) if step.way == "input_overwritten" else right
    if step.way in REQUIRING and found.output is not None:  # a statistic would be refused a gradient
        return tagged(_to_be_recomputed(found, step), "input_requires_no_gradient")
    if right.output is None or found.output is None:
        return found if right.error == found.error else tagged(found, "input_requires_no_gradient")
    found = dataclasses.replace(found, text=right.text)
    same = not right.output.requires_grad
    return found if same else tagged(found, "input_requires_no_gradient")


def _keeping_input(found: Expected) -> Expected:
    """Return a forward that has saved the input itself, also an empty one, which was overwritten."""
    if found.output is None:
        return found
    return dataclasses.replace(found, state=found.state.with_last_graph(modified=True))


def _to_be_recomputed(found: Expected, step: Forward) -> Expected:
    """Return a forward that recorded nothing, whose output is differentiated by performing ``step``."""
    assert found.output is not None
    assert isinstance(found.state.path_memory, tuple)
    called, *earlier = found.state.path_memory
    output = dataclasses.replace(found.output, requires_grad=True)
    state = found.state.with_last_graph(output=output, trainable=("input",))
    state = state.changed(path_memory=(called._replace(step=step), *earlier))
    return dataclasses.replace(found, output=output, state=state)


def _reentrant(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a step; ``output.backward`` differentiates a second forward, ``grad`` is refused."""
    backward = _differentiated(step)
    place = backward.earlier if backward is not None else 0
    found = advance(state, step, variant, semantics)
    if backward is None or place >= len(state.graphs) or not isinstance(state.path_memory, tuple):
        return found
    graph = state.graphs[place]
    if not graph.trainable:
        return found
    asked = {*ASKED[step.of]} if isinstance(step, Backward) else {"input"}
    if "input" not in asked:  # the parameters are no part of the outer graph
        nothing = Expected(state, gradients=(None, None, None))
        return tagged(nothing, "backward_alone") if asked & graph.wanted else found
    if not isinstance(step, Accumulate):
        return failing(state, "RuntimeError", r"incompatible with \.grad\(\)", "backward_alone")
    called = state.path_memory[place]
    if graph.modified or graph.freed:  # it refuses before it calls the module
        refusal = refusals.graph_used_up() if graph.freed else refusals.modified_in_place()
        same = found.error == refusal.error and found.state is state
        return found if same else failing(state, *refusal.error, "reentrant_input")
    if not called.there:
        return tagged(found, "reentrant_backward")

    def outside(again: Expected) -> Expected:
        moved = again.state.changed(graphs=state.graphs)
        if again.error is not None:
            return tagged(dataclasses.replace(again, state=moved), "recomputes")
        second = again.state.graphs[0]._replace(grad=graph.grad)
        seen = _with(moved, place, second, step, variant, semantics)
        let_go = not step.retain and seen.error is None
        return tagged(used_up(seen, place) if let_go else seen, "recomputes")

    return _again(state, called, outside, variant, semantics)


STEPPING: Dict[str, Advance] = {
    "no_grad": by_forward(_unrecorded("no_grad")),
    "inference_mode": by_forward(_unrecorded("inference")),
    "checkpoint": by_forward(_forward, _copied(_recomputing), renews=False),
    "checkpoint_reentrant": by_forward(_detached, _copied(_reentrant), renews=False),
}
"""Maps the name of a path to the function for a step on it; a path that is missing differs nowhere."""
