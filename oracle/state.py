"""The state of a BatchNorm2d between two calls, as immutable data, and what a step must show."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Callable, FrozenSet, NamedTuple, Optional, Tuple, Union

from cases.attributes import FLAGS, FLOATING, PARAMETERS, TENSORS
from cases.construction import Config
from cases.steps import Step, Value
from oracle.expected_derivatives import ExpectedDerivative, ExpectedGradient, Grad
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.normalisation import ExpectedOutput


class Tensor(NamedTuple):
    """A floating-point tensor on the module: a parameter or a running statistic.

    ``numbers``: float64, shape (C,), whatever the form.
    ``identity`` stands for the Python object: an update in place keeps it, a new tensor has another.
    ``version`` counts the writes that autograd sees: all but those of a forward into running buffers.
    ``form``: one of ``cases.steps.FORMS``, or empty. ``dtype``: empty for the module's.
    """

    numbers: Budgeted
    identity: object
    requires_grad: bool = False
    version: int = 0
    form: str = ""
    grad: Optional[Grad] = None
    dtype: str = ""

    @property
    def overlaps(self) -> bool:
        """Whether several channels share one place, so that torch must refuse a write in place."""
        return self.form == "expanded" and self.numbers.channels > 1

    @property
    def gaps(self) -> bool:
        """Whether there are gaps between the elements in memory, or several share one place."""
        return self.form == "strided" or self.overlaps

    def holding(self, numbers: Budgeted) -> Tensor:
        """Return the tensor after other numbers were written into it."""
        return self._replace(numbers=numbers, version=self.version + 1)

    def updated(self, numbers: Budgeted) -> Tensor:
        """Return the tensor after a forward updated it, which autograd does not see."""
        return self._replace(numbers=numbers)


class Counter(NamedTuple):
    """num_batches_tracked, an int64 scalar.

    ``inference``: it was made under ``torch.inference_mode()``, so torch refuses a write outside of that.
    """

    value: int
    identity: object
    inference: bool = False

    def at(self, value: int) -> Counter:
        """Return the tensor after another value was written into it."""
        return self._replace(value=value)


Entry = Union[None, Tensor, Counter]
"""The types of an entry of TENSORS."""


class Saved(NamedTuple):
    """A tensor that autograd keeps for the backward pass, and its version at that time.

    ``numbers``: what lies in it by now, also after the module has dropped it. ``form``: as in ``Tensor``.
    ``dtype``: its dtype by now, which a conversion of the module changes. ``stale``: a conversion has
    given the tensor new memory, and left this one; a write to the tensor still counts as one to this.
    """

    name: str
    identity: object
    version: int
    numbers: Budgeted
    form: str
    dtype: str
    stale: bool = False


class Graph(NamedTuple):
    """The graph that autograd made of a forward.

    ``trainable``: those of ``input``, ``weight`` and ``bias`` that require a gradient. ``saved``: the
    tensors that the backward pass reads. ``dtype``: that of the module at that time. ``freed``: a
    backward has used the graph up. ``leaves``: the identities of weight and bias, in this order.
    ``frozen``: those of ``trainable`` that were frozen since. ``thawed``: others, trainable since.
    ``modified``: a saved tensor was written to after the forward, and autograd saw it. ``grad``: what
    lies in the ``.grad`` of the input. ``renewed``: those of ``trainable`` that a conversion of the
    module has replaced in the graphs of later forwards; ``autograd.grad`` does not find them in this
    graph. ``rows``: those of weight and bias that have the shape (1, C). ``weight_dtype``: the dtype of
    the weight by now, if a conversion of the module has changed it. ``strangers``: those of ``trainable``
    in whose place the module has another Parameter, which the graph of a path does not read.
    """

    output: ExpectedOutput
    trainable: Tuple[str, ...]
    saved: Tuple[Saved, ...]
    dtype: str
    freed: bool = False
    leaves: Tuple[object, ...] = (None, None)
    frozen: FrozenSet[str] = frozenset()
    thawed: FrozenSet[str] = frozenset()
    modified: bool = False
    grad: Optional[Grad] = None
    renewed: FrozenSet[str] = frozenset()
    rows: FrozenSet[str] = frozenset()
    weight_dtype: str = ""
    strangers: FrozenSet[str] = frozenset()

    @property
    def added(self) -> bool:
        """Whether weight and bias are one tensor, so that their gradients are added."""
        return self.leaves[0] is not None and self.leaves[0] is self.leaves[1]

    @property
    def wanted(self) -> FrozenSet[str]:
        """The names among input, weight and bias whose gradients ``autograd.grad`` returns."""
        return frozenset(self.trainable) - self.frozen - self.renewed - self.strangers

    @property
    def mixed(self) -> bool:
        """Whether the backward pass reads a tensor of another dtype than the forward did."""
        mixed = any(each.dtype != self.dtype for each in self.saved)
        return mixed and bool(self.output.batch.values.size)

    def beside(self, state: State) -> Graph:
        """Return the graph after the module has changed to this state."""
        tensors = {id(tensor.identity): tensor for tensor in state.tensors()}
        kept, modified = [], self.modified
        for saved in self.saved:
            tensor = tensors.get(id(saved.identity))
            if tensor is not None:
                modified = modified or tensor.version != saved.version
                saved = saved if saved.stale else saved._replace(numbers=tensor.numbers)
            kept.append(saved)
        return self._replace(saved=tuple(kept), modified=modified)


@dataclass(frozen=True, eq=False)
class State:
    """A BatchNorm2d between two steps. Compared by identity.

    ``config``: the arguments of the constructor. ``dtype``: of the floating-point tensors. The second
    block has the plain attributes (``FLAGS``), the third the tensors (``TENSORS``), each of which may be
    None. ``parameters`` names the entries registered as parameters, in their order, present or None: a
    plain tensor cannot be assigned to those. ``unsaved``: the buffers that the state dict leaves out.
    ``graphs``: the graphs of the last three forwards that returned an output, the last one
    first. ``path_memory``: what a path to the forward remembers of the module (``oracle.paths``).
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
    path_memory: object = None

    def changed(self, **fields: Any) -> State:
        """Return the state with other values of these fields."""
        state = dataclasses.replace(self, **fields)
        if not state.graphs or not any(name in fields for name in FLOATING):
            return state
        return dataclasses.replace(state, graphs=tuple(each.beside(state) for each in state.graphs))

    def with_last_graph(self, **fields: Any) -> State:
        """Return the state in which the graph of the last forward has other values of these fields."""
        last, *earlier = self.graphs
        return self.changed(graphs=(last._replace(**fields), *earlier))

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

    @property
    def affine_rows(self) -> Tuple[str, ...]:
        """The names among weight and bias whose tensors have the shape (1, C)."""
        return tuple(name for name in PARAMETERS if getattr(self.entry(name), "form", "") == "row")

    def gaps(self, handed_over: bool) -> bool:
        """Whether a parameter has gaps in memory, or, if they are handed over, a running buffer has.

        Then torch takes its general kernel.
        """
        handed = FLOATING if handed_over else PARAMETERS
        found = [self.entry(name) for name in handed]
        return any(isinstance(each, Tensor) and each.gaps for each in found)

    def flags(self) -> Tuple[Value, ...]:
        """The plain attributes, in the order of FLAGS."""
        return tuple([getattr(self, name) for name in FLAGS])

    def grads(self) -> Tuple[Tuple[str, Grad], ...]:
        """Return pairs of a name and its ``.grad``: of the last forward's input, and of the tensors."""
        found = [("input", self.graphs[0].grad)] if self.graphs else []
        for name in FLOATING:
            tensor = self.entry(name)
            found.append((name, tensor.grad if isinstance(tensor, Tensor) else None))
        return tuple((name, grad) for name, grad in found if grad is not None)

    def present(self) -> Tuple[str, ...]:
        """The names of the entries that are not None."""
        return tuple(name for name in TENSORS if getattr(self, name) is not None)

    def keys(self) -> Tuple[str, ...]:
        """The names in the state dict, in the order of TENSORS."""
        return tuple(name for name in self.present() if name not in self.unsaved)


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
    ``derivatives``: those of a double or triple backward, in the order of SECONDS, or a tangent.
    ``switches``: the release-dependent rules that decided this result.
    ``clauses``: the names of the clauses of a path's contract that decided it. ``inside``: what the
    module that the path made, or calls again, shows at this step; the rest is computed from it.
    ``allowances``: pairs of a clause and the result that the step may show instead because of it.
    """

    state: State
    output: Optional[ExpectedOutput] = None
    error: Optional[ExpectedError] = None
    copied: bool = False
    shared: Tuple[str, ...] = ()
    text: Optional[str] = None
    input_changed: bool = False
    gradients: Optional[Tuple[Optional[ExpectedGradient], ...]] = None
    derivatives: Tuple[ExpectedDerivative, ...] = ()
    switches: Tuple[str, ...] = ()
    clauses: Tuple[str, ...] = ()
    inside: Optional[Inside] = None
    allowances: Tuple[Tuple[str, Expected], ...] = ()


class Inside(NamedTuple):
    """A step of the inner module, which a path has made or calls again.

    ``before``: the inner module before the step. ``shown``: what it shows. ``outside``: a function from
    that to what the module under test shows. ``step``: the inner step, None if it is the program's.
    """

    before: State
    shown: Expected
    outside: Callable[[Expected], Expected]
    step: Optional[Step] = None


Meaning = Callable[..., Expected]
"""A function from (state, step, variant, rules) to what the step must show; raises Refusal."""
