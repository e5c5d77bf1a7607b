"""Steps on the paths through TorchScript: script, trace, freeze."""

from __future__ import annotations

import dataclasses
import re
from typing import Dict, Optional, Tuple

import numpy as np

from cases.attributes import TENSORS
from cases.derivatives import Double
from cases.steps import Convert, Forward, Step
from cases.variants import Variant
from oracle.batch_norm import average_factor
from oracle.meanings import advance
from oracle.paths.making import Made, inner_of, made_of, through
from oracle.paths.walk import (
    Advance,
    apart,
    by_forward,
    failing,
    leaving_behind,
    left_behind,
    raised_as,
    remembering,
    tagged,
    without_hooks,
)
from oracle.semantics import Semantics
from oracle.state import Entry, Expected, Inside, State, Tensor

CONSTANT = ("momentum", "eps", "track_running_stats")
"""The flags that a forward reads and that are constants of a ScriptModule."""

AGAIN = "Can't redefine method"
"""A part of the message about another try to script what cannot be scripted."""

PYTHON_KINDS = ("ValueError", "ZeroDivisionError", "TypeError")
"""The classes of exceptions that Python code of the module raises, not an operator."""


POOLED = (("weight", "running_var"), ("bias", "running_mean"))
"""The pairs of tensors of which freezing makes one constant if they are equal."""


def _rebound(state: State, inner: State, traced: bool) -> Tuple[Dict[str, Entry], Optional[Expected]]:
    """Return the tensors to bind on the ScriptModule, or what the step shows if one does not fit.

    A trace has no attribute for what was None: a plain tensor becomes an attribute that nothing reads.
    """
    changes: Dict[str, Entry] = {}
    for name in TENSORS:
        now, made = state.entry(name), inner.entry(name)
        if now is None and made is not None:
            cast = f"Could not cast attribute '{name}' to type Tensor"
            return changes, failing(state, "RuntimeError", cast, "jit_none")
        if now is not None and made is None:
            if not traced:
                cast = f"Could not cast attribute '{name}' to type NoneType"
                return changes, failing(state, "RuntimeError", cast, "jit_none")
            if name in state.parameters:
                added = "Can't add a new parameter after ScriptModule construction"
                return changes, failing(state, "RuntimeError", added, "jit_none")
        elif now is not None:
            changes[name] = now
    return changes, None


def _read_differently(state: State, inner: State, flags: Tuple[str, ...]) -> bool:
    """Whether a flag, or the presence of a tensor, is not as the module has it now."""
    if any(repr(getattr(state, name)) != repr(getattr(inner, name)) for name in flags):
        return True
    return any((state.entry(name) is None) != (inner.entry(name) is None) for name in TENSORS)


def _unscriptable(state: State, step: Forward) -> Optional[Tuple[str, str]]:
    """Return the clause and the message where torch cannot script the module; None where it can."""
    if step.way == "hooked":
        return "script_hooks", "Expected a single top-level function"
    if state.training is None or state.track_running_stats is None:
        return "script_none", f"Could not cast value of type NoneType to bool|{AGAIN}"
    for name in ("momentum", "eps"):
        value = getattr(state, name)
        if name == "eps" and value is None:
            return "script_none", f"type 'float' for argument 'eps'|{AGAIN}"
        if not isinstance(value, (float, bool, type(None))):
            wrong = f"type 'float' for argument '{name}'|{AGAIN}|eps|momentum"
            return "script_number", wrong
    return None


def _in_torchscript(expected: Expected) -> Expected:
    """Return the expectation with the exception that TorchScript raises in the place of the module's."""
    error = expected.error
    if error is None:
        return expected
    if error.kind == "ZeroDivisionError":
        return tagged(expected, "script_division")
    wrapped = raised_as(error, "Error" if error.kind in PYTHON_KINDS else "RuntimeError")
    wrapped = wrapped._replace(pattern=re.split(r", got input size|, but got", wrapped.pattern)[0])
    if error.kind == "NotImplementedError":
        wrapped = wrapped._replace(kind="NotImplementedError")
    if "both be None" in error.pattern:
        wrapped = wrapped._replace(kind="RuntimeError")
    if wrapped == error:
        return expected
    return tagged(dataclasses.replace(expected, error=wrapped), "jit_error")


def _script(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward of a ScriptModule; ``training`` is an attribute of it."""
    assert isinstance(step, Forward)
    inner = inner_of(state)
    if inner is None:
        problem = _unscriptable(state, step)
        if problem is not None:
            return failing(state, "RuntimeError", problem[1], problem[0])
        right = advance(state, step, variant, semantics)
        if right.error is None:
            return made_of(right)
        return remembering(_in_torchscript(right), Made(state.changed(graphs=())))
    changes, failed = _rebound(state, inner, traced=False)
    if failed is not None:
        return failed
    if isinstance(state.training, str) != isinstance(inner.training, str):
        cast = "Could not cast attribute 'training' to type (bool|str)"
        return failing(state, "RuntimeError", cast, "jit_none")
    inner = inner.changed(training=state.training, dtype=state.dtype, **changes)
    found = through(state, inner, step, variant, semantics)
    if _read_differently(state, inner, CONSTANT):
        found = tagged(found, "script_constants")
    return _in_torchscript(without_hooks(step, found, "jit_hooks"))


def _trace(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward of a trace, which has constants for every flag and no checks in Python."""
    assert isinstance(step, Forward)
    inner = inner_of(state)
    if inner is None:
        return _traced(state, step, variant, semantics)
    changes, failed = _rebound(state, inner, traced=True)
    if failed is not None:
        return failed
    inner = inner.changed(dtype=state.dtype, **changes)
    found = through(state, inner, step, variant, semantics)
    if _read_differently(state, inner, (*CONSTANT, "training")):
        found = tagged(found, "trace_constants")
    if found.error is not None and found.error.kind in PYTHON_KINDS:
        return tagged(found, "trace_checks")
    return _in_torchscript(without_hooks(step, found, "jit_hooks"))


def _traced(state: State, step: Forward, variant: Variant, semantics: Semantics) -> Expected:
    """Perform the first forward, which is traced and then run."""
    shared = [each.identity for each in state.entries() if each is not None]
    if len(set(shared)) < len(shared):
        return failing(state, "ValueError", "support parameter sharing", "trace_sharing")
    right = advance(state, step, variant, semantics)
    if right.error is not None:
        same = right.state.num_batches_tracked == state.num_batches_tracked
        inside = Inside(state, right, lambda found: _recorded(state, found))
        undone = dataclasses.replace(right, state=state, inside=inside)
        return undone if same else tagged(undone, "making_undone")
    return _recorded(state, right)


def _recorded(state: State, found: Expected) -> Expected:
    """Return the result of the first forward; if it returns, also by a defect, the path has a program."""
    if found.error is not None:
        return dataclasses.replace(found, state=state)
    factor = 0.0
    if found.state.training or found.state.momentum is not None:
        factor = float(average_factor(found.state) or 0.0)
    return made_of(found, momentum=factor)


def _freeze(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward of a frozen ScriptModule: flags are constants, tensors lie where they lay."""
    assert isinstance(step, Forward)
    inner = inner_of(state)
    if inner is None:
        problem = _unscriptable(state, step)
        if problem is not None:
            return failing(state, "RuntimeError", problem[1], problem[0])
        if state.training:
            refused = "only implemented for modules in eval mode"
            return failing(state, "RuntimeError", refused, "freeze_eval")
        inner = state.changed(graphs=())
        state = state.changed(path_memory=Made(_pooled(inner)))
    frozen = _detached(inner_of(state) or inner)
    found = through(state, frozen, step, variant, semantics)
    right = advance(state, step, variant, semantics)
    clauses = []
    if _pools(state):
        clauses.append("freeze_pools")
    if _otherwise(found, right):
        clauses.append("freeze_constants")
    return tagged(_in_torchscript(without_hooks(step, found, "jit_hooks")), *clauses)


def _detached(state: State) -> State:
    """Return the module with tensors that require no gradient."""
    return state.changed(
        **{
            name: entry._replace(requires_grad=False)
            for name in TENSORS
            for entry in [state.entry(name)]
            if isinstance(entry, Tensor)
        }
    )


def _pooled(state: State) -> State:
    """Return the module in which weight and bias are the running statistics that equal them.

    Freezing makes one constant of equal tensors, and this lies in the memory of one of them.
    """
    changes: Dict[str, Entry] = {}
    for name, other in POOLED:
        one, two = state.entry(name), state.entry(other)
        if not isinstance(one, Tensor) or not isinstance(two, Tensor):
            continue
        if np.array_equal(one.numbers.values, two.numbers.values):
            changes[name] = two
    return state.changed(**changes)


def _pools(state: State) -> bool:
    """Whether freezing made one constant of two equal tensors."""
    made = state.path_memory
    assert isinstance(made, Made)
    pairs = [(made.inner.entry(name), made.inner.entry(other)) for name, other in POOLED]
    return any(one is not None and two is not None and one.identity is two.identity for one, two in pairs)


def _otherwise(found: Expected, right: Expected) -> bool:
    """Whether the result of a frozen module may differ from that of the module."""
    if found.output is None or right.output is None:
        return found.error != right.error
    return found.output.requires_grad != right.output.requires_grad or any(
        getattr(found.output, name) is not getattr(right.output, name)
        for name in ("mean", "variance", "weight", "bias", "eps")
    )


def _frozen_otherwise(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a step other than a forward of a frozen module, whose tensors are constants.

    Weight and bias have no part in a double backward, and a conversion leaves the constants as they were.
    """
    if isinstance(step, Convert):
        return leaving_behind(state, step, variant, semantics)
    nothing = apart(state, step)
    if nothing is not None:
        return tagged(nothing, "freeze_constants")
    found = advance(state, step, variant, semantics)
    if isinstance(step, Double) and found.derivatives:
        return tagged(found, "freeze_double")
    same = found.error is not None or not left_behind(state, step)
    return found if same else tagged(found, "freeze_constants")


def _with_channels(one: Advance) -> Advance:
    """Return the function for a forward, also of a module without channels, which raises by a defect."""

    def forward(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = one(state, step, variant, semantics)
        return found if state.config.num_features else tagged(found, "jit_channels")

    return forward


STEPPING: Dict[str, Advance] = {
    "jit.script": by_forward(_with_channels(_script)),
    "jit.trace": by_forward(_with_channels(_trace)),
    "jit.freeze": by_forward(_with_channels(_freeze), _frozen_otherwise),
}
"""Maps the name of a path to the function for a step on it."""
