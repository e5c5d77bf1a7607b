"""The state of a BatchNorm2d between two calls, as immutable data, and what a step must show."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Callable, FrozenSet, NamedTuple, Optional, Tuple, Union

from cases.attributes import FLAGS, FLOATING, PARAMETERS, TENSORS
from cases.construction import Config
from cases.inputs import Batch
from cases.steps import Value
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.normalisation import ExpectedOutput


@dataclass(frozen=True, eq=False)
class ExpectedGradient:
    """A gradient that a backward must give; ``oracle.backward`` computes its numbers.

    ``name``: ``input``, ``weight`` or ``bias``. ``dtype``: its dtype. ``strides``: ``contiguous`` or
    ``channels_last``. ``any_order``: only the bound for sums in any order holds. ``projected``: in train
    mode, the input's gradient has its part along x - m subtracted. ``narrow_sums``: every addition of its
    sums is rounded to the format that is computed in. Compared by identity.
    """

    name: str
    output: ExpectedOutput
    upstream: Batch
    dtype: str
    strides: str
    any_order: bool = False
    projected: bool = True
    narrow_sums: bool = False

    @property
    def shape(self) -> Tuple[int, ...]:
        """The shape of the tensor that it is the gradient of."""
        return self.output.shape if self.name == "input" else (self.output.mean.channels,)


@dataclass(frozen=True, eq=False)
class Grad:
    """The contents of the ``.grad`` of a tensor; ``oracle.accumulation`` computes the numbers.

    ``parts``: the gradients that were added up; zeros if there are none. ``strides``: ``contiguous``, or
    ``as_leaf``: the strides of the tensor if it is dense and its numbers do not overlap, else contiguous.
    ``converted``: the earlier contents, before they were rounded to ``dtype`` and the parts were added;
    None if they were not converted. Compared by identity.
    """

    parts: Tuple[ExpectedGradient, ...]
    dtype: str
    shape: Tuple[int, ...]
    strides: str
    converted: Optional[Grad] = None


class Tensor(NamedTuple):
    """A floating-point tensor on the module: a parameter or a running statistic.

    ``identity`` stands for the Python object: an update in place keeps it, a new tensor has another.
    ``version`` counts the writes that autograd sees: all but those of a forward into running buffers.
    ``form``: one of ``cases.steps.FORMS``, or empty.
    """

    numbers: Budgeted
    identity: object
    requires_grad: bool = False
    version: int = 0
    form: str = ""
    grad: Optional[Grad] = None

    @property
    def overlaps(self) -> bool:
        """Whether several channels share one place, so that torch must refuse a write in place."""
        return self.form == "expanded" and self.numbers.channels > 1

    def holding(self, numbers: Budgeted) -> Tensor:
        """Return the tensor after other numbers were written into it."""
        return self._replace(numbers=numbers, version=self.version + 1)

    def updated(self, numbers: Budgeted) -> Tensor:
        """Return the tensor after a forward updated it, which autograd does not see."""
        return self._replace(numbers=numbers)


class Counter(NamedTuple):
    """num_batches_tracked, an int64 scalar."""

    value: int
    identity: object

    def at(self, value: int) -> Counter:
        """Return the tensor after another value was written into it."""
        return self._replace(value=value)


Entry = Union[None, Tensor, Counter]
"""The types of an entry of TENSORS."""


class Saved(NamedTuple):
    """A tensor that autograd keeps for the backward pass, and its version at that time."""

    name: str
    identity: object
    version: int


class Graph(NamedTuple):
    """The record that autograd made of a forward.

    ``trainable``: those of ``input``, ``weight`` and ``bias`` that require a gradient. ``saved``: the
    tensors that the backward pass reads. ``freed``: a backward has used the graph up. ``leaves``: the
    identities of weight and bias, in this order. ``frozen``: those of ``trainable`` that
    were frozen since. ``modified``: a saved tensor was written to after the forward, and autograd saw
    it. ``grad``: what lies in the ``.grad`` of the input.
    """

    output: ExpectedOutput
    trainable: Tuple[str, ...]
    saved: Tuple[Saved, ...]
    freed: bool = False
    leaves: Tuple[object, ...] = (None, None)
    frozen: FrozenSet[str] = frozenset()
    modified: bool = False
    grad: Optional[Grad] = None

    def beside(self, state: State) -> Graph:
        """Return the graph after the module has changed to this state."""
        for saved in self.saved:
            tensor = state.entry(saved.name)
            if not isinstance(tensor, Tensor) or tensor.identity is not saved.identity:
                continue
            if tensor.version != saved.version:
                return self._replace(modified=True)
        return self


@dataclass(frozen=True, eq=False)
class State:
    """A BatchNorm2d between two steps. Compared by identity.

    The first block are plain attributes, free to be assigned at any time (``FLAGS``); the second the
    tensors, each of which may be None (``TENSORS``). ``parameters`` names the entries registered as
    parameters, in their order, present or None: a plain tensor cannot be assigned to those. ``unsaved``:
    the buffers that the state dict leaves out. ``graphs``: what autograd recorded of the last two
    forwards that returned an output, the last one first.
    """

    config: Config
    dtype: str

    num_features: Value
    eps: Value
    momentum: Value
    affine: Value
    track_running_stats: Value
    training: Value

    weight: Optional[Tensor]
    bias: Optional[Tensor]
    running_mean: Optional[Tensor]
    running_var: Optional[Tensor]
    num_batches_tracked: Optional[Counter]

    parameters: Tuple[str, ...] = PARAMETERS
    unsaved: FrozenSet[str] = frozenset()
    graphs: Tuple[Graph, ...] = ()

    def changed(self, **fields: Any) -> State:
        """Return the state with other values of these fields."""
        state = dataclasses.replace(self, **fields)
        if not state.graphs or not any(name in fields for name in FLOATING):
            return state
        return dataclasses.replace(state, graphs=tuple(each.beside(state) for each in state.graphs))

    def written(self, tensor: Tensor) -> State:
        """Return the state in which the tensor replaces its earlier value, under every name it has."""
        names = [name for name in FLOATING if getattr(self, name) is not None]
        same = [name for name in names if getattr(self, name).identity is tensor.identity]
        return self.changed(**dict.fromkeys(same, tensor))

    def entry(self, name: str) -> Entry:
        """The entry called ``name``, one of TENSORS."""
        entry: Entry = getattr(self, name)
        return entry

    def entries(self) -> Tuple[Entry, ...]:
        """The entries in the order of TENSORS."""
        return tuple([getattr(self, name) for name in TENSORS])

    def tensors(self) -> Tuple[Tensor, ...]:
        """The floating-point tensors that are there."""
        return tuple([each for each in self.entries() if isinstance(each, Tensor)])

    def flags(self) -> Tuple[Value, ...]:
        """The plain attributes, in the order of FLAGS."""
        return tuple([getattr(self, name) for name in FLAGS])

    def grads(self) -> Tuple[Tuple[str, Grad], ...]:
        """The last forward's input, weight and bias, as far as they have a ``.grad``, with that
        ``.grad``."""
        found = [("input", self.graphs[0].grad)] if self.graphs else []
        for name, tensor in (("weight", self.weight), ("bias", self.bias)):
            found.append((name, None if tensor is None else tensor.grad))
        return tuple((name, grad) for name, grad in found if grad is not None)

    def present(self) -> Tuple[str, ...]:
        """The names of the entries that are not None."""
        return tuple(name for name in TENSORS if getattr(self, name) is not None)

    def keys(self) -> Tuple[str, ...]:
        """The names in the state dict, in the order of TENSORS."""
        return tuple(name for name in self.present() if name not in self.unsaved)


GRADIENTS = ("input", "weight", "bias")
"""The tensors that a backward gives gradients of, in this order."""


@dataclass(frozen=True, eq=False)
class ExpectedSecond:
    """A gradient of gradients; ``oracle.second_derivatives`` computes its numbers. Compared by identity.

    ``name``: the tensor with respect to which it is taken, one of SECONDS. ``direction``: the direction
    of the input's gradient. ``differentiated``: those of GRADIENTS that were differentiated. ``dtype``:
    its dtype.
    """

    name: str
    output: ExpectedOutput
    upstream: Batch
    direction: Batch
    differentiated: Tuple[str, ...]
    dtype: str

    @property
    def shape(self) -> Tuple[int, ...]:
        """The shape of the tensor with respect to which it is taken."""
        return (self.output.mean.channels,) if self.name == "weight" else self.output.shape


SECONDS = ("input", "weight", "upstream")
"""The tensors with respect to which gradients are differentiated, in this order."""


class ExpectedError(NamedTuple):
    """The exception a step must raise: the name of its class and a regular expression for its message."""

    kind: str
    pattern: str


@dataclass(frozen=True, eq=False)
class Expected:
    """Everything that a step must show. Compared by identity.

    ``state``: the module afterwards, also after an exception. ``output``: that of a forward.
    ``error``: the exception, if one must be raised. ``copied``: the step replaced the module by a copy,
    which must share the memory of the tensors ``shared`` with the original, and of no other.
    ``text``: the text that a step asked for. ``input_changed``: the step wrote to its input, by a
    defect.
    ``gradients``: those of a backward, in the order of GRADIENTS, None where there is none.
    ``seconds``: those of a double backward, in the order of SECONDS.
    ``switches``: the release-dependent rules that decided this result.
    """

    state: State
    output: Optional[ExpectedOutput] = None
    error: Optional[ExpectedError] = None
    copied: bool = False
    shared: Tuple[str, ...] = ()
    text: Optional[str] = None
    input_changed: bool = False
    gradients: Optional[Tuple[Optional[ExpectedGradient], ...]] = None
    seconds: Tuple[ExpectedSecond, ...] = ()
    switches: Tuple[str, ...] = ()


Meaning = Callable[..., Expected]
"""A function from (state, step, variant, rules) to what the step must show; raises Refusal."""
