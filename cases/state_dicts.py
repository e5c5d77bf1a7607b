"""The state dicts that programs load, as data: which entries they have, and how they are loaded."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional, Tuple

from cases.attributes import BUFFERS, COUNTER, FLOATING, PARAMETERS, TENSORS
from cases.inputs.vectors import LOADED
from cases.variants import ATTACHED_COUNT


class Entry(NamedTuple):
    """An entry of a state dict.

    ``values``: empty for the values that ``Attach`` attaches under its name, or a word of
    ``cases.inputs.vectors.LOADED``. ``longer``: how many more values it has than the module has
    channels. ``shape``: the shape of a counter. ``dtype``: empty for the module's dtype, or int64 for a
    counter. ``fraction``: the part of the counter's value beyond a whole number. ``parameter``: it is a
    Parameter that requires a gradient, as in a state dict that was made with ``keep_vars``.
    """

    name: str
    longer: int = 0
    shape: Tuple[int, ...] = ()
    dtype: str = ""
    fraction: float = 0.0
    values: str = ""
    parameter: bool = False

    @property
    def source(self) -> str:
        """The name of the values, as ``cases.inputs.attached`` takes it."""
        return f"{self.name} {self.values}".strip()

    @property
    def number(self) -> float:
        """The value, or the first value, of an entry that is a counter."""
        return ATTACHED_COUNT + self.fraction


class StateDict(NamedTuple):
    """A state dict and the flags with which it is loaded.

    ``entries``: its entries; those that the module lacks are left out, unless it is ``whole``.
    ``others``: further keys, which no module has. ``version``: the version in the metadata of the prefix,
    None where there is none. ``prefix``: the text before every key. ``parent``: it is loaded into a
    ``Sequential`` whose first part is the module, so the module's keys begin with ``0.``. ``emptied``:
    before the load every ``.grad`` is removed, and the module is moved to the meta device and, by
    ``to_empty``, back to the CPU, where the counter gets its value again. ``strict``, ``assign``: as
    ``load_state_dict`` takes them.
    """

    entries: Tuple[Entry, ...]
    version: Optional[int] = 2
    whole: bool = False
    others: Tuple[str, ...] = ()
    prefix: str = ""
    parent: bool = False
    emptied: bool = False
    strict: bool = True
    assign: bool = False

    @property
    def place(self) -> str:
        """The text that a key must begin with to belong to the module."""
        return "0." if self.parent else ""

    def given(self, held: Tuple[str, ...]) -> Tuple[Entry, ...]:
        """Return the entries for a module whose state dict has the names ``held``."""
        return tuple(each for each in self.entries if self.whole or each.name in held)


def _named(*names: str, dtype: str = "") -> Tuple[Entry, ...]:
    return tuple(Entry(name, dtype=dtype) for name in names)


def _with(entry: Entry) -> Tuple[Entry, ...]:
    """Return all entries, with one of them replaced by the given one."""
    return tuple(entry if name == entry.name else Entry(name) for name in TENSORS)


_NUMBERS = _named(*FLOATING)
_ALL = _named(*TENSORS)

_KEPT = (*(Entry(name, parameter=True) for name in PARAMETERS), *_named(*BUFFERS))


def _in_dtype(dtype: str) -> Tuple[Entry, ...]:
    return (*_named(*FLOATING, dtype=dtype), Entry(COUNTER))


def _valued(values: str) -> StateDict:
    return StateDict((*(Entry(name, values=values) for name in FLOATING), Entry(COUNTER)))


TABLE: Dict[str, StateDict] = {
    "legacy": StateDict(_NUMBERS, version=None),
    "empty": StateDict((), version=None, strict=False),
    "no_counter": StateDict(_NUMBERS),
    "version_1": StateDict(_NUMBERS, version=1),
    "plain": StateDict(_ALL, version=None),
    "longer": StateDict(_with(Entry("running_mean", longer=1))),
    "counter_of_one": StateDict(_with(Entry(COUNTER, shape=(1,)))),
    "counter_of_two": StateDict(_with(Entry(COUNTER, shape=(2,)))),
    "counter_float": StateDict(_with(Entry(COUNTER, dtype="float32", fraction=0.75))),
    "whole": StateDict(_ALL, whole=True),
    "whole_loose": StateDict(_ALL, whole=True, strict=False),
    "other_names": StateDict(_named("bias", "running_var"), others=("gamma",)),
    "other_names_loose": StateDict(_named("bias", "running_var"), others=("gamma",), strict=False),
    "longer_loose": StateDict(_with(Entry("running_mean", longer=1)), strict=False),
    "wrapped": StateDict(_ALL, prefix="module."),
    "wrapped_loose": StateDict(_ALL, prefix="module.", strict=False),
    "parent": StateDict(_ALL, prefix="0.", parent=True),
    "parent_legacy": StateDict(_NUMBERS, version=None, prefix="0.", parent=True),
    "parent_no_counter": StateDict(_NUMBERS, prefix="0.", parent=True),
    "parent_loose": StateDict(_ALL, parent=True, strict=False),
    "float64": StateDict(_in_dtype("float64")),
    "float16": StateDict(_in_dtype("float16")),
    "assigned": StateDict(_ALL, assign=True),
    "assigned_plain": StateDict(_ALL, version=None, assign=True),
    "assigned_legacy": StateDict(_NUMBERS, version=None, assign=True),
    "assigned_loose": StateDict(_named("bias", "running_var"), assign=True, strict=False),
    "assigned_longer": StateDict(_with(Entry("running_mean", longer=1)), assign=True),
    "assigned_float64": StateDict(_in_dtype("float64"), assign=True),
    "parameters": StateDict(_KEPT),
    "assigned_parameters": StateDict(_KEPT, assign=True),
    "emptied": StateDict(_ALL, emptied=True),
    "emptied_assigned": StateDict(_ALL, emptied=True, assign=True),
    "version_0": StateDict(_NUMBERS, version=0),
    "version_3": StateDict(_NUMBERS, version=3),
    **{values: _valued(values) for values in LOADED},
}
"""Maps a word of ``LoadStateDict`` to the state dict and how it is loaded. The words of
``cases.steps.STATE_DICTS`` come first."""
