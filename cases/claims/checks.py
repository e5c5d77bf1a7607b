"""What a public text says about one step, as data; ``tests.conformance.by_hand`` evaluates it.

A step is counted as in findings: 0 is construction, n the n-th step of the program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple, Union

from cases.steps import Value


@dataclass(frozen=True)
class Prints:
    """The quantity prints as these words, four decimals, one a channel (of an output: one a plane,
    every element of which must print so)."""

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
    """Just these of weight, bias and the buffers are not None."""

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
    """The quantity is the formula's value, within the oracle's budget."""

    step: int
    quantity: str
    formula: str


@dataclass(frozen=True)
class Differs:
    """The quantity is away from the formula's value by more than a hundred budgets somewhere."""

    step: int
    quantity: str
    formula: str


@dataclass(frozen=True)
class Near:
    """The mean absolute difference from the formula's value lies between the two bounds."""

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
    """Every one of the quantities has other bytes than at step ``since``."""

    step: int
    since: int
    quantities: Tuple[str, ...]


@dataclass(frozen=True)
class Raises:
    """The step raises this class of exception."""

    step: int
    kind: str


@dataclass(frozen=True)
class Returns:
    """The step raises nothing."""

    step: int


Check = Union[
    Prints, HasFlag, HasKeys, HasShape, Equals, Differs, Near, Unchanged, Changed, Raises, Returns
]
