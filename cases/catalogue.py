"""The entry point to the cases: the ids of every family in every tier, and the case that an id names."""

from __future__ import annotations

from functools import lru_cache
from typing import Callable, Dict, Iterator, NamedTuple, Tuple

from cases import claims, edges, matrix, paths, states
from cases.case import Case
from cases.errors import CaseError, quoted
from cases.programs import spelled

TIERS = ("smoke", "gate", "full")


class _Family(NamedTuple):
    """The functions of a family.

    ``ids``: returns the ids of a tier. ``find``: returns the case with an id; raises CaseError.
    """

    ids: Callable[[str], Iterator[str]]
    find: Callable[[str], Case]


_FAMILIES: Dict[str, _Family] = {
    "matrix": _Family(matrix.ids, matrix.find),
    "edge": _Family(edges.ids, edges.find),
    "claim": _Family(claims.ids, claims.find),
    "state": _Family(states.ids, states.find),
    spelled.FAMILY: _Family(spelled.ids, spelled.find),
}
"""Maps the first word of an id to its family."""

FAMILIES = tuple(name for name in _FAMILIES if name != spelled.FAMILY)
"""The families with a fixed list of cases. The remaining family, ``steps``, has a case for every
program."""


def ids(family: str, tier: str) -> Iterator[str]:
    """Return the ids of a family in a tier, always in the same order.

    gate and full contain every case of the small families. smoke contains the matrix rows that cover
    every pair of words, and the quick edges.
    """
    return _FAMILIES[family].ids(tier)


def family_of(case_id: str) -> str:
    """Return the first word of an id; raises CaseError when it is no family."""
    family = case_id.partition("-")[0]
    if family not in _FAMILIES:
        raise CaseError(
            f"unknown case id {quoted(case_id)}: it must begin with one of {', '.join(_FAMILIES)}; "
            "list the ids with: pytest --collect-only -q"
        )
    return family


@lru_cache(maxsize=16)
def find(case_id: str) -> Case:
    """Return the case that an id names; raises CaseError for any other text."""
    family = family_of(case_id)
    try:
        plain, path = paths.split(case_id)
        found = _FAMILIES[family].find(plain)
        return found if path == paths.EAGER else found.on(path)
    except CaseError as error:
        raise CaseError(f"unknown case id {quoted(case_id)}: {error}") from None


def select(family: str, tier: str, shard: Tuple[int, int] = (1, 1)) -> Iterator[str]:
    """Return every ``shard[1]``-th id of the family, beginning with the ``shard[0]``-th."""
    number, count = shard
    return (each for place, each in enumerate(ids(family, tier)) if place % count == number - 1)
