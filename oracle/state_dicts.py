"""The steps that load a state dict into a live module.

The keys are compared first. A key that the module has and the state dict lacks is missing; one that the
module lacks is unexpected; with ``strict`` either raises, but the entries that fit are loaded all the
same. An entry of another size raises in any case. A state dict from before version 2, which introduced
``num_batches_tracked``, is completed with the module's own counter, if track_running_stats is set.

Loading copies values into the tensors that are there, in their dtype. With ``assign`` the tensors of the
state dict replace those of the module.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple

import numpy as np

from cases.attributes import COUNTER, FLOATING, TENSORS
from cases.state_dicts import TABLE, Entry, StateDict
from cases.steps import LoadStateDict
from cases.variants import Variant
from oracle import refusals
from oracle.attributes import attached_numbers
from oracle.conversions import converted
from oracle.numerics.budgeted import Budgeted
from oracle.refusals import NO_TO_EMPTY, Refusal
from oracle.semantics import Rules
from oracle.state import Counter, Expected, State, Tensor


def _not_copied(name: str) -> str:
    """Return a pattern for the text about an entry that could not be copied."""
    return f'While copying the parameter named "(0\\.)?{name}"'


WRITTEN = _not_copied(COUNTER)
"""A pattern for the text about a counter made in inference mode: torch refuses it after the write."""


def load_state_dict(state: State, step: LoadStateDict, variant: Variant, rules: Rules) -> Expected:
    """Load a state dict; the text names missing and unexpected keys and tensors that share memory."""
    contents = TABLE[step.what]
    if contents.assign and rules.holds("no_assign_keyword"):
        raise refusals.unknown_keyword("assign")
    if contents.emptied:
        if rules.holds("no_to_empty"):
            raise Refusal(*NO_TO_EMPTY)
        state = _emptied(state)
    keys = _compared(state, contents)
    mismatches: List[str] = []
    if keys.completed and rules.holds("legacy_load_resets_counter"):
        counter = state.num_batches_tracked
        assert counter is not None
        new = Counter(0, object()) if contents.assign else counter.at(0)
        state = state.changed(num_batches_tracked=new)
        mismatches += [WRITTEN] * counter.inference
    loaded: List[str] = []
    for name, entry in keys.fitting.items():
        mismatch = _mismatch(state, entry, contents.assign, rules)
        if mismatch:
            mismatches.append(mismatch)
        if not mismatch or mismatch == WRITTEN:
            state = _with(state, entry, contents, rules)
            loaded.append(name)
    if mismatches or (contents.strict and (keys.missing or keys.unexpected)):
        strict = contents.strict
        error = refusals.not_loaded(
            keys.missing if strict else (), keys.unexpected if strict else (), mismatches
        )
        return Expected(state, error=error)
    if contents.assign:
        state = _of_another_dtype(state, contents)
    shared = loaded if contents.assign else []
    return Expected(state, text=loading_text(keys.missing, keys.unexpected, shared))


def loading_text(missing: List[str], unexpected: List[str], shared: List[str]) -> str:
    """Return the text of a load that does not raise."""
    named = (("missing", missing), ("unexpected", unexpected), ("shared", shared))
    return "; ".join(" ".join([word, *sorted(names)]) for word, names in named)


class _Keys(NamedTuple):
    """The keys of a state dict, compared with those of the module.

    ``fitting``: maps a name to its entry, for names that both have. ``completed``: the state dict was
    completed with the counter that the module has.
    """

    fitting: Dict[str, Entry]
    missing: List[str]
    unexpected: List[str]
    completed: bool


def _compared(state: State, contents: StateDict) -> _Keys:
    held, place = state.keys(), contents.place
    given = contents.given(held)
    ours = contents.prefix == place
    found = {entry.name: entry for entry in given if ours and entry.name in held}
    unexpected = [contents.prefix + each.name for each in given if each.name not in found]
    unexpected += [contents.prefix + name for name in contents.others]
    version = contents.version if ours else None
    older = version is None or version < 2
    lacked = COUNTER not in [each.name for each in given if ours]
    completed = older and lacked and bool(state.track_running_stats)
    if completed and COUNTER not in held:
        unexpected.append(place + COUNTER)
    complete = [*found, COUNTER] if completed else list(found)
    missing = [place + name for name in held if name not in complete]
    order = (*state.parameters, *TENSORS)  # parameters first, in the order in which they were registered
    in_order = {name: found[name] for name in order if name in found}
    return _Keys(in_order, missing, unexpected, completed and COUNTER in held)


def _mismatch(state: State, entry: Entry, assign: bool, rules: Rules) -> str:
    """Return a pattern for the text about an entry that cannot be loaded; empty where it can."""
    place = f"(0\\.)?{entry.name}"
    if entry.name == COUNTER:
        counter = state.num_batches_tracked
        if counter is not None and counter.inference and not assign:
            return WRITTEN
        taken = entry.shape in ((), (1,))
        if taken or (len(entry.shape) == 1 and rules.holds("long_counter_takes_first")):
            return ""
        return refusals.other_size(place, entry.shape, ())
    channels = state.config.num_features
    tensor = state.entry(entry.name)
    assert isinstance(tensor, Tensor)
    own = [1, channels] if tensor.form == "row" else [channels]
    if entry.longer or len(own) > 1:
        return refusals.other_size(place, [channels + entry.longer], own)
    if tensor.overlaps and not assign:
        return _not_copied(entry.name)
    return ""


def _with(state: State, entry: Entry, contents: StateDict, rules: Rules) -> State:
    """Return the state with one entry loaded."""
    if entry.name == COUNTER:
        counter = state.num_batches_tracked
        assert counter is not None
        value = int(entry.number)
        new = Counter(value, object()) if contents.assign else counter.at(value)
        return state.changed(num_batches_tracked=new)
    tensor = state.entry(entry.name)
    assert isinstance(tensor, Tensor)
    numbers = attached_numbers(entry.source, state)
    if tensor.dtype and not contents.assign:
        numbers = converted(numbers, tensor.dtype)
    if contents.assign:
        trainable = tensor.requires_grad
        if entry.name in state.parameters and not trainable:
            trainable = rules.holds("assigned_parameters_trainable")
        assigned = Tensor(numbers, object(), trainable, dtype=entry.dtype)  # apart from its aliases
        return state.changed(**{entry.name: assigned})
    unseen = bool(state.graphs) and rules.holds("load_unseen_by_autograd")
    loaded = tensor.updated(numbers) if unseen else tensor.holding(numbers)
    return state.written(loaded)


def _of_another_dtype(state: State, contents: StateDict) -> State:
    """Return the state with the dtype of the assigned tensors; any other tensor keeps its own."""
    dtypes = {entry.dtype for entry in contents.entries if entry.name != COUNTER} - {""}
    if not dtypes:
        return state
    (dtype,) = dtypes
    changes: Dict[str, object] = {"dtype": dtype}
    for name in FLOATING:
        tensor = state.entry(name)
        if isinstance(tensor, Tensor):
            own = tensor.dtype or state.dtype
            changes[name] = tensor._replace(dtype="" if own == dtype else own)
    return state.changed(**changes)


def _emptied(state: State) -> State:
    """Replace every tensor by a new one whose values may be anything."""
    channels = state.config.num_features
    unknown = Budgeted(np.zeros(channels), np.full(channels, np.inf))
    changes: Dict[str, object] = {}
    for name in FLOATING:
        tensor = state.entry(name)
        if isinstance(tensor, Tensor):
            form = tensor.form if tensor.form == "row" else ""
            parts = (unknown, object(), tensor.requires_grad)
            changes[name] = Tensor(*parts, form=form, dtype=tensor.dtype)
    counter = state.num_batches_tracked
    if counter is not None:
        changes[COUNTER] = Counter(counter.value, object())
    return state.changed(**changes)
