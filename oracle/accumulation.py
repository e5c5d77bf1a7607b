"""The contents of ``.grad``: the gradients that ``output.backward(g)`` has added up since it was cleared.

Only leaves that require a gradient get one: the input, weight and bias of a forward. Buffers never do: a
forward refuses a running statistic that requires a gradient, unless it does not read it. ``.grad``
belongs to the tensor object. A step that changes numbers in place keeps it; copies of a module, and
tensors that are attached, have none.

Sources: Ioffe & Szegedy 2015 for the gradients (``oracle.backward``); torch's notes on autograd ("Default
gradient layouts") for the strides; observation for copies and for ``zero_grad``.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Any, Dict, FrozenSet, Optional

import numpy as np

from cases.attributes import PARAMETERS
from cases.inputs import Batch
from cases.steps import Accumulate, ZeroGrad
from cases.variants import Variant
from oracle.backward import backward, gradient_values
from oracle.numerics import bounds, propagation
from oracle.numerics.formats import FORMATS
from oracle.numerics.normalisation import OutputValues, nothing
from oracle.semantics import Rules
from oracle.state import Expected, ExpectedGradient, Grad, State, Tensor


def accumulate(state: State, step: Accumulate, variant: Variant, rules: Rules) -> Expected:
    """Differentiate the output of the last forward, and add to the ``.grad`` of its leaves."""
    frozen = state.graphs[0].frozen if state.graphs else frozenset()
    differentiated = backward(_frozen(state, frozenset()), step.backward, variant, rules)
    differentiated = dataclasses.replace(differentiated, state=_frozen(differentiated.state, frozen))
    layout = _layout(state.graphs[0].output.batch, rules)
    return Expected(_added(differentiated, layout))


def _frozen(state: State, names: FrozenSet[str]) -> State:
    """Return the state in which these leaves of the last forward are frozen."""
    if not state.graphs:
        return state
    last, *earlier = state.graphs
    return state.changed(graphs=(last._replace(frozen=names), *earlier))


def accumulated(right: Expected, differentiated: Expected) -> Expected:
    """Return the expectation of an accumulating step whose backward is ``differentiated`` instead."""
    if differentiated.gradients is None:
        return differentiated
    grad = right.state.graphs[0].grad
    layout = "contiguous" if grad is None else grad.strides
    return dataclasses.replace(right, state=_added(differentiated, layout))


def _layout(given: Batch, rules: Rules) -> str:
    """Return the strides of the input's ``.grad``; both words mean the same for a contiguous input."""
    if given.layout in ("contiguous", "shifted"):
        return "contiguous"
    return "contiguous" if rules.holds("grad_laid_out_as_computed") else "as_leaf"


def _added(differentiated: Expected, layout: str) -> State:
    """Add the gradients of a backward to the ``.grad`` of its leaves.

    ``layout``: the strides of the input's ``.grad``. A weight or bias that the module has since replaced
    gets a ``.grad``, too, but no step shows it.
    """
    state = differentiated.state
    last, *earlier = state.graphs
    changes: Dict[str, Any] = {}
    for gradient in differentiated.gradients or ():
        if gradient is None or gradient.name in last.frozen:
            continue
        if gradient.name == "input":
            last = last._replace(grad=_sum(last.grad, gradient, layout))
            continue
        tensor = state.entry(gradient.name)
        leaf = last.leaves[PARAMETERS.index(gradient.name)]
        if isinstance(tensor, Tensor) and tensor.identity is leaf:
            changes[gradient.name] = tensor._replace(grad=_sum(tensor.grad, gradient, "contiguous"))
    return state.changed(graphs=(last, *earlier), **changes)


def _sum(grad: Optional[Grad], gradient: ExpectedGradient, layout: str) -> Grad:
    if grad is None:
        return Grad((gradient,), gradient.dtype, gradient.shape, layout)
    return dataclasses.replace(grad, parts=(*grad.parts, gradient))


def zero_grad(state: State, step: ZeroGrad, variant: Variant, rules: Rules) -> Expected:
    """Clear the ``.grad`` of every parameter: it becomes None or zeros. Inputs keep theirs."""
    changes: Dict[str, Any] = {}
    for name in PARAMETERS:
        tensor = state.entry(name)
        if isinstance(tensor, Tensor) and tensor.grad is not None:
            kept = rules.holds("zero_grad_keeps_zeros")
            zeros = dataclasses.replace(tensor.grad, parts=()) if kept else None
            changes[name] = tensor._replace(grad=zeros)
    return Expected(state.changed(**changes))


@lru_cache(maxsize=64)
def grad_values(grad: Grad) -> OutputValues:
    """Compute the numbers in ``.grad``, with the budget of every element; the shapes of a gradient.

    The first gradient is stored unchanged, or added to zeros, which rounds nothing. Only the ``.grad`` of
    a parameter can be zeros without any gradient.
    """
    if grad.converted is not None:
        total, more = _rounded(grad_values(grad.converted), grad.dtype), grad.parts
    elif grad.parts:
        total, more = gradient_values(grad.parts[0]), grad.parts[1:]
    else:
        return nothing(grad.shape)
    for part in more:
        total = _plus(total, gradient_values(part), grad.dtype)
    return total


def _plus(total: OutputValues, more: OutputValues, dtype: str) -> OutputValues:
    """Return the sum as ``dtype`` stores it."""
    with np.errstate(invalid="ignore", over="ignore"):
        values = total.values + more.values
        budget = propagation.accumulated(values, total.budget + more.budget, FORMATS[dtype])
    budget = np.where(np.isfinite(values), budget, np.nan)
    return OutputValues(values, budget, total.undetermined | more.undetermined)


def _rounded(total: OutputValues, dtype: str) -> OutputValues:
    """Return the numbers after they are stored in another dtype."""
    budget = total.budget + bounds.stored(total.values, FORMATS[dtype])
    return total._replace(budget=np.where(np.isfinite(total.values), budget, np.nan))
