"""The steps that make two names share a tensor, or write to tensors without autograd seeing it."""

from __future__ import annotations

import dataclasses
from typing import Callable, Dict, Type

import numpy as np

from cases.attributes import FLOATING
from cases.inputs import attached
from cases.steps import Alias, Overwrite, Step
from cases.variants import Variant
from oracle import refusals
from oracle.numerics.budgeted import Budgeted, known
from oracle.refusals import OVERLAPPING
from oracle.semantics import Rules
from oracle.state import Expected, Graph, Meaning, State, Tensor


def _alias(state: State, step: Alias, variant: Variant, rules: Rules) -> Expected:
    """Give one tensor a second name: a write under one name is read under the other."""
    tensor = state.entry(step.source)
    if not isinstance(tensor, Tensor):
        return Expected(state.changed(**{step.name: None}))
    parameters, unsaved = state.parameters, state.unsaved
    if step.source in parameters:
        parameters += () if step.name in parameters else (step.name,)
        unsaved = unsaved - {step.name}
    elif step.name in parameters:
        raise refusals.not_assigned(step.name, "parameter")
    return Expected(state.changed(parameters=parameters, unsaved=unsaved, **{step.name: tensor}))


def filled(
    state: State,
    values: Callable[[str, int], np.ndarray],
    write: Callable[[State, Tensor, Budgeted], State],
) -> Expected:
    """Write known numbers into every floating-point tensor that is there, one after the other.

    ``values``: maps a tensor's name and the number of channels to the numbers. ``write``: returns the
    state after numbers were written into a tensor.
    """
    for name in FLOATING:
        tensor = state.entry(name)
        if isinstance(tensor, Tensor):
            if tensor.overlaps:
                return Expected(state, error=OVERLAPPING)
            state = write(state, tensor, known(values(name, state.config.num_features)))
    return Expected(state)


def _overwrite(state: State, step: Overwrite, variant: Variant, rules: Rules) -> Expected:
    return filled(state, attached, _written_unseen)


def _written_unseen(state: State, tensor: Tensor, numbers: Budgeted) -> State:
    """Return the state after a write that autograd does not see.

    The backward of an earlier forward reads the present values of the weight, but normalises with the
    statistics of its own forward.
    """
    new = tensor.updated(numbers)
    state = state.written(new)
    return state.changed(graphs=tuple([_reading(graph, new) for graph in state.graphs]))


def _reading(graph: Graph, tensor: Tensor) -> Graph:
    """Return the graph of an earlier forward, whose weight the tensor may have been."""
    saved = [each for each in graph.saved if each.name == "weight" and not each.stale]
    if not any(each.identity is tensor.identity for each in saved):
        return graph
    return graph._replace(output=dataclasses.replace(graph.output, weight=tensor.numbers))


MEMORY_STEPS: Dict[Type[Step], Meaning] = {Alias: _alias, Overwrite: _overwrite}
"""Maps the type of a step to its meaning."""
