"""The checks of a claim, as data: each says what one step of the claim's program must do or leave.

``step``: 0 is the construction, n is the n-th step of the program, as in findings. ``quantity``:
``output`` or one of ``cases.attributes.TENSORS``. ``formula``: the name of a formula that the evaluation
of claims computes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple, Union

from cases.steps import Value


@dataclass(frozen=True)
class Prints:
    """The quantity prints as these words, with four decimals, one word per channel.

    An output has one word per plane, and every element of the plane must print as that word.
    """

    step: int
    quantity: str
    words: Tuple[str, ...]


@dataclass(frozen=True)
class HasFlag:
    """The attribute has this value, of this type."""

    step: int
    name: str
    value: Value


@dataclass(frozen=True)
class HasKeys:
    """The entries named here, and no others among weight, bias and the buffers, are not None."""

    step: int
    names: Tuple[str, ...]


@dataclass(frozen=True)
class HasShape:
    """The quantity has this shape."""

    step: int
    quantity: str
    shape: Tuple[int, ...]


@dataclass(frozen=True)
class Equals:
    """Every element of the quantity equals the formula's value within the oracle's budget."""

    step: int
    quantity: str
    formula: str


@dataclass(frozen=True)
class Differs:
    """At least one element differs from the formula's value by more than a hundred budgets."""

    step: int
    quantity: str
    formula: str


@dataclass(frozen=True)
class Near:
    """The mean absolute difference from the formula's value lies between ``least`` and ``most``."""

    step: int
    quantity: str
    formula: str
    least: float
    most: float


@dataclass(frozen=True)
class Unchanged:
    """The quantities have the same bytes as at step ``since``."""

    step: int
    since: int
    quantities: Tuple[str, ...]


@dataclass(frozen=True)
class Changed:
    """Every one of the quantities has different bytes from those at step ``since``."""

    step: int
    since: int
    quantities: Tuple[str, ...]


@dataclass(frozen=True)
class Raises:
    """The step raises an exception of the class named ``kind``."""

    step: int
    kind: str


@dataclass(frozen=True)
class Returns:
    """The step raises nothing."""

    step: int


Check = Union[
    Prints, HasFlag, HasKeys, HasShape, Equals, Differs, Near, Unchanged, Changed, Raises, Returns
]
