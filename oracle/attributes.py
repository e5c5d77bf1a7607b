"""Steps that set, drop, attach, write, reset or show attributes of a live module."""

from __future__ import annotations

from typing import Callable, Dict, List, Type, Union

import numpy as np

from cases.attributes import BUFFERS, FLOATING, TENSORS
from cases.inputs import attached, preset
from cases.inputs.storage import stored
from cases.steps import UNSAVED, Attach, Count, Drop, Mode, Preset, Reset, SetAttribute, Show, Step
from cases.variants import ATTACHED_COUNT, Variant
from oracle import refusals
from oracle.memory import filled
from oracle.numerics.budgeted import Budgeted, constant, known
from oracle.refusals import (
    IN_PLACE_ON_A_LEAF,
    MADE_IN_INFERENCE_MODE,
    NONE_HAS_NO_METHOD,
)
from oracle.semantics import Rules
from oracle.state import Counter, Expected, Meaning, State, Tensor


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
    if step.name == "num_batches_tracked":
        entry = Counter(ATTACHED_COUNT, object())
    else:
        numbers = attached_numbers(step.name, state)
        if step.form == "expanded":
            numbers = constant(float(numbers.values[0]), numbers.channels)
        form = "" if step.form == "shifted" else step.form  # where it begins makes no difference
        entry = Tensor(numbers, object(), requires_grad=kind == "trainable", form=form)
    return Expected(state.changed(parameters=parameters, unsaved=unsaved, **{step.name: entry}))


def _preset(state: State, step: Preset, variant: Variant, rules: Rules) -> Expected:
    def write(state: State, tensor: Tensor, numbers: Budgeted) -> State:
        return state.written(tensor.holding(numbers))

    return filled(state, preset, write)


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

HOOKS = "pre-hook 1, pre-hook 2, hook 1, hook 2, saved, loaded"
"""The hooks in the order in which a call, then a state dict, then a load call them."""


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


def _show(state: State, step: Show, variant: Variant, rules: Rules) -> Expected:
    """Return the text by which the module describes its present state."""
    return Expected(state, text=_TEXTS[step.what](state, rules))


def _extra_repr(state: State, rules: Rules) -> str:
    """List the present values of the attributes, and whether there is a bias."""
    bias = "" if rules.holds("repr_without_bias") else f", bias={state.bias is not None}"
    return (
        f"{state.num_features}, eps={state.eps}, momentum={state.momentum}, affine={state.affine}"
        f"{bias}, track_running_stats={state.track_running_stats}"
    )


def _order(state: State, rules: Rules) -> str:
    """List parameters before buffers. A tensor with two names is listed once, but saved twice."""
    there = state.present()
    parameters = [name for name in state.parameters if name in there]
    buffers = [name for name in BUFFERS if name in there and name not in parameters]
    saved = [name for name in (*parameters, *buffers) if name not in state.unsaved]
    named = [_once(state, names) for names in (parameters, buffers)]
    return "; ".join(" ".join(each) for each in (*named, saved))


def _entries(state: State, rules: Rules) -> str:
    """List what is in a state dict: detached tensors that share the memory of the module's.

    alone: no part of another tensor's memory, unless it is the same tensor under another name.
    """
    lines = []
    for name in sorted(state.keys()):
        entry = state.entry(name)
        facts = "int64 []"
        if isinstance(entry, Tensor):
            channels = entry.numbers.channels
            facts = f"{state.dtype} {[1, channels] if entry.form == 'row' else [channels]}"
        lines.append(f"layer.{name} {facts} grad False own False shared True kept True alone True")
    return "; ".join(lines)


def _made(state: State, rules: Rules) -> str:
    """List the tensors of a new module, made with keywords, then the dtype of one made by default."""
    if rules.holds("no_dtype_keyword"):
        raise refusals.unknown_keyword("device")
    made = [f"{name} float64 meta" for name in FLOATING]
    return "; ".join([*sorted([*made, "num_batches_tracked int64 meta"]), "by default float64"])


def _visits(state: State, rules: Rules) -> str:
    """List the names under which a parent knows the tensors, and what apply does."""
    parameters, buffers = (each.split() for each in _order(state, rules).split("; ")[:2])
    named = (" ".join(map("layer.{}".format, names)) for names in (parameters, buffers))
    return "; ".join([*named, "layer", "applied [True] True"])


def _backward_hooks(state: State, rules: Rules) -> str:
    """List the hooks of one backward."""
    if rules.holds("no_full_backward_hooks"):
        raise refusals.Refusal("LookupError", "the release has no full backward hooks")
    return "backward hook 1, backward hook 2"


def _once(state: State, names: List[str]) -> List[str]:
    """Return the first name of each tensor."""
    first: Dict[int, str] = {}
    for name in names:
        first.setdefault(id(getattr(state.entry(name), "identity", None)), name)
    return list(first.values())


_TEXTS: Dict[str, Callable[[State, Rules], str]] = {
    "repr": lambda state, rules: _extra_repr(state, rules) + ")",
    "keys": lambda state, rules: " ".join(sorted(state.keys())),
    "parent": lambda state, rules: " ".join(sorted(map("0.{}".format, state.keys()))) + "; version 2",
    "version": lambda state, rules: "2",
    "extra_repr": _extra_repr,
    "order": _order,
    "returns": lambda state, rules: "train eval to",
    "entries": _entries,
    "methods": lambda state, rules: "half float double cpu type requires_grad_",
    "made": _made,
    "hooks": lambda state, rules: "; ".join(2 * [HOOKS]),
    "backward_hooks": _backward_hooks,
    "visits": _visits,
}
"""Maps a word of ``Show`` to the text."""


ATTRIBUTE_STEPS: Dict[Type[Step], Meaning] = {
    Mode: _mode,
    SetAttribute: _set_attribute,
    Drop: _drop,
    Attach: _attach,
    Preset: _preset,
    Count: _count,
    Reset: _reset,
    Show: _show,
}
"""Maps the type of a step to its meaning."""
