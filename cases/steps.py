"""The step types: every operation that a program can perform on a live module, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple, Union

from cases.derivatives import (
    CALLING,
    Accumulate,
    Backward,
    Detach,
    Double,
    Jvp,
    Nested,
    Triple,
    Vjp,
    ZeroGrad,
)

Value = Union[None, bool, int, float, str]
"""A value that can be assigned to a flag."""

OVERWRITTEN = ("output_overwritten", "input_overwritten")
"""The calls with an input that requires a gradient after which the output, or the input, is set to 0 in
place, as an in-place activation or a reused buffer would: ``y.detach().zero_()``."""

WAYS = ("forward", "no_grad", "input_grad", "hooked", "inference", "view", "detached", *OVERWRITTEN)
"""The ways to call a module. forward: an ordinary call. no_grad: a call under ``torch.no_grad()``.
input_grad: a call with an input that requires a gradient. hooked: a call of a module with a forward
pre-hook and a forward hook; the text tells which were called, in order. inference: a call under
``torch.inference_mode()``. view: a call with a view of a tensor that requires a gradient. detached: a
call with such a tensor's detached view. The words of OVERWRITTEN: see there."""

WITH_GRADIENT = ("input_grad", "view", "detached", *OVERWRITTEN)
"""The ways in which the input, or what it is made of, requires a gradient."""

ATTACH_KINDS = ("tensor", "parameter", "trainable")
"""tensor: a plain tensor. parameter: a Parameter with ``requires_grad=False``. trainable: a Parameter
that requires a gradient."""

UNSAVED = "unsaved"
"""The further kind of ``Attach``: ``register_buffer`` registers a tensor with ``persistent=False``."""

FORMS = ("strided", "expanded", "row", "shifted")
"""The ways in which an attached tensor lies in memory if it is not dense from the start of its storage.
strided: every second value of a larger tensor. expanded: one value for all channels. row: shape (1, C).
shifted: the last part of a longer tensor."""

CONVERSIONS = {
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "bfloat16": "bfloat16",
    "to_float16": "float16",
    "to_float32": "float32",
    "to_float64": "float64",
    "to_bfloat16": "bfloat16",
    "to_channels_last": "",
}
"""Maps a word of ``Convert`` to a dtype. to_float16: ``module.to(torch.float16)``; half:
``module.half()``. to_channels_last: ``module.to(memory_format=torch.channels_last)``, which keeps the
dtype; its dtype is empty here."""

RESETS = ("reset_running_stats", "reset_parameters")
"""The two reset methods."""

COPIES = ("deepcopy", "pickle", "state_dict", "copy")
"""deepcopy and pickle copy the live instance; copy is ``copy.copy``, which shares the tensors. state_dict
constructs a module with the case's configuration, loads the live instance's state dict into it strictly,
and puts it in the same mode."""

STATE_DICTS = ("legacy", "empty", "no_counter", "version_1", "plain", "longer")
"""The state dicts that are loaded in every state; ``cases.state_dicts`` has these and others. legacy: a
state dict without a counter, as in files from before torch 0.4.1."""

SHOWN = (
    *("repr", "keys", "version", "extra_repr", "order", "returns", "entries", "methods", "made"),
    "parent",
)
"""repr: the text, without the class's name. keys: the sorted names in the state dict. version: the number
in the metadata of the state dict. extra_repr: what the module adds to the text. order: the names of
parameters, buffers and state dict in their order. returns: those of train, eval and to that return the
module; they are called, and the mode is restored. entries: dtype, shape and memory of what is in a state
dict with a prefix, and whether it has the tensors themselves, as with keep_vars. methods: those of the
converting methods that return the module, called on a copy. made: dtype and device of the tensors of
another module, made in float64 on the meta device, and its dtype where the default dtype is float64.
parent: the sorted names in the state dict of a Sequential that holds the module, and the version."""

TRIED = ("hooks", "backward_hooks", "visits", "tensors", "calls", "habits")
"""The further words of ``Show``. hooks: those that are called, in order, when a copy of the module with
another forward, and a deep copy of that, are called, saved and loaded. backward_hooks: those that are
called when such a copy is differentiated. visits: the names of tensors with a prefix, those of modules,
and whether apply visits the module once and returns it. tensors: how other modules of the class list
their tensors, hold them in memory, convert, share, copy and delete them. calls: what calls of other
modules of the class return, and what they leave behind. habits: what other modules of the class keep of a
call, which arguments they refuse, and whether they are as any module."""


@dataclass(frozen=True)
class Forward:
    """``module(batch)``. The case's variant says which values the named batch holds.

    ``way``: one of WAYS.
    """

    batch: str
    way: str = "forward"


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
    """``module.<name> = <value>`` for one of FLAGS, on the live instance, or a number for one of TENSORS.

    torch refuses a number in the place of a tensor.

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

    ``kind``: one of ATTACH_KINDS or UNSAVED, which may end in one of FORMS, as in ``tensor.strided``. The
    values are those of ``cases.inputs.attached``; a counter gets ``cases.variants.ATTACHED_COUNT``.
    """

    name: str
    kind: str

    @property
    def form(self) -> str:
        """One of FORMS, or empty."""
        return self.kind.partition(".")[2]


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
    """Load a state dict into the live instance; ``what``: a word of ``cases.state_dicts.TABLE``."""

    what: str


@dataclass(frozen=True)
class Show:
    """Ask the module for a description of itself; ``what``: one of SHOWN or TRIED."""

    what: str


@dataclass(frozen=True)
class Convert:
    """Convert the module to a dtype or a memory format; ``how``: one of CONVERSIONS."""

    how: str


@dataclass(frozen=True)
class RequireGrad:
    """``module.requires_grad_(value)``."""

    value: bool


@dataclass(frozen=True)
class Alias:
    """``module.<name> = module.<source>``: one of FLOATING becomes the same tensor as another."""

    name: str
    source: str


@dataclass(frozen=True)
class Overwrite:
    """Copy the values that ``Attach`` attaches into every parameter and running statistic present.

    The copy goes through ``data``, so autograd does not see it.
    """


Step = Union[
    Forward,
    Backward,
    Accumulate,
    Double,
    Triple,
    Jvp,
    Vjp,
    Nested,
    ZeroGrad,
    Detach,
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
    Convert,
    RequireGrad,
    Alias,
    Overwrite,
]

TRAIN = Mode(True)
EVAL = Mode(False)
PRESET = Preset()
OVERWRITE = Overwrite()
ZERO_GRAD = ZeroGrad()


def forwards(step: Step) -> Tuple[Forward, ...]:
    """Return the forwards that a step performs, in order; none for a step of another type."""
    if isinstance(step, Forwards):
        return tuple(Forward(f"{step.series}{number}") for number in range(step.count))
    if isinstance(step, CALLING):
        return (Forward(step.batch),)
    return (step,) if isinstance(step, Forward) else ()
