"""The checks of a proof, as data: each says what one step of a case must do, according to the oracle.

``step``: 0 is the construction, n is the n-th step of the case's program. ``names``: entries of
``cases.attributes.TENSORS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple, Union


@dataclass(frozen=True)
class Raises:
    """The step raises an exception of the class ``kind``, whose message has these words."""

    step: int
    kind: str
    words: str = ""


@dataclass(frozen=True)
class Returns:
    """The step raises nothing."""

    step: int


@dataclass(frozen=True)
class Unchanged:
    """The entries have the same numbers as after the step ``since``."""

    step: int
    since: int
    names: Tuple[str, ...]


@dataclass(frozen=True)
class Changed:
    """Every one of the entries has other numbers than after the step ``since``."""

    step: int
    since: int
    names: Tuple[str, ...]


@dataclass(frozen=True)
class Counts:
    """num_batches_tracked is ``value`` after the step; for None, it is None."""

    step: int
    value: Union[None, int]


@dataclass(frozen=True)
class NormalisesBy:
    """The forward normalises by these statistics: ``batch`` or ``running``."""

    step: int
    statistics: str


@dataclass(frozen=True)
class Moves:
    """The forward makes running_mean (1 - factor) * old + factor * batch mean.

    It makes running_var likewise, with the unbiased variance.
    """

    step: int
    factor: float


@dataclass(frozen=True)
class Entries:
    """These entries are there, and the others are None."""

    step: int
    names: Tuple[str, ...]


@dataclass(frozen=True)
class Gradients:
    """The backward gives gradients of these of input, weight and bias, and of no other."""

    step: int
    names: Tuple[str, ...]


@dataclass(frozen=True)
class Grads:
    """These of input, weight and bias have a ``.grad``, and that of the others is None."""

    step: int
    names: Tuple[str, ...]


@dataclass(frozen=True)
class NotFinite:
    """Each of the entries has a NaN or an infinity in this number of channels."""

    step: int
    names: Tuple[str, ...]
    channels: int


@dataclass(frozen=True)
class Shares:
    """The copy shares the memory of these entries with the original, and of no other."""

    step: int
    names: Tuple[str, ...]


@dataclass(frozen=True)
class Says:
    """The text that the step asks for has these words."""

    step: int
    words: str


@dataclass(frozen=True)
class LaidOut:
    """The output has these strides: ``contiguous`` or ``channels_last``."""

    step: int
    strides: str


@dataclass(frozen=True)
class Dtypes:
    """The dtype of the output, empty for a step without one, and of the module's floating tensors."""

    step: int
    output: str
    module: str


Check = Union[
    Raises,
    Returns,
    Unchanged,
    Changed,
    Counts,
    NormalisesBy,
    Moves,
    Entries,
    Gradients,
    Grads,
    NotFinite,
    Shares,
    Says,
    LaidOut,
    Dtypes,
]
