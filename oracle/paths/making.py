"""The memory of paths that make a program of the module once, at its first forward."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, NamedTuple, Optional, Tuple

from cases.attributes import PARAMETERS, TENSORS
from cases.inputs.layouts import ORDERS
from cases.steps import Step
from cases.variants import Variant
from oracle.meanings import advance
from oracle.semantics import Semantics
from oracle.state import Entry, Expected, Graph, Inside, State, Tensor


class Made(NamedTuple):
    """A program of a module.

    ``inner``: the module as the program has it. ``shape``, ``strides``: those of the input; no strides
    where it is dense. ``parameters``: the program holds the module's Parameters themselves, so that it
    sees whether they require a gradient now; else that was fixed when it was made.
    """

    inner: State
    shape: Tuple[int, ...] = ()
    parameters: bool = False
    strides: Tuple[int, ...] = ()


def inner_of(state: State) -> Optional[State]:
    """Return the module as its program has it, None before there is a program.

    Where module and program hold the same tensor, both see its present numbers.
    """
    made = state.path_memory
    if not isinstance(made, Made):
        return None
    return made.inner.changed(**_shared(made.inner, state, made.parameters))


def _shared(one: State, other: State, parameters: bool) -> Dict[str, Entry]:
    """Return the entries of ``one`` that ``other`` holds, too, as they are in ``other``.

    Whether such an entry requires a gradient is taken from ``one``, or, with ``parameters``, from
    ``other``: a constant of a graph requires none, a Parameter of the module may.
    """
    there = {each.identity: each for each in other.entries() if each is not None}
    shared: Dict[str, Entry] = {}
    for name in TENSORS:
        each = one.entry(name)
        if each is not None and each.identity in there:
            now = there[each.identity]
            if isinstance(now, Tensor) and isinstance(each, Tensor) and not parameters:
                now = now._replace(requires_grad=each.requires_grad)
            shared[name] = now
    return shared


def through(state: State, inner: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward on ``inner``; the module sees what happens to the tensors that both hold."""
    made = state.path_memory
    assert isinstance(made, Made)
    before = inner.changed(graphs=state.graphs)

    def outside(found: Expected) -> Expected:
        after = found.state
        seen = state.changed(**_shared(state, after, parameters=False))
        memory = made._replace(inner=after.changed(graphs=()))
        graphs = _without_strangers(state, inner, after)
        return dataclasses.replace(found, state=seen.changed(graphs=graphs, path_memory=memory))

    found = advance(before, step, variant, semantics)
    return dataclasses.replace(outside(found), inside=Inside(before, found, outside))


def _without_strangers(state: State, inner: State, after: State) -> Tuple[Graph, ...]:
    """Return the graphs, the last without gradients of parameters that are not the module's any more."""
    if not after.graphs:
        return ()
    graph, *earlier = after.graphs
    for name in {*PARAMETERS} & {*graph.trainable}:
        one, other = inner.entry(name), state.entry(name)
        if getattr(one, "identity", None) is getattr(other, "identity", None):
            continue
        if getattr(other, "requires_grad", False):
            graph = graph._replace(strangers=graph.strangers | {name})
        else:
            graph = graph._replace(frozen=graph.frozen | {name})
    return (graph, *earlier)


def made_of(expected: Expected, parameters: bool = False, **constants: Any) -> Expected:
    """Return the result of the first forward, after which the path remembers the module.

    ``parameters``: the program holds the module's Parameters. ``constants``: the flags whose values are
    fixed in another form.
    """
    assert expected.output is not None
    inner = expected.state.changed(graphs=(), **constants)
    given = expected.output.batch
    strides = () if given.layout in ORDERS else given.strides
    memory = Made(inner, tuple(expected.output.shape), parameters, strides)
    return dataclasses.replace(expected, state=expected.state.changed(path_memory=memory))
