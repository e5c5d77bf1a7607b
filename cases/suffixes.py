"""Suffix axes: axes whose word stands at the end of an id, and is left out at the axis's default.

There are two kinds. An axis of the *program* changes what the steps of a matrix case do: its words are
listed in PROGRAM. ``matrix-...-float32-x_sliced-g_offset`` is the case ``matrix-...-float32`` with sliced
inputs, and with a backward after every forward. Spelled-out ids do not need these words, because their
steps contain the layouts and backwards. An axis of the *values* is an entry in SUFFIXES and a field of
the same name, with a default, in ``cases.variants.Variant``: ``matrix-...-float32-x_sliced-seed7`` draws
the inputs with the seed 7. Every id of the matrix and every spelled-out id accepts its word.

Existing ids keep their meaning when an axis or a word is added.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from cases.errors import CaseError, quoted
from cases.inputs.upstream import UPSTREAM
from cases.variants import GRADIENT_LAYOUTS, LAYOUTS, Variant

NO_BACKWARD = "no_backward"
"""The word of the upstream axis for a program without a backward."""

PROGRAM: Dict[str, Tuple[str, ...]] = {
    "layout": tuple(f"x_{word}" for word in LAYOUTS),
    "upstream": (NO_BACKWARD, *(f"g_{word}" for word in UPSTREAM)),
    "gradient_layout": tuple(f"gl_{word}" for word in GRADIENT_LAYOUTS),
}
"""Maps an axis of the program to its words, in the order in which they stand in an id. The first word is
the default and is left out. layout: how the inputs lie in memory. upstream: the upstream gradient of the
backward after every forward. gradient_layout: how that gradient lies in memory."""

LARGEST_SEED = 2**63 - 1
"""The largest int64, which is the largest seed that the command line accepts."""


class Suffix(NamedTuple):
    """The functions that read and write the values of one axis.

    ``read``: returns the value that a word of an id writes, None if the word belongs to no value of this
    axis; raises CaseError for a word that is meant for this axis and is no value. ``write``: the inverse.
    """

    read: Callable[[str], Optional[Any]]
    write: Callable[[Any], str]


def _read_seed(word: str) -> Optional[int]:
    if not word.startswith("seed"):
        return None
    digits = word[len("seed") :]
    if re.fullmatch("[1-9][0-9]{0,18}", digits) and int(digits) <= LARGEST_SEED:
        return int(digits)
    raise CaseError(
        f"a seed of at most {LARGEST_SEED} is written seed1, seed2, ..., and seed 0 is left out; "
        f"{quoted(word)} is neither"
    )


SUFFIXES: Dict[str, Suffix] = {"seed": Suffix(_read_seed, "seed{}".format)}
"""Maps a field of Variant to its suffix, in the order in which the words stand in an id."""


def write_program(words: Sequence[str]) -> Tuple[str, ...]:
    """Return the words that stand in an id, given one word of every axis of PROGRAM."""
    return tuple(word for word, axis in zip(words, PROGRAM.values()) if word != axis[0])


def read_program(words: Sequence[str]) -> Tuple[str, ...]:
    """Return one word of every axis of PROGRAM, given the words that stand in an id; raises CaseError."""
    found: List[str] = []
    rest = list(words)
    for axis in PROGRAM.values():
        found.append(rest.pop(0) if rest and rest[0] in axis[1:] else axis[0])
    if rest:
        accepted = "; then ".join(", ".join(axis[1:]) for axis in PROGRAM.values())
        raise CaseError(
            f"{quoted(rest[0])} is no word for the end of an id, or out of place; accepted: {accepted}"
        )
    return tuple(found)


def write(variant: Variant) -> str:
    """Return the end of an id: a hyphen and a word for every field that is not at its default."""
    return "".join(
        f"-{suffix.write(getattr(variant, field))}"
        for field, suffix in SUFFIXES.items()
        if getattr(variant, field) != variant._field_defaults[field]
    )


def split(case_id: str) -> Tuple[str, Dict[str, Any]]:
    """Return the id without its suffix words, and the fields of Variant that these words write.

    Raises CaseError for a suffix word that writes no value.
    """
    values = {}
    for field, suffix in reversed(list(SUFFIXES.items())):
        plain, _, word = case_id.rpartition("-")
        value = suffix.read(word)
        if value is not None:
            case_id, values[field] = plain, value
    return case_id, values
