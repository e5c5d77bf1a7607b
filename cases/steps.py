"""The step types: every operation that a program can perform on a live module, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple, Union

Value = Union[None, bool, int, float, str]
"""A value that can be assigned to a flag."""

GRADS = ("grad", "no_grad", "input_grad", "inference")
"""grad: an ordinary call. no_grad: a call under ``torch.no_grad()``. input_grad: a call with an input
that requires a gradient. inference: a call under ``torch.inference_mode()``."""

ATTACH_KINDS = ("tensor", "parameter", "trainable")
"""tensor: a plain tensor. parameter: a Parameter with ``requires_grad=False``. trainable: a Parameter
that requires a gradient."""

RESETS = ("reset_running_stats", "reset_parameters")
"""The two reset methods."""

COPIES = ("deepcopy", "pickle", "state_dict")
"""deepcopy and pickle copy the live instance. state_dict constructs a module with the case's
configuration, loads the live instance's state dict into it strictly, and puts it in the same mode."""

STATE_DICTS = ("legacy", "empty", "no_counter", "version_1", "plain", "longer")
"""legacy: every entry but the counter and no version metadata, as files written before torch 0.4.1
have. no_counter: as legacy, with metadata of version 2. version_1: as legacy, with metadata of version
1. empty: no entry, loaded with ``strict=False``. plain: every entry and no metadata. longer: every
entry and metadata, and a running_mean that is one value too long."""

SHOWN = ("repr", "keys", "version")
"""repr: the text, without the class's name. keys: the sorted names in the state dict. version: the
number in the metadata of the state dict."""


@dataclass(frozen=True)
class Forward:
    """``module(batch)``. The case's variant says which values the named batch holds.

    ``grad``: one of GRADS.
    """

    batch: str
    grad: str = "grad"


@dataclass(frozen=True)
class Backward:
    """``torch.autograd.grad`` of the output of a forward, for input, weight and bias.

    ``upstream``: the upstream gradient, a name of ``cases.inputs.upstream`` that may end in a layout.
    ``retain``: the graph is kept for another backward. ``earlier``: of the forward before the last one
    that returned an output, not of the last.
    """

    upstream: str
    retain: bool = False
    earlier: bool = False


@dataclass(frozen=True)
class Accumulate:
    """``output.backward(upstream)`` for the output of the last forward: adds gradients to ``.grad``.

    ``upstream``, ``retain``: as in ``Backward``.
    """

    upstream: str
    retain: bool = False

    @property
    def backward(self) -> Backward:
        """The step that returns the gradients which this one adds."""
        return Backward(self.upstream, self.retain)


@dataclass(frozen=True)
class Double:
    """Differentiate gradients: ``torch.autograd.grad`` of what it returns with ``create_graph=True``.

    The gradients are those of the output of the last forward for input, weight and bias, as far as they
    require one; they are differentiated with respect to input, weight and the upstream gradient.
    ``upstream``: the upstream gradient. ``direction``: what the input's gradient is multiplied by, a name
    as for ``upstream``; those of weight and bias are multiplied by ``cases.inputs.attached``.
    """

    upstream: str
    direction: str


@dataclass(frozen=True)
class ZeroGrad:
    """``module.zero_grad()``."""


@dataclass(frozen=True)
class Forwards:
    """``module(batch)`` for the batches <series>0 to <series><count - 1>.

    Only the last output and the module after the last forward are observed.
    """

    series: str
    count: int


@dataclass(frozen=True)
class Mode:
    """``module.train()`` or ``module.eval()``."""

    training: bool


@dataclass(frozen=True, eq=False)
class SetAttribute:
    """``module.<name> = <value>`` for one of FLAGS, on the live instance.

    Equality and hash distinguish 1, 1.0 and True, and NaN equals itself, because the oracle remembers
    the outcome of a step by equality, and the type of the value is part of the outcome.
    """

    name: str
    value: Value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SetAttribute) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


@dataclass(frozen=True)
class Drop:
    """``module.<name> = None`` for one of TENSORS."""

    name: str


@dataclass(frozen=True)
class Attach:
    """``module.<name> = <new tensor>`` for one of TENSORS.

    ``kind``: one of ATTACH_KINDS. The values are those of ``cases.inputs.attached``; a counter gets
    ``cases.variants.ATTACHED_COUNT``.
    """

    name: str
    kind: str


@dataclass(frozen=True)
class Preset:
    """Copy known values, far from 0 and 1, into every parameter and running statistic present.

    The copy is made in place and without recording gradients. With the initial values 1 and 0, a
    fault in the affine term or in the use of the buffers would not show.
    """


@dataclass(frozen=True)
class Count:
    """``module.num_batches_tracked.fill_(value)``."""

    value: int


@dataclass(frozen=True)
class Reset:
    """``module.<method>()``; ``method``: one of RESETS."""

    method: str


@dataclass(frozen=True)
class Copy:
    """Replace the module by a copy of it; ``how``: one of COPIES."""

    how: str


@dataclass(frozen=True)
class LoadStateDict:
    """Load a state dict into the live instance; ``what``: one of STATE_DICTS."""

    what: str


@dataclass(frozen=True)
class Show:
    """Ask the module for a description of itself; ``what``: one of SHOWN."""

    what: str


Step = Union[
    Forward,
    Backward,
    Accumulate,
    Double,
    ZeroGrad,
    Forwards,
    Mode,
    SetAttribute,
    Drop,
    Attach,
    Preset,
    Count,
    Reset,
    Copy,
    LoadStateDict,
    Show,
]

DIFFERENTIATING = (Backward, Accumulate, Double)
"""The types of the steps that differentiate the output of a forward."""

TRAIN = Mode(True)
EVAL = Mode(False)
PRESET = Preset()
ZERO_GRAD = ZeroGrad()


def forwards(step: Step) -> Tuple[Forward, ...]:
    """The forwards that a step performs, in order; none for a step of another type."""
    if isinstance(step, Forwards):
        return tuple(Forward(f"{step.series}{number}") for number in range(step.count))
    return (step,) if isinstance(step, Forward) else ()
