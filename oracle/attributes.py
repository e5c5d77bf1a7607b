"""Steps that set, drop, attach, alias, write or reset attributes of a live module."""

from __future__ import annotations

import dataclasses
from typing import Callable, Dict, Type, Union

import numpy as np

from cases.attributes import COUNTER, FLOATING, TENSORS
from cases.inputs import attached, preset
from cases.inputs.storage import stored
from cases.steps import (
    UNSAVED,
    Alias,
    Attach,
    Count,
    Drop,
    Mode,
    Overwrite,
    Preset,
    Reset,
    SetAttribute,
    Step,
)
from cases.variants import ATTACHED_COUNT, Variant
from oracle import refusals
from oracle.numerics.budgeted import Budgeted, constant, known
from oracle.refusals import IN_PLACE_ON_A_LEAF, MADE_IN_INFERENCE_MODE, NONE_HAS_NO_METHOD, OVERLAPPING
from oracle.semantics import Rules
from oracle.state import Counter, Expected, Graph, Meaning, State, Tensor


def attached_numbers(name: str, state: State) -> Budgeted:
    """Return the numbers of a tensor that is attached or loaded as ``name``, in the module's dtype."""
    values = stored(attached(name, state.config.num_features), state.dtype)
    return known(values.astype(np.float64))


def _mode(state: State, step: Mode, variant: Variant, rules: Rules) -> Expected:
    return Expected(state.changed(training=step.training))


def _set_attribute(state: State, step: SetAttribute, variant: Variant, rules: Rules) -> Expected:
    """Set a flag to any value. A name of a tensor takes no number."""
    if step.name in TENSORS:
        place = "parameter" if step.name in state.parameters else "buffer"
        raise refusals.not_assigned(step.name, place)
    return Expected(state.changed(**{step.name: step.value}))


def _drop(state: State, step: Drop, variant: Variant, rules: Rules) -> Expected:
    """Replace the tensor by None; the name stays registered as a parameter or buffer."""
    return Expected(state.changed(**{step.name: None}))


def _attach(state: State, step: Attach, variant: Variant, rules: Rules) -> Expected:
    """Attach a tensor: a Parameter can take any name, a plain tensor no parameter's name.

    A buffer that the state dict leaves out stays left out until a Parameter takes its name.
    """
    parameters, unsaved = state.parameters, state.unsaved
    kind = step.kind.partition(".")[0]
    if kind == UNSAVED:
        if rules.holds("no_persistent_keyword"):
            raise refusals.unknown_keyword("persistent")
        if step.name in parameters:
            raise refusals.already_there(step.name)
        unsaved = unsaved | {step.name}
    elif kind != "tensor":
        unsaved = unsaved - {step.name}
        parameters += () if step.name in parameters else (step.name,)
    elif step.name in parameters:
        raise refusals.not_assigned(step.name, "parameter")
    entry: Union[Tensor, Counter]
    if step.name == COUNTER:
        entry = Counter(ATTACHED_COUNT, object())
    else:
        numbers = attached_numbers(step.name, state)
        if step.form == "expanded":
            numbers = constant(float(numbers.values[0]), numbers.channels)
        form = "" if step.form == "shifted" else step.form  # where it begins makes no difference
        entry = Tensor(numbers, object(), requires_grad=kind == "trainable", form=form)
    return Expected(state.changed(parameters=parameters, unsaved=unsaved, **{step.name: entry}))


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


def _filled(
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


def _preset(state: State, step: Preset, variant: Variant, rules: Rules) -> Expected:
    def write(state: State, tensor: Tensor, numbers: Budgeted) -> State:
        return state.written(tensor.holding(numbers))

    return _filled(state, preset, write)


def _overwrite(state: State, step: Overwrite, variant: Variant, rules: Rules) -> Expected:
    return _filled(state, attached, _written_unseen)


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


def _count(state: State, step: Count, variant: Variant, rules: Rules) -> Expected:
    counter = state.num_batches_tracked
    if counter is None:
        return Expected(state, error=NONE_HAS_NO_METHOD)
    return _written(state, counter, step.value)


def _reset(state: State, step: Reset, variant: Variant, rules: Rules) -> Expected:
    """Reset the running statistics; reset_parameters then sets weight to 1 and bias to 0."""
    after = _reset_running_stats(state)
    if step.method == "reset_running_stats" or after.error is not None:
        return after
    return _reset_affine(after.state, rules)


def _reset_running_stats(state: State) -> Expected:
    """Set running_mean to 0, running_var to 1 and counter to 0, in this order, until one raises.

    track_running_stats decides whether anything happens, not the presence of the buffers.
    """
    if not state.track_running_stats:
        return Expected(state)
    for name, value in (("running_mean", 0.0), ("running_var", 1.0)):
        tensor = state.entry(name)
        if not isinstance(tensor, Tensor):
            return Expected(state, error=NONE_HAS_NO_METHOD)
        if tensor.requires_grad:
            return Expected(state, error=IN_PLACE_ON_A_LEAF)
        initial = tensor.holding(constant(value, state.config.num_features))
        state = state.written(initial)
    counter = state.num_batches_tracked
    if counter is None:
        return Expected(state, error=NONE_HAS_NO_METHOD)
    return _written(state, counter, 0)


def _written(state: State, counter: Counter, value: int) -> Expected:
    """Write a value into the counter. torch refuses a tensor of the inference mode after the write."""
    error = MADE_IN_INFERENCE_MODE if counter.inference else None
    return Expected(state.changed(num_batches_tracked=counter.at(value)), error=error)


def _reset_affine(state: State, rules: Rules) -> Expected:
    """Reset weight and bias if the affine flag says so; its present value counts."""
    if not state.affine:
        return Expected(state)
    if state.weight is None:
        return Expected(state, error=NONE_HAS_NO_METHOD)
    channels = state.config.num_features
    state = state.written(state.weight.holding(constant(1.0, channels)))
    if state.bias is not None:
        return Expected(state.written(state.bias.holding(constant(0.0, channels))))
    error = NONE_HAS_NO_METHOD if rules.holds("reset_needs_bias") else None
    return Expected(state, error=error)


ATTRIBUTE_STEPS: Dict[Type[Step], Meaning] = {
    Mode: _mode,
    SetAttribute: _set_attribute,
    Drop: _drop,
    Attach: _attach,
    Alias: _alias,
    Preset: _preset,
    Overwrite: _overwrite,
    Count: _count,
    Reset: _reset,
}
"""Maps the type of a step to its meaning."""
