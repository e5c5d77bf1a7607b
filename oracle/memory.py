"""The steps that make two names share a tensor, or write to tensors without autograd seeing it."""

from __future__ import annotations

import dataclasses
from typing import Dict, Type

from cases.attributes import FLOATING
from cases.inputs import attached
from cases.steps import Alias, Overwrite, Step
from cases.variants import Variant
from oracle import refusals
from oracle.numerics.budgeted import known
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
        raise refusals.not_a_parameter(step.name)
    return Expected(state.changed(parameters=parameters, unsaved=unsaved, **{step.name: tensor}))


def _overwrite(state: State, step: Overwrite, variant: Variant, rules: Rules) -> Expected:
    """Write known numbers into every floating-point tensor that is there, one after the other.

    The backward of an earlier forward reads the present values of the weight, but normalises with the
    statistics of its own forward.
    """
    for name in FLOATING:
        tensor = state.entry(name)
        if isinstance(tensor, Tensor):
            if tensor.overlaps:
                return Expected(state, error=OVERLAPPING)
            new = tensor.updated(known(attached(name, state.config.num_features)))
            state = state.written(new)
            state = state.changed(graphs=tuple([_reading(graph, new) for graph in state.graphs]))
    return Expected(state)


def _reading(graph: Graph, tensor: Tensor) -> Graph:
    """Return the graph of an earlier forward, whose weight the tensor may have been."""
    read = any(each.name == "weight" and each.identity is tensor.identity for each in graph.saved)
    if not read:
        return graph
    return graph._replace(output=dataclasses.replace(graph.output, weight=tensor.numbers))


MEMORY_STEPS: Dict[Type[Step], Meaning] = {Alias: _alias, Overwrite: _overwrite}
"""Maps the type of a step to its meaning."""
