"""Everything a BatchNorm2d holds between two calls, as immutable data, and what a step must show."""

from __future__ import annotations

from typing import Any, FrozenSet, NamedTuple, Optional, Tuple, Union

from cases.construction import Config
from cases.steps import Value
from oracle.normalisation import ExpectedOutput
from oracle.quantity import Quantity


class Slot(NamedTuple):
    """A floating-point tensor on the module: a parameter or a running statistic.

    ``identity`` stands for the Python object: an update in place keeps it, a new tensor has another.
    ``requires_grad`` is what it says in torch.
    """

    quantity: Quantity
    identity: object
    requires_grad: bool = False

    def holding(self, quantity: Quantity) -> Slot:
        """The same tensor with other numbers."""
        return tuple.__new__(Slot, (quantity, self.identity, self.requires_grad))


class Counter(NamedTuple):
    """num_batches_tracked, an int64 scalar."""

    value: int
    identity: object

    def at(self, value: int) -> Counter:
        """The same tensor with another value."""
        return tuple.__new__(Counter, (value, self.identity))


class State(NamedTuple):
    """A BatchNorm2d between two steps.

    The first block are plain attributes, free to be assigned at any time, in the order of FLAGS; the
    second the tensors, each of which may be None, in the order of TENSORS. ``parameters`` names the
    entries registered as parameters, present or None: a plain tensor cannot be assigned to those.
    """

    config: Config
    dtype: str

    num_features: Value
    eps: Value
    momentum: Value
    affine: Value
    track_running_stats: Value
    training: Value

    weight: Optional[Slot]
    bias: Optional[Slot]
    running_mean: Optional[Slot]
    running_var: Optional[Slot]
    num_batches_tracked: Optional[Counter]

    parameters: FrozenSet[str] = frozenset({"weight", "bias"})

    def changed(self, **fields: Any) -> State:
        """With other values of these fields."""
        values = list(self)
        for name, value in fields.items():
            values[_PLACES[name]] = value
        return tuple.__new__(State, values)  # as _replace would, in a third of the time

    def tensor(self, name: str) -> Union[None, Slot, Counter]:
        """The entry called ``name``, one of TENSORS."""
        slot: Union[None, Slot, Counter] = getattr(self, name)
        return slot

    def tensors(self) -> Tuple[Union[None, Slot, Counter], ...]:
        """The entries in the order of TENSORS."""
        return self[8:13]

    def flags(self) -> Tuple[Value, ...]:
        """The plain attributes, in the order of FLAGS."""
        return self[2:8]

    def present(self) -> Tuple[str, ...]:
        """The names of the entries that are not None: the keys of the state dict."""
        return tuple(name for name in TENSORS if getattr(self, name) is not None)


_PLACES = {name: place for place, name in enumerate(State._fields)}

TENSORS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
FLAGS = ("num_features", "eps", "momentum", "affine", "track_running_stats", "training")


class ExpectedError(NamedTuple):
    """The exception a step must raise: the class's name and a regular expression for the message."""

    kind: str
    pattern: str


class Expected(NamedTuple):
    """What a step must show.

    ``state``: the module afterwards, also after an exception. ``output``: of a forward. ``error``:
    the exception, if one must be raised. ``requires_grad``: of the output. ``copied``: the step
    replaced the module by a copy, which must share no memory with the original. ``switches``: the
    release-dependent rules that decided this result. ``shown``: the text that the step asked for.
    """

    state: State
    output: Optional[ExpectedOutput] = None
    error: Optional[ExpectedError] = None
    requires_grad: bool = False
    copied: bool = False
    switches: Tuple[str, ...] = ()
    shown: Optional[str] = None

    def decided_by(self, switches: Tuple[str, ...]) -> Expected:
        """The same with these switches."""
        return Expected(*self[:5], switches, *self[6:])
