"""What BatchNorm2d does: ``construct`` a module, ``advance`` it by one step.

In short. A forward normalises each channel with a mean and a variance, then scales and shifts it:

    y = (x - mean) / sqrt(variance + eps) * weight + bias

    WHICH STATISTICS?  In train mode the batch's own: mean and *biased* variance over N, H and W. In
    eval mode the running buffers; but if both are None, again the batch's own.

    WHAT IS REMEMBERED?  In train mode, if track_running_stats is set and the buffers are there,
        running = (1 - factor) * running + factor * batch
    with the batch's mean and *unbiased* variance. factor is momentum, or with momentum None 1/k for
    the k-th batch, which makes the buffers the plain average over all batches.

    WHAT DO THE FLAGS DO AFTER CONSTRUCTION?  ``affine`` and ``num_features``: nothing in a forward.
    ``momentum`` and ``eps``: read at every forward. ``track_running_stats``: whether a train-mode
    forward counts and updates, and whether ``reset_running_stats`` resets. It does not decide what
    eval mode normalises with; the presence of the buffers does.

Releases that do otherwise are told apart by ``rules.holds(name)``, asked only where the answer
matters; ``oracle.semantics`` has the table.

Sources: Ioffe & Szegedy, "Batch Normalization" (ICML 2015); the documentation of
torch.nn.BatchNorm2d; and observation of the releases in the table.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Callable, Dict, NamedTuple, Optional, Type, Union

import numpy as np

from cases.construction import Config
from cases.inputs import Batch, attached, batch, preset
from cases.steps import (
    Attach,
    Copy,
    Count,
    Drop,
    Forward,
    Forwards,
    LoadStateDict,
    Mode,
    Preset,
    Reset,
    SetAttribute,
    Show,
    Step,
    Value,
    forwards,
)
from cases.variants import ATTACHED_COUNT, Variant
from oracle.averaging import constant, moving_average
from oracle.normalisation import ExpectedOutput, normalised
from oracle.quantity import Quantity
from oracle.refusals import Refusal, check_arguments, check_eps
from oracle.semantics import Rules, Semantics
from oracle.state import Counter, Expected, ExpectedError, Slot, State
from oracle.statistics import Statistics, statistics
from oracle.text import just, shown

FLOATING = ("weight", "bias", "running_mean", "running_var")
NONE_HAS_NO_METHOD = "'NoneType' object has no attribute"
IN_PLACE_ON_A_LEAF = "a leaf Variable that requires grad"


def construct(config: Config, dtype: str, rules: Rules) -> State:
    """A new module: weight 1, bias 0, running_mean 0, running_var 1, num_batches_tracked 0.

    affine=False leaves weight and bias None, bias=False the bias alone; track_running_stats=False
    leaves the three buffers None. However the arguments are passed, what is not has its documented
    default. Raises Refusal where the release has no ``bias`` or no ``dtype`` keyword.
    """
    if config.call == "dtype" and rules.holds("no_dtype_keyword"):
        raise Refusal("TypeError", "unexpected keyword argument 'dtype'")
    if config.bias is not None and rules.holds("no_bias_keyword"):
        raise Refusal("TypeError", "unexpected keyword argument 'bias'")
    channels = config.num_features

    def slot(wanted: bool, value: float, trainable: bool) -> Optional[Slot]:
        return Slot(constant(value, channels), object(), trainable) if wanted else None

    tracked = config.track_running_stats
    parameters = {"weight", "bias"}
    if not tracked and rules.holds("absent_statistics_are_parameters"):
        parameters.update(("running_mean", "running_var", "num_batches_tracked"))
    return State(
        config=config,
        dtype=dtype,
        num_features=config.num_features,
        eps=config.eps,
        momentum=config.momentum,
        affine=config.affine,
        track_running_stats=tracked,
        training=True,
        weight=slot(config.affine, 1.0, True),
        bias=slot(config.affine and config.bias is not False, 0.0, True),
        running_mean=slot(tracked, 0.0, False),
        running_var=slot(tracked, 1.0, False),
        num_batches_tracked=Counter(0, object()) if tracked else None,
        parameters=frozenset(parameters),
    )


# --- forward ----------------------------------------------------------------------------------


def _counted(state: State, rules: Rules) -> State:
    """The counter goes first: a forward that raises later on has counted all the same."""
    counter = state.num_batches_tracked
    if not (state.training and state.track_running_stats) or counter is None:
        return state
    if "num_batches_tracked" in state.parameters and rules.holds("counter_rebound"):
        raise Refusal("TypeError", "cannot assign .* as parameter 'num_batches_tracked'")
    value = counter.value + 1 if counter.value < 2**63 - 1 else -(2**63)
    counted = counter.at(value)
    if rules.holds("counter_rebound"):
        counted = Counter(value, object())
    return state.changed(num_batches_tracked=counted)


def _average_factor(state: State) -> Value:
    """momentum, or 1/k when it is None. Without a counter, or when nothing is tracked, None is 0."""
    if state.momentum is not None:
        return state.momentum
    counter = state.num_batches_tracked
    if state.training and state.track_running_stats and counter is not None:
        if counter.value == 0:
            raise Refusal("ZeroDivisionError", "division by zero")
        return 1.0 / float(counter.value)
    return 0.0


def _number(value: Value) -> float:
    if value is None or isinstance(value, str):
        raise TypeError(f"not a number: {value!r}")
    return float(value)


def _uses_batch_statistics(state: State, rules: Rules) -> bool:
    if state.training:
        return True
    neither = state.running_mean is None and state.running_var is None
    by_flag = not state.track_running_stats
    if neither != by_flag and rules.holds("flag_alone_selects_statistics"):
        return by_flag
    return neither


def _hands_over_buffers(state: State, rules: Rules) -> bool:
    """Whether a forward sees the running buffers at all: not in train mode when untracked."""
    if not state.training or state.track_running_stats:
        return True
    present = state.running_mean is not None or state.running_var is not None
    return present and rules.holds("untracked_train_updates")


def _requires_grad(slot: Optional[Slot]) -> bool:
    return slot is not None and slot.requires_grad


def _output_strides(batch: Batch, batch_statistics: bool, rules: Rules) -> str:
    if batch.layout != "channels_last":
        return "contiguous"
    if batch_statistics and rules.holds("train_output_contiguous"):
        return "contiguous"
    return "channels_last"


def _statistics(given: Batch, rules: Rules) -> Statistics:
    plain_sums = given.layout == "channels_last" and rules.deviates("channels_last_plain_sums")
    return statistics(given, plain_sums)


class _Call(NamedTuple):
    """What a forward hands to the kernel, beside input, weight and bias. ``factor``: of the new batch."""

    batch_statistics: bool
    running_mean: Optional[Slot]
    running_var: Optional[Slot]
    factor: Value
    eps: float


def _call(state: State, given: Batch, rules: Rules) -> _Call:
    """Raises Refusal; checks in the order of the module's."""
    n, _, h, w = given.values.shape
    factor = _average_factor(state)
    batch_statistics = _uses_batch_statistics(state, rules)
    if batch_statistics and n * h * w == 1:
        shape = just(list(given.values.shape))
        message = "^Expected more than 1 value per channel when training, got input size"
        raise Refusal("ValueError", rf"{message} torch\.Size\({shape}\)$")
    wrong_momentum = isinstance(factor, str)
    if not (wrong_momentum and rules.holds("eps_unchecked")):
        check_eps(state.eps, batch_statistics, rules)
    if wrong_momentum:
        raise Refusal("TypeError", r"argument 'momentum' \(position 7\) must be float, not str")
    handed_over = _hands_over_buffers(state, rules)
    running_mean = state.running_mean if handed_over else None
    running_var = state.running_var if handed_over else None
    check_arguments(state, given, running_mean, running_var, batch_statistics, rules)
    if not state.config.num_features and rules.deviates("zero_features_raise"):
        raise Refusal("IndexError", "index 0 out of range for tensor of size .0.")
    return _Call(batch_statistics, running_mean, running_var, factor, _number(state.eps))


def _output(state: State, given: Batch, call: _Call, rules: Rules) -> ExpectedOutput:
    """The input normalised with the batch's own statistics or with the running ones."""
    weight = None if state.weight is None else state.weight.quantity
    bias = None if state.bias is None else state.bias.quantity
    strides = _output_strides(given, call.batch_statistics, rules)
    if not given.values.size:
        empty = constant(0.0, given.values.shape[1])
        return normalised(given, empty, empty, None, None, 1.0, strides)
    if call.batch_statistics:
        found = _statistics(given, rules)
        if rules.deviates("overflowing_variance_zeroes_output"):
            weight = constant(0.0, given.values.shape[1])
        mean, variance, eps = found.mean, found.biased_variance, call.eps
        # Only releases that do not check eps get here with 0: a constant channel gives the bias.
        return normalised(given, mean, variance, weight, bias, eps, strides, eps == 0)
    assert call.running_mean is not None
    assert call.running_var is not None
    mean, variance = call.running_mean.quantity, call.running_var.quantity
    return normalised(given, mean, variance, weight, bias, call.eps, strides)


def _updated(state: State, given: Batch, call: _Call, rules: Rules, seen: bool) -> State:
    """The running buffers after a batch: each one that was handed over is updated in place."""
    unchanged = call.running_mean is None and call.running_var is None
    if unchanged or not call.batch_statistics or not given.values.size:
        return state
    found, factor = _statistics(given, rules), _number(call.factor)

    def average(slot: Optional[Slot], new: Quantity) -> Optional[Slot]:
        if slot is None:
            return None
        how = state.dtype, given.exact, seen
        return slot.holding(moving_average(slot.quantity, new, factor, *how))

    return state.changed(
        running_mean=average(call.running_mean, found.mean),
        running_var=average(call.running_var, found.unbiased_variance),
    )


def _records_gradient(state: State, given: Batch, grad: str, rules: Rules) -> bool:
    """Whether the output requires a gradient: when anything that went into it does."""
    differentiable = _requires_grad(state.weight) or _requires_grad(state.bias)
    if not given.values.size and differentiable and rules.holds("empty_output_detached"):
        differentiable = False
    return grad != "no_grad" and (differentiable or grad == "input_grad")


def _forward(
    state: State, step: Forward, variant: Variant, rules: Rules, seen: bool = True
) -> Expected:
    """``seen``: somebody looks at the output and at the module afterwards."""
    given = batch(variant, step.batch)
    try:
        if given.values.ndim != 4:
            dimensions = given.values.ndim
            raise Refusal("ValueError", rf"^expected 4D input \(got {dimensions}D input\)$")
        state = _counted(state, rules)
        call = _call(state, given, rules)
    except Refusal as refusal:
        return Expected(state, error=refusal.error)
    after = _updated(state, given, call, rules, seen)
    if not seen:
        return Expected(after)
    output = _output(state, given, call, rules)
    requires_grad = _records_gradient(state, given, step.grad, rules)
    return Expected(after, output, None, requires_grad)


def _forwards(state: State, step: Forwards, variant: Variant, rules: Rules) -> Expected:
    """One after the other, until one raises. When one leaves the state as it was, so do the others: the
    batches of a series are all accepted or all refused."""
    *unseen, last = forwards(step)
    for each in unseen:
        expected = _forward(state, each, variant, rules, seen=False)
        if expected.error is not None:
            return expected
        if expected.state is state:
            break
        state = expected.state
    return _forward(state, last, variant, rules)


# --- everything else --------------------------------------------------------------------------


def _mode(state: State, step: Mode, variant: Variant, rules: Rules) -> Expected:
    return Expected(state.changed(training=step.training))


def _set_attribute(state: State, step: SetAttribute, variant: Variant, rules: Rules) -> Expected:
    return Expected(state.changed(**{step.name: step.value}))


def _drop(state: State, step: Drop, variant: Variant, rules: Rules) -> Expected:
    """None takes the tensor's place; the name stays registered as what it was."""
    return Expected(state.changed(**{step.name: None}))


def _attach(state: State, step: Attach, variant: Variant, rules: Rules) -> Expected:
    """A Parameter can take any name; a plain tensor cannot take a parameter's."""
    parameters = state.parameters
    if step.kind != "tensor":
        parameters = parameters | {step.name}
    elif step.name in parameters:
        raise Refusal("TypeError", f"cannot assign .* as parameter '{step.name}'")
    slot: Union[Slot, Counter]
    if step.name == "num_batches_tracked":
        slot = Counter(ATTACHED_COUNT, object())
    else:
        numbers = _written(attached, step.name, state.config.num_features)
        slot = Slot(numbers, object(), step.kind == "trainable")
    return Expected(state.changed(parameters=parameters, **{step.name: slot}))


@lru_cache(maxsize=None)
def _written(numbers: Callable[[str, int], np.ndarray], name: str, channels: int) -> Quantity:
    """The numbers that a step writes into a tensor: known, so without a budget."""
    values = numbers(name, channels)
    return constant(values.tobytes(), len(values))


def _preset(state: State, step: Preset, variant: Variant, rules: Rules) -> Expected:
    channels = state.config.num_features
    changes = {}
    for name in FLOATING:
        slot: Optional[Slot] = getattr(state, name)
        if slot is not None:
            changes[name] = slot.holding(_written(preset, name, channels))
    return Expected(state.changed(**changes))


def _count(state: State, step: Count, variant: Variant, rules: Rules) -> Expected:
    counter = state.num_batches_tracked
    if counter is None:
        raise Refusal("AttributeError", NONE_HAS_NO_METHOD)
    return Expected(
        state.changed(num_batches_tracked=counter.at(step.value))
    )


def _reset_running_stats(state: State) -> Expected:
    """running_mean 0, running_var 1, counter 0, in this order, as far as it gets.

    The flag decides whether anything happens, not the presence of the buffers.
    """
    if not state.track_running_stats:
        return Expected(state)
    for name, value in (("running_mean", 0.0), ("running_var", 1.0)):
        slot: Optional[Slot] = getattr(state, name)
        if slot is None:
            return Expected(state, error=ExpectedError("AttributeError", NONE_HAS_NO_METHOD))
        if slot.requires_grad:
            return Expected(state, error=ExpectedError("RuntimeError", IN_PLACE_ON_A_LEAF))
        initial = slot.holding(constant(value, state.config.num_features))
        state = state.changed(**{name: initial})
    counter = state.num_batches_tracked
    if counter is None:
        return Expected(state, error=ExpectedError("AttributeError", NONE_HAS_NO_METHOD))
    return Expected(state.changed(num_batches_tracked=counter.at(0)))


def _reset(state: State, step: Reset, variant: Variant, rules: Rules) -> Expected:
    """reset_parameters resets the running statistics first, then weight to 1 and bias to 0.

    The affine flag decides, as it is now, not as it was at construction.
    """
    expected = _reset_running_stats(state)
    if step.method == "reset_running_stats" or expected.error or not state.affine:
        return expected
    state = expected.state
    if state.weight is None:
        return Expected(state, error=ExpectedError("AttributeError", NONE_HAS_NO_METHOD))
    channels = state.config.num_features
    weight = state.weight.holding(constant(1.0, channels))
    state = state.changed(weight=weight)
    if state.bias is not None:
        bias = state.bias.holding(constant(0.0, channels))
        state = state.changed(bias=bias)
    elif rules.holds("reset_needs_bias"):
        return Expected(state, error=ExpectedError("AttributeError", NONE_HAS_NO_METHOD))
    return Expected(state)


def _renewed(state: State) -> State:
    """The same numbers in new tensors."""
    changes = {
        name: state.tensor(name)._replace(identity=object())  # type: ignore[union-attr]
        for name in state.present()
    }
    return state.changed(**changes)


def _copy(state: State, step: Copy, variant: Variant, rules: Rules) -> Expected:
    """deepcopy and pickle keep every attribute; a state dict carries the tensors alone."""
    if step.how != "state_dict":
        return Expected(_renewed(state), copied=True)
    fresh = construct(state.config, state.dtype, rules)
    if set(fresh.present()) != set(state.present()):
        raise Refusal("RuntimeError", r"Error\(s\) in loading state_dict")
    loaded: Dict[str, Union[Slot, Counter]] = {}
    for name in fresh.present():
        slot, source = fresh.tensor(name), state.tensor(name)
        if isinstance(slot, Slot) and isinstance(source, Slot):
            loaded[name] = slot.holding(source.quantity)
        elif isinstance(slot, Counter) and isinstance(source, Counter):
            loaded[name] = slot.at(source.value)
    fresh = fresh.changed(training=state.training, **loaded)
    return Expected(fresh, copied=True)


def _load_state_dict(state: State, step: LoadStateDict, variant: Variant, rules: Rules) -> Expected:
    """Values are copied into the tensors that are there; a missing key is reported at the end.

    A state dict of a version before 2, or of none, gets the counter that it lacks, if the flag is set.
    """
    channels = state.config.num_features
    changes: Dict[str, Union[Slot, Counter]] = {}
    if step.what != "empty":
        for name in FLOATING:
            slot: Optional[Slot] = getattr(state, name)
            if slot is not None:
                changes[name] = slot.holding(_written(attached, name, channels))
    counter = state.num_batches_tracked
    error = None
    if step.what in ("plain", "longer"):
        if counter is not None:
            changes["num_batches_tracked"] = counter.at(ATTACHED_COUNT)
        elif step.what == "plain" and state.track_running_stats:
            error = ExpectedError("RuntimeError", 'Unexpected key.*"num_batches_tracked"')
        if step.what == "longer" and changes.pop("running_mean", None) is not None:
            sizes = rf"\[{channels + 1}\].*\[{channels}\]"
            error = ExpectedError("RuntimeError", f"(?s)size mismatch for running_mean.*{sizes}")
    elif step.what == "no_counter":
        if counter is not None:
            error = ExpectedError("RuntimeError", 'Missing key.*"num_batches_tracked"')
    elif state.track_running_stats:
        if counter is None:
            if step.what != "empty":
                error = ExpectedError("RuntimeError", 'Unexpected key.*"num_batches_tracked"')
        elif rules.holds("legacy_load_resets_counter"):
            changes["num_batches_tracked"] = counter.at(0)
    elif counter is not None and step.what != "empty":
        error = ExpectedError("RuntimeError", 'Missing key.*"num_batches_tracked"')
    return Expected(state.changed(**changes), error=error)


def _show(state: State, step: Show, variant: Variant, rules: Rules) -> Expected:
    return Expected(state, shown=shown(state, step.what, rules))


Handler = Callable[..., Expected]

_HANDLERS: Dict[Type[Step], Handler] = {
    Forward: _forward,
    Forwards: _forwards,
    Mode: _mode,
    SetAttribute: _set_attribute,
    Drop: _drop,
    Attach: _attach,
    Preset: _preset,
    Count: _count,
    Reset: _reset,
    Copy: _copy,
    LoadStateDict: _load_state_dict,
    Show: _show,
}


def advance(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """One step: what it must show, and the state after it. Pure; never raises for a known step."""
    rules = Rules(semantics)
    try:
        expected = _HANDLERS[type(step)](state, step, variant, rules)
    except Refusal as refusal:
        expected = Expected(state, error=refusal.error)
    if rules.consulted:
        return expected.decided_by(tuple(rules.consulted))
    return expected


def begin(config: Config, variant: Variant, semantics: Semantics) -> Expected:
    """Construction as the first step of every program; the state is None-like on a refusal."""
    rules = Rules(semantics)
    try:
        state = construct(config, variant.dtype, rules)
        error = None
    except Refusal as refusal:
        accepted = dataclasses.replace(config, bias=None, call="needed")
        state = construct(accepted, variant.dtype, Rules(semantics))
        error = refusal.error
    return Expected(state, error=error, switches=tuple(rules.consulted))
