"""The cases in which the oracle asks for a switch."""

from __future__ import annotations

from functools import lru_cache
from typing import FrozenSet, Iterator, Optional, Tuple

from cases import catalogue
from cases.case import Case
from oracle.expectations import expectations
from oracle.semantics import Semantics
from oracle.state import Expected, State
from tests.meta import installed


@lru_cache(maxsize=None)
def candidates() -> Tuple[Case, ...]:
    """Return cases of gate that together consult every switch: edges, some of smoke, states."""
    layouts = [c for c in installed.small_edges() if c.id.startswith("edge-backward_layout")]
    edges = [c for c in installed.small_edges() if c not in layouts] + layouts[::12]
    states = list(catalogue.ids("state", "gate"))
    chosen = [*edges, *installed.small()[::4]]
    return (*chosen, *map(catalogue.find, states[::37]))


def walk(case: Case, rules: Semantics) -> Iterator[Tuple[Optional[State], Expected]]:
    """Yield what the oracle says of each step, with the state before it."""
    expected = expectations(case, rules)
    return zip([None, *(each.state for each in expected)], expected)


@lru_cache(maxsize=None)
def consulted(case_id: str, rules: Semantics) -> FrozenSet[str]:
    """Return the names of the switches that the oracle asks for in a case."""
    case = catalogue.find(case_id)
    return frozenset(name for _, expected in walk(case, rules) for name in expected.switches)


def asking(name: str, rules: Semantics) -> Iterator[Case]:
    """Return the candidates in which the oracle asks for the switch."""
    return (case for case in candidates() if name in consulted(case.id, rules))
