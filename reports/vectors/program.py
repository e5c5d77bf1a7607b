"""A case's program in plain JSON objects: what a port is to do, and what it must return.

A port has arrays and flags, and no Python objects. Of a step that does something else, the difference
that it makes to the visible state is written as assignments; a step without a visible difference is left
out. A program ends before a step that a port cannot follow.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Dict, List, Optional, Type, Union

from cases.attributes import FLOATING, TENSORS
from cases.case import Case
from cases.derivatives import Backward
from cases.inputs import batch
from cases.steps import Forward, Overwrite, Reset, Step, Value
from oracle.expectations import Expectations
from oracle.state import Expected, State
from reports.vectors import refusals, situations
from reports.vectors.arrays import Arrays
from reports.vectors.changes import Change, Content, aliased, change, content, known
from reports.vectors.numbers import of_gradient, of_output, of_tensor

Json = Dict[str, Any]

LARGEST_EXACT = 2**53
"""The largest size of a whole number that every reader of JSON keeps exactly."""

SETTERS = {
    "eps": "SetEps",
    "momentum": "SetMomentum",
    "affine": "SetAffine",
    "track_running_stats": "SetTrackRunningStats",
    "num_features": "SetNumFeatures",
}
"""Maps a flag of the module to the capability of assigning it."""

GROUPS = {
    "weight": "Parameters",
    "bias": "Parameters",
    "running_mean": "Statistics",
    "running_var": "Statistics",
    "num_batches_tracked": "Counter",
}
"""Maps a tensor to the end of the name of the capability of removing or attaching it."""

RESETS = {"reset_running_stats": "ResetRunningStats", "reset_parameters": "ResetParameters"}


class Unportable(Exception):
    """No port can perform the step, and later steps depend on it."""


class Program:
    """The steps written so far of one case.

    ``forwards``: maps the identity of an expected output to the number of its forward in ``steps``.
    """

    def __init__(self, case: Case, arrays: Arrays) -> None:
        self.case = case
        self.arrays = arrays
        self.steps: List[Json] = []
        self.forwards: Dict[int, int] = {}

    def add(self, step: Json, flags: List[str]) -> None:
        """Write a step; parts that are empty are left out."""
        named = sorted(set(flags))
        written = {**step, "flags": named}
        self.steps.append({key: value for key, value in written.items() if value not in ([], {})})

    def contents(self, tensors: Dict[str, Content], dtype: str) -> Json:
        """Return the contents of tensors, as an expected state has them."""
        return {name: self._content(each, dtype) for name, each in tensors.items()}

    def _content(self, value: Content, dtype: str) -> Union[None, int, str]:
        if value is None:
            return None
        if isinstance(value, int):
            return value if abs(value) <= LARGEST_EXACT else str(value)
        return self.arrays.expected(of_tensor(value, dtype))


def written(case: Case, expected: Expectations, arrays: Arrays) -> Optional[List[Json]]:
    """Return the program of a case; None if nothing in it says something to a port.

    ``arrays`` takes the arrays.
    """
    if expected[0].error is not None:
        return None
    program = Program(case, arrays)
    state = expected[0].state
    initial = {name: content(state.entry(name)) for name in TENSORS}
    program.add({"do": "construct", "state": program.contents(initial, state.dtype)}, [])
    for step, before, after in zip(case.steps, expected, expected[1:]):
        try:
            _WRITERS.get(type(step), _difference)(program, step, before.state, after)
        except Unportable:
            break
    said = any(each["do"] == "forward" for each in program.steps)
    return program.steps if said else None


def number(value: Value) -> Value:
    """Return a value of a flag as JSON holds it: a number that is not finite becomes a text."""
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return value


def _refused(program: Program, step: Step, state: State, after: Expected, fields: Json) -> None:
    """Write a step that raises, if it has a meaning outside of torch."""
    assert after.error is not None
    changed = change(state, after.state)
    flag = refusals.flag(step, after.error)
    if flag is None:
        if changed.tensors or changed.flags:
            raise Unportable
        return
    expected = {"raises": after.error.kind, "state": program.contents(changed.tensors, state.dtype)}
    program.add({**fields, **expected}, [flag, *_counter(changed)])


def _forward(program: Program, step: Forward, state: State, after: Expected) -> None:
    given = batch(program.case.variant, step.batch)
    if after.error is not None and refusals.flag(step, after.error) is None:
        _refused(program, step, state, after, {})
        return
    fields: Json = {"do": "forward", "input": program.arrays.given(given)}
    flags = situations.of_input(given)
    if given.dtype != program.case.variant.input_dtype:
        fields["dtype"] = given.dtype
        flags = [*flags, "MixedPrecision", *situations.DTYPES[given.dtype]]
    if after.error is not None:
        _refused(program, step, state, after, fields)
        return
    assert after.output is not None
    changed = change(state, after.state)
    output = of_output(after.output)
    fields["returns"] = {"output": program.arrays.expected(output)}
    fields["state"] = program.contents(changed.tensors, state.dtype)
    flags = flags + situations.of_forward(state, after.output, output) + _counter(changed)
    program.forwards[id(after.output)] = len(program.steps)
    program.add(fields, flags)


def _backward(program: Program, step: Backward, state: State, after: Expected) -> None:
    """Write the gradients; a refusal is always a matter of autograd."""
    found = [each for each in after.gradients or () if each is not None]
    if not found:
        return
    output = found[0].output
    place = program.forwards[id(output)]
    flags = ["BackwardTrain" if output.batch_statistics else "BackwardEval"]
    if any(between["do"] != "backward" for between in program.steps[place + 1 :]):
        flags.append("DelayedBackward")
    numbers = {f"grad_{each.name}": of_gradient(each) for each in found}
    fields = {
        "do": "backward",
        "of": place,
        "upstream": program.arrays.given(found[0].upstream),
        "returns": {name: program.arrays.expected(each) for name, each in numbers.items()},
    }
    program.add(fields, flags + situations.of_numbers(numbers.values()))


def _reset(program: Program, step: Reset, state: State, after: Expected) -> None:
    fields: Json = {"do": step.method}
    flags = [RESETS[step.method]]
    changed = change(state, after.state)
    if after.error is not None:
        flag = refusals.flag(step, after.error)
        if flag is None:
            raise Unportable
        fields["raises"] = after.error.kind
        flags.append(flag)
    fields["state"] = program.contents(changed.tensors, state.dtype)
    program.add(fields, flags + _counter(changed))


def _difference(program: Program, step: Step, state: State, after: Expected) -> None:
    """Write what a step changed as assignments. A refusal changes nothing, or ends the program."""
    changed = change(state, after.state)
    if after.error is not None:
        _refused(program, step, state, after, {})
        return
    if after.state.dtype != state.dtype or aliased(after.state):
        raise Unportable
    if not all(map(known, changed.tensors.values())):
        raise Unportable
    for name, value in changed.flags.items():
        _assign_flag(program, name, value)
    if changed.tensors:
        contents = program.contents(changed.tensors, state.dtype)
        flags = [flag for name in changed.tensors for flag in _presence(name, state, after.state)]
        program.add({"do": "assign", "state": contents}, flags + _counter(changed))


def _assign_flag(program: Program, name: str, value: Value) -> None:
    if name == "training":
        if not isinstance(value, bool):
            raise Unportable
        program.add({"do": "set", "name": name, "value": value}, [])
        return
    if isinstance(value, str) or (isinstance(value, bool) and name in ("momentum", "eps")):
        raise Unportable
    flags = [SETTERS[name], *situations.of_setting(name, value)]
    program.add({"do": "set", "name": name, "value": number(value)}, flags)


def _presence(name: str, before: State, after: State) -> List[str]:
    """Return the capability of removing or attaching a tensor, if the step does so."""
    there, stays = before.entry(name) is not None, after.entry(name) is not None
    if there == stays:
        return []
    return [("Remove" if there else "Attach") + GROUPS[name]]


def _counter(changed: Change) -> List[str]:
    value = changed.tensors.get("num_batches_tracked")
    return ["HugeCounter"] if isinstance(value, int) and abs(value) > LARGEST_EXACT else []


def _overwrite(program: Program, step: Overwrite, state: State, after: Expected) -> None:
    """Write the new values; a port cannot let the backward of an earlier forward read them."""
    if state.graphs:
        raise Unportable
    _difference(program, step, state, after)


_WRITERS: Dict[Type[Step], Callable[[Program, Any, State, Expected], None]] = {
    Forward: _forward,
    Backward: _backward,
    Reset: _reset,
    Overwrite: _overwrite,
}
"""Maps the type of a step to the function that writes it; the others are written by their difference."""

assert set(GROUPS) == set(TENSORS) >= set(FLOATING)
