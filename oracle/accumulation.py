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
from typing import FrozenSet, Optional

import numpy as np

from cases.attributes import PARAMETERS
from cases.derivatives import Accumulate, ZeroGrad
from cases.inputs import Batch
from cases.variants import Variant
from oracle import refusals
from oracle.backward import backward, gradient_values
from oracle.expected_derivatives import ExpectedGradient, Grad
from oracle.numerics import bounds, propagation
from oracle.numerics.formats import FORMATS
from oracle.numerics.normalisation import OutputValues, all_zero
from oracle.refusals import Refusal
from oracle.semantics import Rules
from oracle.state import Expected, ExpectedError, State, Tensor


def accumulate(state: State, step: Accumulate, variant: Variant, rules: Rules) -> Expected:
    """Differentiate the output of the last forward, and add to the ``.grad`` of its leaves."""
    last = state.graphs[0] if state.graphs else None
    try:
        # backward() adds also to leaves that autograd.grad does not return: both marks are lifted first.
        whole = _with_marks(state, frozenset(), frozenset())
        differentiated = backward(whole, step.backward, variant, rules)
    except Refusal as refusal:
        if last is None or last.output.batch.values.size or not (last.freed or last.modified):
            raise
        return _bias_alone(state, step, variant, rules, refusal.error)
    if last is not None:
        after = _with_marks(differentiated.state, last.frozen, last.renewed)
        differentiated = dataclasses.replace(differentiated, state=after)
    layout = _layout(state.graphs[0].output.batch, rules)
    return Expected(_added(differentiated, layout))


def _bias_alone(
    state: State, step: Accumulate, variant: Variant, rules: Rules, error: ExpectedError
) -> Expected:
    """Differentiate the output of an empty batch whose graph is used up, or whose weight was modified.

    An empty output is input * weight + bias. Backward reaches the bias first, so the bias gets its
    gradient; then the product raises, because its operands are gone or were modified.
    """
    last = state.graphs[0]
    only = frozenset(last.trainable) - {"bias"}
    if "bias" not in last.trainable or "bias" in last.frozen:
        return Expected(state, error=error)
    whole = state.with_last_graph(freed=False, modified=False, frozen=only)
    added = accumulate(whole, step, variant, rules).state
    return Expected(added.changed(graphs=state.graphs), error=error)


def _with_marks(state: State, frozen: FrozenSet[str], renewed: FrozenSet[str]) -> State:
    """Return the state in which the last graph, if there is one, has these marks of its leaves."""
    if not state.graphs:
        return state
    return state.with_last_graph(frozen=frozen, renewed=renewed)


def accumulated(right: Expected, differentiated: Expected) -> Expected:
    """Return the result of an accumulating step if its backward returns ``differentiated``.

    ``right``: what the step shows where its backward has no defect.
    """
    if differentiated.gradients is None:
        return differentiated
    grad = right.state.graphs[0].grad
    layout = "contiguous" if grad is None else grad.strides
    after, last = _added(differentiated, layout), right.state.graphs[0]
    return dataclasses.replace(right, state=_with_marks(after, last.frozen, last.renewed))


def found_again(state: State) -> State:
    """Return the state in which ``autograd.grad`` returns all that ``output.backward`` adds."""
    return _with_marks(state, state.graphs[0].frozen if state.graphs else frozenset(), frozenset())


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
    for gradient in differentiated.gradients or ():
        if gradient is None or gradient.name in last.frozen:
            continue
        if gradient.added and gradient.name == "bias":
            continue  # the tensor has got its gradient as the weight
        if gradient.name == "input":
            last = last._replace(grad=_sum(last.grad, gradient, layout))
            continue
        tensor = state.entry(gradient.name)
        leaf = last.leaves[PARAMETERS.index(gradient.name)]
        if isinstance(tensor, Tensor) and tensor.identity is leaf:
            new = tensor._replace(grad=_sum(tensor.grad, gradient, "contiguous"))
            state = state.written(new)
    return state.changed(graphs=(last, *earlier))


def _sum(grad: Optional[Grad], gradient: ExpectedGradient, layout: str) -> Grad:
    if grad is None:
        return Grad((gradient,), gradient.dtype, gradient.shape, layout)
    return dataclasses.replace(grad, parts=(*grad.parts, gradient))


def zero_grad(state: State, step: ZeroGrad, variant: Variant, rules: Rules) -> Expected:
    """Clear the ``.grad`` of every parameter: it becomes None or zeros. Inputs keep theirs."""
    if step.to_zeros and rules.holds("no_set_to_none_keyword"):
        raise refusals.unknown_keyword("set_to_none")
    for name in PARAMETERS:
        tensor = state.entry(name)
        if isinstance(tensor, Tensor) and tensor.grad is not None:
            kept = step.to_zeros or rules.holds("zero_grad_keeps_zeros")
            zeros = dataclasses.replace(tensor.grad, parts=(), converted=None) if kept else None
            state = state.written(tensor._replace(grad=zeros))
    return Expected(state)


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
        return all_zero(grad.shape)
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
    budget = total.budget + bounds.stored(total.values, FORMATS[dtype], total.budget)
    return total._replace(budget=np.where(np.isfinite(total.values), budget, np.nan))
