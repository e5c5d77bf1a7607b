"""The program that an id stands for: its construction, its steps, its words on the axes of the matrix.

This module reads ``cases``, so it is imported only where a page is made.
"""

from __future__ import annotations

import inspect
from typing import Dict, List, NamedTuple, Sequence, Tuple

from cases import catalogue
from cases.construction import Config
from cases.errors import CaseError
from cases.matrix.axes import AXES, LEADING
from cases.spelling import parse_step, token
from cases.suffixes import read_program, split
from reports.circumstances import family

MATRIX = "matrix"

FAMILY = "family"
"""The axis of the first words of ids."""


class Axis(NamedTuple):
    """An axis to choose cases by, and its words."""

    name: str
    words: Tuple[str, ...]


class Program(NamedTuple):
    """A case in words.

    ``construction``: the call. ``inputs``: lane, shape, dtype and seed of the batches. ``note``: why the
    case exists, and its source; "" where the id says so.
    """

    construction: str
    inputs: str
    steps: Tuple[str, ...]
    note: str


UNKNOWN = Program("", "", (), "")
"""The program of an id that this version of the suite does not know."""


def axes(ids: List[str]) -> Tuple[Axis, ...]:
    """Return the axis of the families of ``ids``, and those of the matrix where there are such ids."""
    families = Axis(FAMILY, tuple(sorted({family(case) for case in ids})))
    if MATRIX not in families.words:
        return (families,)
    return (families, *(Axis(name, tuple(words)) for name, words in AXES.items()))


def words(case: str) -> Tuple[str, ...]:
    """Return the word of a case on each axis: of its family, and for the matrix on every other."""
    if family(case) != MATRIX:
        return (family(case),)
    try:
        plain, _ = split(case)
        given = plain.split("-")[1:]
        return (MATRIX, *given[: len(LEADING)], *read_program(given[len(LEADING) :]))
    except CaseError:
        return (MATRIX,)


def program(case: str) -> Program:
    """Return the description of a case by its id, ``UNKNOWN`` if no case has the id."""
    try:
        found = catalogue.find(case)
    except CaseError:
        return UNKNOWN
    variant = found.variant
    return Program(
        _call(found.config),
        f"{variant.lane} lane, shape {variant.shape}, {variant.dtype}, seed {variant.seed}",
        tuple(token(step) for step in found.steps),
        found.note,
    )


VARIATIONS: Dict[str, str] = {
    "no_grad": "Under torch.no_grad().",
    "input_grad": "With an input that requires a gradient.",
    "hooked": "Of a module with a forward pre-hook and a forward hook.",
    "inference": "Under torch.inference_mode().",
    "view": "With a view of a tensor that requires a gradient.",
    "detached": "With a detached view of a tensor that requires a gradient.",
    "output_overwritten": "With an input that requires a gradient; then the output is set to 0 in place.",
    "input_overwritten": "With an input that requires a gradient; then the input is set to 0 in place.",
    "retain": "The graph is kept for another backward.",
    "earlier": "Of the output of the forward before the last.",
    "earliest": "Of the output of the forward before the last two.",
    "double_input": "The input's gradient alone is differentiated.",
    "double_parameters": "The gradients of weight and bias alone are differentiated.",
    "double_alone": "Each second derivative is asked for alone.",
    "double_constant": "The upstream gradient requires no gradient.",
    "accumulate_retain": "The graph is kept for another backward.",
}
"""Maps a verb that varies what its type of step does to the way in which it does."""


def meanings(tokens: Sequence[str]) -> Dict[str, str]:
    """Return a description for every verb of a step, from the docstring of its type."""
    found: Dict[str, str] = {}
    for each in tokens:
        verb = each.partition(":")[0]
        first = (inspect.getdoc(type(parse_step(each))) or "").partition("\n\n")[0]
        found[verb] = f"{first} {VARIATIONS.get(verb, '')}".replace("``", "").replace("\n", " ").strip()
    return found


def _call(config: Config) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in config.passed())
    return f"BatchNorm2d({config.num_features}{', ' if given else ''}{given})"
