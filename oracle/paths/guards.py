"""The memory of ``torch.compile``: which forwards it has compiled, and which it calls as they are.

torch keeps what it compiles, and runs it again where its guards hold: where the input, the flags and the
tensors are as they were. It does not look at hooks. A forward that reads the number in the counter breaks
the graph; then, and for every input like that one from then on, torch calls the module as it is. After an
input of the wrong rank, whose exception Python raises, it compiles nothing more for that module.
"""

from __future__ import annotations

import dataclasses
from typing import FrozenSet, NamedTuple, Optional, Tuple

from cases.attributes import TENSORS
from cases.inputs import batch
from cases.steps import Forward, Step
from cases.variants import Variant
from oracle.paths.walk import remembering, tagged
from oracle.state import Expected, State

Given = Tuple[object, ...]
"""The facts that the guards may read of an input."""


class Call(NamedTuple):
    """The facts that guards may read of a call. ``module``: flags, tensors and dtype of the module."""

    given: Given
    module: Tuple[object, ...]


class Compiled(NamedTuple):
    """The memory of a path. ``calls``: those that torch has compiled.

    ``broken``: the inputs for which torch calls the module as it is. ``skipped``: torch compiles nothing
    more. ``called``: whether it called the module as it is in each of the last two forwards that
    returned, the last one first; None where that is not known.
    """

    calls: FrozenSet[Call] = frozenset()
    broken: FrozenSet[Given] = frozenset()
    skipped: bool = False
    called: Tuple[Optional[bool], ...] = ()


def cumulates(state: State) -> bool:
    """Whether a forward reads the number in the counter, which no graph can hold as a constant."""
    counted = state.training and bool(state.track_running_stats)
    return bool(counted and state.momentum is None and state.num_batches_tracked is not None)


def compiled(state: State) -> Compiled:
    """Return the memory of what torch has compiled of the module; empty before the first forward."""
    return state.path_memory if isinstance(state.path_memory, Compiled) else Compiled()


def skipping(state: State, found: Expected) -> Expected:
    """Return the expectation with a memory by which torch compiles the module no more."""
    return remembering(found, compiled(state)._replace(skipped=True))


def called_as_it_is(state: State, step: Step, variant: Variant) -> Optional[bool]:
    """Whether torch calls the module as it is in this forward; None where that is not known."""
    assert isinstance(step, Forward)
    memory, call = compiled(state), _call(state, step, variant)
    if cumulates(state) or call.given in memory.broken:
        return True
    if not memory.skipped or call in memory.calls:
        return False
    return None if memory.calls else True


def differentiates_module(state: State, place: int) -> Optional[bool]:
    """Whether the module itself, not compiled code, built the graph at ``place``; None: unknown."""
    called = compiled(state).called
    return called[place] if place < len(called) else False


def noted(state: State, step: Forward, variant: Variant, found: Expected) -> Expected:
    """Return the result of a forward that raised nothing, after which torch remembers it."""
    memory, call = compiled(state), _call(state, step, variant)
    if found.output is None:
        return found
    called = called_as_it_is(state, step, variant)
    memory = memory._replace(called=(called, *memory.called[:1]))
    if memory.skipped:
        return remembering(found, memory)
    if cumulates(state):
        memory = memory._replace(broken=memory.broken | {call.given})
    elif not called and step.way != "hooked":
        memory = memory._replace(calls=memory.calls | {call})
    return remembering(found, memory)


def with_hooks(state: State, step: Forward, variant: Variant, found: Expected) -> Expected:
    """Return the result of a forward with hooks, which torch looks at only where it compiles anew."""
    memory = compiled(state)
    called = called_as_it_is(state, step, variant)
    if step.way != "hooked" or found.output is None or called or not memory.calls:
        return found
    if _call(state, step, variant) in memory.calls:
        return tagged(dataclasses.replace(found, text=""), "compile_hooks")
    return tagged(found, "compile_hooks_again")


def of_several_sizes(state: State, *others: Tuple[int, ...]) -> bool:
    """Whether torch has compiled forwards of several sizes, the later ones for sizes that may change.

    ``others``: further sizes that it compiles now.
    """
    return len({*others, *(each.given[0] for each in compiled(state).calls)}) > 1


def _call(state: State, step: Forward, variant: Variant) -> Call:
    """Return the properties of a forward that the guards may read."""
    given = batch(variant, step.batch)
    way = "forward" if step.way == "hooked" else step.way
    flags = tuple(map(repr, state.flags()))
    entries = [state.entry(name) for name in TENSORS]
    identities = [getattr(each, "identity", None) for each in entries]
    tensors = tuple(
        (getattr(each, "form", ""), getattr(each, "requires_grad", False), identities.index(one))
        for each, one in zip(entries, identities)
    )
    present = tuple(each is not None for each in entries)
    module = (flags, present, tensors, state.dtype, state.parameters)
    return Call((given.values.shape, given.dtype, given.strides, way), module)
