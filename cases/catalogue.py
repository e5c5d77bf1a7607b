"""The way in: the ids of every family in every tier, and the case that an id names."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Callable, Dict, Iterator, Sequence, Tuple

from cases import claims, edges, matrix, spelled, states
from cases.case import Case
from cases.errors import CaseError

TIERS = ("smoke", "gate", "full")
FAMILIES = ("matrix", "edge", "claim", "state")
"""The families with a fixed list of cases. The fifth, ``steps``, has a case for every program."""

_STORED = Path(__file__).parent / "tiers"


def _stored(tier: str) -> Iterator[str]:
    with open(_STORED / f"{tier}.txt", encoding="ascii") as lines:
        for line in lines:
            yield line.rstrip("\n")


def ids(family: str, tier: str) -> Iterator[str]:
    """The ids of a family in a tier, always in the same order.

    The small families belong to gate and full as a whole. smoke has the matrix's pairs and the edges
    whose inputs are small.
    """
    if family == "matrix":
        return map(matrix.identify, matrix.full()) if tier == "full" else _stored(tier)
    if tier == "smoke":
        return iter(edges.SMALL) if family == "edge" else iter(())
    if family == spelled.FAMILY:
        return iter(())
    small: Dict[str, Sequence[str]] = {
        "edge": tuple(edges.CASES),
        "claim": tuple(claims.CASES),
        "state": tuple(states.identify(state) for state in states.STATES),
    }
    return iter(small[family])


def family_of(case_id: str) -> str:
    """The first word of an id; raises CaseError when it is no family."""
    family = case_id.partition("-")[0]
    if family not in FAMILIES + (spelled.FAMILY,):
        accepted = ", ".join(FAMILIES + (spelled.FAMILY,))
        raise CaseError(
            f"unknown case id {case_id!r}: it must begin with one of {accepted}; "
            "list the ids with: pytest --collect-only -q"
        )
    return family


def _matrix_case(case_id: str) -> Case:
    seeded = re.match(r"(.*)-seed([1-9][0-9]*)$", case_id)
    plain, seed = (seeded.group(1), int(seeded.group(2))) if seeded else (case_id, 0)
    return matrix.case(matrix.parse(tuple(plain.split("-")[1:])), seed)


_FINDERS: Dict[str, Callable[[str], Case]] = {
    "matrix": _matrix_case,
    "edge": edges.find,
    "claim": claims.find,
    "state": states.find,
    "steps": spelled.find,
}


@lru_cache(maxsize=16)
def find(case_id: str) -> Case:
    """The case that an id names; raises CaseError for any other text."""
    family = family_of(case_id)
    try:
        return _FINDERS[family](case_id)
    except CaseError as error:
        raise CaseError(f"unknown case id {case_id!r}: {error}") from None


def select(family: str, tier: str, shard: Tuple[int, int] = (1, 1)) -> Iterator[str]:
    """Every ``shard[1]``-th id of the family, beginning with the ``shard[0]``-th."""
    number, count = shard
    return (each for place, each in enumerate(ids(family, tier)) if place % count == number - 1)
