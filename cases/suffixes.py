"""Axes that stand at the end of an id as a word of their own, and not at all at their default.

``matrix-...-float32-seed7`` is the case ``matrix-...-float32`` with the seed 7. A new axis is an entry in
SUFFIXES and a field of the same name, with a default, in ``cases.variants.Variant``. Ids that exist keep
their meaning, and every id of the matrix and every spelled-out id accepts the new word.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

from cases.errors import CaseError, quoted
from cases.variants import Variant

LARGEST_SEED = 2**63 - 1
"""The largest int64, as is accepted on the command line."""


class Suffix(NamedTuple):
    """How the values of one axis are read and written.

    ``read``: the value that a word of an id writes, None if the word belongs to no value of this axis;
    raises CaseError for a word that is meant for this axis and is no value. ``write``: the inverse.
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
"""Field of Variant to its suffix, in the order in which the words stand in an id."""


def write(variant: Variant) -> str:
    """The end of an id: a hyphen and a word for every field that is not at its default."""
    return "".join(
        f"-{suffix.write(getattr(variant, field))}"
        for field, suffix in SUFFIXES.items()
        if getattr(variant, field) != variant._field_defaults[field]
    )


def split(case_id: str) -> Tuple[str, Dict[str, Any]]:
    """The id without its suffix words, and the fields of Variant that these words write.

    Raises CaseError for a suffix word that writes no value.
    """
    values = {}
    for field, suffix in reversed(list(SUFFIXES.items())):
        plain, _, word = case_id.rpartition("-")
        value = suffix.read(word)
        if value is not None:
            case_id, values[field] = plain, value
    return case_id, values
