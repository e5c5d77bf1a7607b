"""The steps that call the module and differentiate what it returns: ``Jvp``, ``Vjp`` and ``Nested``.

They count and update as a forward does, and leave the graphs of earlier forwards as they are. The
functions of ``torch.func`` refuse the count in train mode, because it writes to a tensor of the module in
place; nothing has happened by then. A module without a counter passes, and its buffers are updated.

Sources: the documentation of torch.autograd.forward_ad, torch.autograd.functional and torch.func;
observation for what is refused, and for the buffers.
"""

from __future__ import annotations

import dataclasses
from typing import Dict, Type, Union

from cases.attributes import PARAMETERS
from cases.derivatives import Backward, Jvp, Nested, Vjp
from cases.inputs import Batch, batch, upstream
from cases.steps import Forward, Step
from cases.variants import Variant
from oracle import refusals
from oracle.backward import backward
from oracle.batch_norm import forward
from oracle.expected_derivatives import SECOND, TANGENT, ExpectedDerivative
from oracle.graphs import check_bias, check_weight
from oracle.numerics.formats import FORMATS
from oracle.refusals import Refusal
from oracle.semantics import Rules
from oracle.state import Expected, Meaning, State, Tensor

Transform = Union[Jvp, Vjp, Nested]


WITHOUT_DUALS = ("functional_jvp",)
"""The ways to a forward-mode derivative that differentiate twice in reverse mode."""

OF_DUALS = ("jvp", "jvp_parameters", "func_jvp", "func_jvp_jvp", "func_jvp_vjp")
"""The ways that begin by making a dual tensor of the input."""

WITH_PARAMETERS = "jvp_parameters"
"""The way in which the parameters have tangents, too."""

INPUT_UNRECORDED = ("functional_vjp", "func_vjp", "func_jvp_jvp", "func_vjp_jvp", "func_jvp_vjp")
"""The ways that record the input for their own use, so that the module records no input of the caller."""


def call(step: Transform) -> Forward:
    """Return the forward that the step performs."""
    return Forward(step.batch, "forward" if isinstance(step, Jvp) else "input_grad")


def transform(state: State, step: Transform, variant: Variant, rules: Rules) -> Expected:
    """Perform the forward, then differentiate it."""
    check_call(state, step, variant, rules)
    returned = forward(state, call(step), variant, rules)
    return differentiated(state, step, returned, variant, rules)


def check_call(state: State, step: Transform, variant: Variant, rules: Rules) -> None:
    """Raise Refusal where the release lacks the function, or the function refuses the module."""
    _check_way(step.way, rules)
    _check_numbers(step, variant, rules)
    if step.way == WITH_PARAMETERS:
        _check_parameters(state, rules)
    given = batch(variant, step.batch)
    if not isinstance(step, Vjp) and step.way not in WITHOUT_DUALS and not _without_tangent(step, given):
        _check_dual(step, variant)
    counts = state.training and state.track_running_stats and state.num_batches_tracked is not None
    if step.way.startswith("func_") and counts and given.values.ndim == 4:
        raise _captured_tensor_written()


def _without_tangent(step: Transform, given: Batch) -> bool:
    """Whether the parameters have tangents, and the input has none."""
    zero = isinstance(step, Jvp) and step.tangent.partition(".")[0] == "zeros"
    return zero and step.way == WITH_PARAMETERS and bool(given.values.size)


def _check_numbers(step: Transform, variant: Variant, rules: Rules) -> None:
    """Raise Refusal for an input of integers, which can have neither tangent nor gradient."""
    if batch(variant, step.batch).dtype in FORMATS:
        return
    if step.way not in OF_DUALS:
        raise Refusal(*refusals.INTEGER_WITH_GRADIENT)
    if not rules.holds("dual_of_integers"):
        raise Refusal("ValueError", "Expected primal to be floating point")


def _check_dual(step: Union[Jvp, Nested], variant: Variant) -> None:
    """Raise Refusal where input and tangent cannot be one dual tensor.

    The tangent is copied into the strides of the input, unless it has them. Numbers that share a place in
    memory cannot be written to.
    """
    given = batch(variant, step.batch)
    tangent = upstream(variant, given, step.tangent)
    if given.overlaps and tangent.layout != given.layout:
        raise Refusal(*refusals.OVERLAPPING)


def _check_parameters(state: State, rules: Rules) -> None:
    """Raise Refusal where a parameter and its tangent, which is dense, cannot be one dual tensor."""
    for name in PARAMETERS:
        tensor = state.entry(name)
        if not isinstance(tensor, Tensor) or name not in state.parameters:
            continue
        if tensor.form == "row" and not rules.holds("tangent_lost"):
            raise Refusal("RuntimeError", "forward gradient that has a different size")
        if tensor.overlaps:
            raise Refusal(*refusals.OVERLAPPING)


def differentiated(
    before: State, step: Transform, returned: Expected, variant: Variant, rules: Rules
) -> Expected:
    """Return the result of the step, given what its forward returned or raised."""
    state = returned.state.changed(graphs=tuple(graph.beside(returned.state) for graph in before.graphs))
    if returned.output is None:
        return dataclasses.replace(returned, state=state)
    recorded = bool(returned.output.requires_grad) and not step.way.startswith("functional")
    if step.way in INPUT_UNRECORDED:
        recorded = recorded and bool({"weight", "bias"} & {*returned.state.graphs[0].trainable})
    output = dataclasses.replace(returned.output, requires_grad=recorded)
    if isinstance(step, Vjp):
        return _with_gradient(Expected(state, output=output), returned.state, step, variant, rules)
    try:
        if step.way in WITHOUT_DUALS:
            _check_weight(returned.state, variant, rules)
        elif rules.holds("tangent_lost"):
            return Expected(state, output=output)
        elif output.batch.values.size:
            _check_forward_mode(rules)
    except Refusal as refusal:
        return Expected(state, error=refusal.error)
    tangent = upstream(variant, output.batch, step.tangent)
    if isinstance(step, Nested):
        twice = ExpectedDerivative(
            "input", SECOND, returned.output, tangent, tangent, ("input",), output.dtype
        )
        return Expected(state, output=output, derivatives=(twice,))
    names = [] if _without_tangent(step, output.batch) else ["input"]
    if step.way == WITH_PARAMETERS:
        names += [name for name in PARAMETERS if name in state.parameters and state.entry(name)]
    if not names:
        return Expected(state, output=output)
    along = ExpectedDerivative(
        "output", TANGENT, returned.output, tangent, tangent, tuple(names), output.dtype,
        dual=step.way not in WITHOUT_DUALS,
    )
    return Expected(state, output=output, derivatives=(along,))


def _check_weight(returned: State, variant: Variant, rules: Rules) -> None:
    """Raise Refusal for a weight of shape (1, C), which the formula of a second derivative expands."""
    graph = returned.graphs[0]
    output, features = graph.output, returned.config.num_features
    if "weight" not in graph.rows or not output.batch.values.size:
        return
    check_weight(graph, upstream(variant, output.batch, f"ordinary.{output.memory_format}"), rules)
    if features != 1 and output.shape[-1] != features:
        raise Refusal("RuntimeError", "The expanded size of the tensor .*must match the existing size")


def _with_gradient(
    right: Expected, returned: State, step: Vjp, variant: Variant, rules: Rules
) -> Expected:
    """Return the step with the input's gradient; ``returned``: the state that the forward left."""
    try:
        gradients = backward(input_alone(returned), Backward(step.upstream), variant, rules).gradients
        check_bias(returned.graphs[0], rules)
    except Refusal as refusal:
        return Expected(right.state, error=refusal.error)
    assert gradients is not None
    return dataclasses.replace(right, gradients=(gradients[0], None, None))


def input_alone(state: State) -> State:
    """Return the state in which the last output is differentiated with respect to its input alone."""
    return state.with_last_graph(trainable=("input",))


def _check_way(way: str, rules: Rules) -> None:
    """Raise Refusal for a function that the release does not have."""
    if way.startswith("func_") and rules.holds("no_torch_func"):
        raise Refusal("AttributeError", "has no attribute 'func'")
    if way in ("jvp", "jvp_parameters", "grad_jvp") and rules.holds("no_forward_ad_module"):
        raise Refusal("ImportError", "cannot import name 'forward_ad'")
    if way.startswith("functional_") and rules.holds("no_functional_derivatives"):
        raise Refusal("AttributeError", "has no attribute 'functional'")


def _captured_tensor_written() -> Refusal:
    """The error of a function of torch.func whose call writes to a tensor of the module in place."""
    return Refusal("RuntimeError", "would mutate a captured Tensor")


def _check_forward_mode(rules: Rules) -> None:
    """Raise Refusal where the kernel that is handed a tangent has no formula for it."""
    found = "Trying to use forward AD with native_batch_norm"
    if rules.holds("forward_mode_runtime_error"):
        raise Refusal("RuntimeError", found)
    if rules.holds("no_forward_mode"):
        raise Refusal("NotImplementedError", found)


TRANSFORM_STEPS: Dict[Type[Step], Meaning] = {Jvp: transform, Vjp: transform, Nested: transform}
"""Maps the type of a step to its meaning."""
