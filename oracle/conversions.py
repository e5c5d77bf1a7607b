"""The steps that change the dtype of a live module, or whether its parameters require a gradient."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, Set, Type

import numpy as np

from cases.attributes import FLOATING, PARAMETERS
from cases.inputs.storage import stored
from cases.steps import CONVERSIONS, Convert, RequireGrad, Step
from cases.variants import Variant
from oracle.expected_derivatives import Grad
from oracle.numerics import bounds
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.formats import FORMATS
from oracle.refusals import INTEGER_WITH_GRADIENT, NO_BFLOAT16, Refusal
from oracle.semantics import Rules
from oracle.state import Counter, Expected, Graph, Meaning, State, Tensor


def _convert(state: State, step: Convert, variant: Variant, rules: Rules) -> Expected:
    """Round every floating-point tensor to the dtype; a Parameter stays the same object.

    A buffer stays the same object, too, if the module already has the dtype. The counter is an integer
    and stays as it is. A memory format is for tensors of four dimensions, so it changes nothing.
    """
    if step.how == "bfloat16" and rules.holds("no_bfloat16_method"):
        raise Refusal(*NO_BFLOAT16)
    if not CONVERSIONS[step.how]:
        return Expected(state)
    dtype = CONVERSIONS[step.how]
    changes: Dict[str, Any] = {"dtype": dtype}
    if any((each.dtype or state.dtype) != dtype for each in state.tensors()):
        beside = _left_behind if rules.holds("conversion_leaves_saved_weight") else _converted_beside
        changes["graphs"] = tuple([beside(graph, state, dtype) for graph in state.graphs])
    for name in FLOATING:
        tensor = state.entry(name)
        if not isinstance(tensor, Tensor):
            continue
        grad = tensor.grad
        if grad is not None and grad.dtype != dtype:
            tensor = tensor._replace(grad=Grad((), dtype, grad.shape, grad.strides, converted=grad))
        if (tensor.dtype or state.dtype) != dtype:
            identity = tensor.identity if name in state.parameters else object()
            form = "" if tensor.form == "expanded" else tensor.form
            numbers = converted(tensor.numbers, dtype)
            tensor = tensor._replace(numbers=numbers, identity=identity, form=form)
        changes[name] = tensor._replace(dtype="")
    return Expected(state.changed(**changes))


def _converted_beside(graph: Graph, state: State, dtype: str) -> Graph:
    """Return the graph of an earlier forward after the conversion.

    A Parameter that it saved is converted with the module; a buffer stays behind as it was.
    """
    own = _identities(state, dtype)
    saved, output = [], graph.output
    for each in graph.saved:
        if id(each.identity) in own:
            each = each._replace(dtype=dtype, numbers=converted(each.numbers, dtype))
            if each.name == "weight":
                output = dataclasses.replace(output, weight=each.numbers)
        saved.append(each)
    return _renewed(graph, own, dtype)._replace(saved=tuple(saved), output=output)


def _left_behind(graph: Graph, state: State, dtype: str) -> Graph:
    """Return the graph of an earlier forward, which keeps the Parameters that it saved as they were."""
    own = _identities(state, dtype)
    saved = [
        each._replace(stale=True) if id(each.identity) in own else each
        for each in graph.saved
    ]
    return _renewed(graph, own, dtype)._replace(saved=tuple(saved))


def _identities(state: State, dtype: str) -> Set[int]:
    """Return the identities of the module's Parameters that have another dtype than ``dtype``."""
    entries = [state.entry(name) for name in state.parameters]
    tensors = [each for each in entries if isinstance(each, Tensor)]
    return {id(each.identity) for each in tensors if (each.dtype or state.dtype) != dtype}


def _renewed(graph: Graph, own: Set[int], dtype: str) -> Graph:
    """Return the graph of an earlier forward after the module's weight and bias were converted.

    ``autograd.grad`` does not find their gradients in this graph any more. ``own``: the identities of the
    module's Parameters; a weight or bias that the module has replaced stays as it was.
    """
    names = {name for name, leaf in zip(PARAMETERS, graph.leaves) if id(leaf) in own}
    renewed = graph.renewed | (names & {*graph.trainable})
    weight_dtype = dtype if "weight" in names else graph.weight_dtype
    return graph._replace(renewed=renewed, weight_dtype=weight_dtype)


def converted(numbers: Budgeted, dtype: str) -> Budgeted:
    """Return the numbers rounded to a dtype. Numbers that were exactly known stay exactly known."""
    values = numbers.values
    known = numbers.budget == 0
    fmt = FORMATS[dtype]
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = stored(values, dtype).astype(np.float64)
        budget = np.where(known, 0.0, numbers.budget * (1 + fmt.unit) + bounds.stored(values, fmt))
        values = np.where(known, rounded, values)
        values = np.where(np.abs(values) > fmt.largest, np.copysign(np.inf, values), values)
    return Budgeted(values, np.where(np.isfinite(values), budget, np.nan), numbers.nonnegative)


def _require_grad(state: State, step: RequireGrad, variant: Variant, rules: Rules) -> Expected:
    """Set requires_grad of the parameters only, in their order; raises Refusal for an integer."""
    for name in state.parameters:
        entry = state.entry(name)
        if isinstance(entry, Counter) and step.value:
            return Expected(state, error=INTEGER_WITH_GRADIENT)
        if isinstance(entry, Tensor):
            graphs = tuple([_switched(graph, entry, step.value) for graph in state.graphs])
            state = state.written(entry._replace(requires_grad=step.value)).changed(graphs=graphs)
    return Expected(state)


def _switched(graph: Graph, tensor: Tensor, value: bool) -> Graph:
    """Return the graph of an earlier forward after the switch; the tensor may be its weight or bias."""
    names = {name for name, leaf in zip(PARAMETERS, graph.leaves) if leaf is tensor.identity}
    if value:
        thawed = graph.thawed | (names - {*graph.trainable})
        return graph._replace(frozen=graph.frozen - names, thawed=thawed)
    return graph._replace(frozen=graph.frozen | names, thawed=graph.thawed - names)


CONVERSION_STEPS: Dict[Type[Step], Meaning] = {Convert: _convert, RequireGrad: _require_grad}
"""Maps the type of a step to its meaning."""
