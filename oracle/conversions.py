"""Steps that change the dtype of a live module, or whether its parameters require a gradient."""

from __future__ import annotations

from typing import Any, Dict, Type

import numpy as np

from cases.attributes import FLOATING, PARAMETERS
from cases.inputs.storage import stored
from cases.steps import CONVERSIONS, Convert, RequireGrad, Step
from cases.variants import Variant
from oracle.numerics import bounds
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.formats import FORMATS
from oracle.refusals import INTEGER_WITH_GRADIENT, NO_BFLOAT16, Refusal
from oracle.semantics import Rules
from oracle.state import Counter, Expected, Grad, Graph, Meaning, State, Tensor


def _convert(state: State, step: Convert, variant: Variant, rules: Rules) -> Expected:
    """Every floating-point tensor is rounded to the dtype; a Parameter stays the object that it is.

    In the dtype that the module has already, so does a buffer. The counter is an integer and stays as it
    is.
    """
    if step.how == "bfloat16" and rules.holds("no_bfloat16_method"):
        raise Refusal(*NO_BFLOAT16)
    dtype = CONVERSIONS[step.how]
    changes: Dict[str, Any] = {"dtype": dtype, "graphs": ()}
    for name in FLOATING if dtype != state.dtype else ():
        tensor = state.entry(name)
        if isinstance(tensor, Tensor):
            identity = tensor.identity if name in state.parameters else object()
            form = "" if tensor.form == "expanded" else tensor.form
            numbers, grad = converted(tensor.numbers, dtype), tensor.grad
            if grad is not None:
                grad = Grad((), dtype, grad.shape, grad.strides, converted=grad)
            changes[name] = tensor._replace(numbers=numbers, identity=identity, form=form, grad=grad)
    return Expected(state.changed(**changes))


def converted(numbers: Budgeted, dtype: str) -> Budgeted:
    """The numbers after they are rounded to a dtype: exactly known ones are so afterwards."""
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
    """Parameters alone, in their order; an integer cannot require a gradient."""
    for name in state.parameters:
        entry = state.entry(name)
        if isinstance(entry, Counter) and step.value:
            return Expected(state, error=INTEGER_WITH_GRADIENT)
        if isinstance(entry, Tensor):
            graphs = tuple([_switched(graph, entry, step.value) for graph in state.graphs])
            state = state.written(entry._replace(requires_grad=step.value)).changed(graphs=graphs)
    return Expected(state)


def _switched(graph: Graph, tensor: Tensor, value: bool) -> Graph:
    """The graph of an earlier forward, whose weight or bias the tensor may have been."""
    names = {name for name, leaf in zip(PARAMETERS, graph.leaves) if leaf is tensor.identity}
    return graph._replace(frozen=graph.frozen - names if value else graph.frozen | names)


CONVERSION_STEPS: Dict[Type[Step], Meaning] = {Convert: _convert, RequireGrad: _require_grad}
"""Type of a step to its meaning."""
