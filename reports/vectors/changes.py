"""The changes that a step makes to what a port has: five arrays, and the flags that a forward reads."""

from __future__ import annotations

from typing import Dict, NamedTuple, Union

import numpy as np

from cases.attributes import FLAGS, TENSORS
from cases.steps import Value
from oracle.numerics.budgeted import Budgeted
from oracle.state import Counter, Entry, State

Content = Union[None, int, Budgeted]
"""The contents of an entry as a port sees them: None, the count, or the numbers with their budget."""


class Change(NamedTuple):
    """The changes that a step made: tensors and flags by name, each with its new contents."""

    tensors: Dict[str, Content]
    flags: Dict[str, Value]


def content(entry: Entry) -> Content:
    """Return what a port sees of an entry."""
    if entry is None:
        return None
    return entry.value if isinstance(entry, Counter) else entry.numbers


def change(before: State, after: State) -> Change:
    """Return what differs between two states."""
    pairs = [(name, content(before.entry(name)), content(after.entry(name))) for name in TENSORS]
    flags = [(name, old, new) for name, old, new in zip(FLAGS, before.flags(), after.flags())]
    return Change(
        {name: new for name, old, new in pairs if not _alike(old, new)},
        {name: new for name, old, new in flags if type(new) is not type(old) or not _equal(old, new)},
    )


def _equal(old: Value, new: Value) -> bool:
    return old == new or (old != old and new != new)  # NaN equals itself


def _alike(old: Content, new: Content) -> bool:
    if isinstance(old, Budgeted) and isinstance(new, Budgeted):
        pairs = ((old.values, new.values), (old.budget, new.budget))
        return old is new or all(np.array_equal(a, b) for a, b in pairs)
    return old is new or (isinstance(old, int) and old == new)


def known(numbers: Content) -> bool:
    """Whether a port can be given these contents: numbers whose budget is 0."""
    return not isinstance(numbers, Budgeted) or bool((numbers.budget == 0).all())


def aliased(state: State) -> bool:
    """Whether one tensor has two names in the module, which no port supports."""
    tensors = [tensor.identity for tensor in state.tensors()]
    return len({id(each) for each in tensors}) < len(tensors)
