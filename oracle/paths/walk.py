"""The parts that functions for steps on paths are made of."""

from __future__ import annotations

import dataclasses
import re
from typing import Callable, Optional

from cases.attributes import PARAMETERS
from cases.derivatives import ASKED, Accumulate, Backward, Double
from cases.steps import Copy, Forward, Forwards, Step, forwards
from cases.variants import Variant
from oracle import outputs
from oracle.batch_norm import hands_over_buffers
from oracle.meanings import advance
from oracle.semantics import Rules, Semantics
from oracle.state import Expected, ExpectedError, Graph, Inside, State

Advance = Callable[[State, Step, Variant, Semantics], Expected]
"""A function from a module, a step, and what runs it to what the step must show."""


def by_forward(one: Advance, others: Advance = advance, renews: bool = True) -> Advance:
    """Return a function that performs each forward by ``one`` and every other step by ``others``.

    ``renews``: a copy is another module, of which the path has made nothing yet.
    """

    def perform(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        if isinstance(step, Forward):
            return one(state, step, variant, semantics)
        if isinstance(step, Forwards):
            expected = Expected(state)
            for each in forwards(step):
                expected = one(expected.state, each, variant, semantics)
                if expected.error is not None:
                    break
            return expected
        expected = others(state, step, variant, semantics)
        if renews and isinstance(step, Copy) and expected.copied and state.path_memory is not None:
            return dataclasses.replace(expected, state=expected.state.changed(path_memory=None))
        return expected

    return perform


def tagged(expected: Expected, *clauses: str) -> Expected:
    """Return the expectation with the names of clauses that say why."""
    return dataclasses.replace(expected, clauses=(*expected.clauses, *clauses))


def without_hooks(step: Forward, expected: Expected, clause: str) -> Expected:
    """Return the result of a forward that calls no hook of the module, with the clause that says so."""
    if step.way != "hooked" or expected.output is None:
        return expected
    return tagged(dataclasses.replace(expected, text=""), clause)


def viewed(state: State, found: Expected, semantics: Semantics) -> Expected:
    """Return the result of a forward of the module in this state if it is handed a view of its input.

    A view may have another stride along a dimension of size 1, from which the memory format follows.
    """
    output = found.output
    if output is None:
        return found
    given, rules = dataclasses.replace(output.batch, view=True), Rules(semantics)
    gaps = state.gaps(hands_over_buffers(state, rules))
    memory_format = outputs.memory_format(given, gaps, output.batch_statistics, rules)
    output = dataclasses.replace(output, batch=given, memory_format=memory_format)
    return dataclasses.replace(found, output=output, state=found.state.with_last_graph(output=output))


def leaving_behind(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a conversion, after forwards that read a weight in other memory than the Parameter's.

    The conversion gives the Parameter new memory, and leaves that tensor as it was.
    """
    inside = semantics.holding | {"conversion_leaves_saved_weight"}
    return advance(state, step, variant, dataclasses.replace(semantics, holding=inside))


def differentiated_graph(state: State, step: Step) -> Optional[Graph]:
    """Return the graph that a step differentiates; None if it differentiates none."""
    if not isinstance(step, (Backward, Accumulate, Double)) or not state.graphs:
        return None
    return state.graphs[min(getattr(step, "earlier", 0), len(state.graphs) - 1)]


def apart(state: State, step: Step) -> Optional[Expected]:
    """Return the result of a backward that asks for parameters alone, which are no part of its graph.

    That is None for each. Return None for another step, or where no parameter requires a gradient.
    """
    graph = differentiated_graph(state, step)
    if graph is None or not isinstance(step, Backward) or not graph.output.requires_grad:
        return None
    asked = {*ASKED[step.of]}
    trained = any(getattr(state.entry(name), "requires_grad", False) for name in asked & {*PARAMETERS})
    if not trained or asked & {"input", *graph.trainable}:
        return None
    return Expected(state, gradients=(None, None, None))


def used_up(found: Expected, place: int) -> Expected:
    """Return the expectation with the graph in this place used up."""
    graphs = list(found.state.graphs)
    graphs[place] = graphs[place]._replace(freed=True)
    return dataclasses.replace(found, state=found.state.changed(graphs=tuple(graphs)))


def thawed_apart(found: Expected) -> Expected:
    """Return what is expected, where no graph leads to a leaf that was made trainable later."""
    graphs = [each._replace(strangers=each.strangers | each.thawed) for each in found.state.graphs]
    return dataclasses.replace(found, state=found.state.changed(graphs=tuple(graphs)))


def left_behind(state: State, step: Step) -> bool:
    """Whether a step differentiates a graph that was recorded before the weight was converted."""
    graph, weight = differentiated_graph(state, step), state.weight
    if graph is None or weight is None or weight.identity is not graph.leaves[0]:
        return False
    return any(each.name == "weight" and each.stale for each in graph.saved)


def allowing(expected: Expected, clause: str, wider: Expected) -> Expected:
    """Return the expectation with a clause that allows the result ``wider`` instead."""
    allowances = (*expected.allowances, (clause, wider))
    return dataclasses.replace(tagged(expected, clause), allowances=allowances)


def also_inside(before: State, found: Expected, change: Callable[[Expected], Expected]) -> Expected:
    """Return the result of a step with a change that the path makes, also to a wrong kernel's result.

    ``before``: the module before the step.
    """
    within = found.inside or Inside(before, found, lambda each: each)
    changed = change(found)
    if changed is found:
        return found
    inside = within._replace(outside=lambda each: change(within.outside(each)))
    return dataclasses.replace(changed, inside=inside)


def failing(state: State, kind: str, pattern: str, *clauses: str) -> Expected:
    """Return the result of a step that raises and leaves this state."""
    return Expected(state, error=ExpectedError(kind, pattern), clauses=clauses)


def raised_as(error: ExpectedError, kind: str) -> ExpectedError:
    """Return an error of the class ``kind`` whose message contains that of ``error``."""
    inner = re.sub(r"(?<!\\)\$$", "", error.pattern)
    return ExpectedError(kind, inner[1:] if inner.startswith("^") else inner)


def remembering(expected: Expected, memory: Optional[object]) -> Expected:
    """Return the expectation with another memory of the path."""
    return dataclasses.replace(expected, state=expected.state.changed(path_memory=memory))
