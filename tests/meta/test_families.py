"""The edges, claims and states are complete, and their programs do what their names say."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Dict, List, Set

import pytest

import cases.claims
import cases.edges
from cases import catalogue, claims, edges, states
from cases.attributes import BUFFERS, FLAGS, FLOATING, PARAMETERS, STATISTICS, TENSORS
from cases.edges import endurance
from cases.edges.edge import Edge
from cases.steps import EVAL, Count, Drop, Forward, Preset, SetAttribute, Step, Value


def defined(package: object, kind: type) -> List[object]:
    """Return every object of a type in a tuple of some module of the package."""
    found: List[object] = []
    for each in pkgutil.iter_modules(package.__path__):
        if each.name not in ("__main__", "registry"):
            module = importlib.import_module(f"{package.__name__}.{each.name}")
            tuples = [value for value in vars(module).values() if isinstance(value, tuple)]
            found += [value for values in tuples for value in values if isinstance(value, kind)]
    return found


def test_every_edge_is_registered_once() -> None:
    assert sorted(edge.id for edge in defined(cases.edges, Edge)) == sorted(edges.CASES)
    assert len(edges.EDGES) == len(edges.CASES)


def test_every_claim_is_registered_once() -> None:
    written = defined(cases.claims, claims.Claim)
    assert sorted(claim.id for claim in written) == sorted(claims.CASES)
    assert len(claims.CLAIMS) == len(claims.CASES)
    assert {claim.text for claim in claims.CLAIMS} == set(claims.TEXTS)
    assert {claim.verdict for claim in claims.CLAIMS} == set(claims.VERDICTS)


def test_the_words_for_attributes_agree() -> None:
    assert set(TENSORS) == set(PARAMETERS) | set(BUFFERS)
    assert set(FLOATING) == set(PARAMETERS) | set(STATISTICS)
    assert len(set(TENSORS + FLAGS)) == len(TENSORS + FLAGS)


# --- endurance --------------------------------------------------------------------------------


@pytest.mark.parametrize("edge", endurance.EDGES, ids=lambda edge: edge.name)
def test_an_endurance_edge_has_three_hundred_observed_forwards(edge: Edge) -> None:
    steps = edge.case.steps
    assert sum(isinstance(step, Forward) for step in steps[:-2]) == 300
    assert all(isinstance(step, (Forward, Preset, Count)) for step in steps[:-2])
    assert steps[-2:] == (EVAL, Forward("b0"))
    assert edge.id in set(catalogue.ids("edge", "gate"))
    assert edge.id not in set(catalogue.ids("edge", "smoke"))


def test_endurance_passes_eight_bits_and_forgets_its_start() -> None:
    programs = [edge.case.steps for edge in endurance.EDGES]
    counted = {sum(step.value for step in steps if isinstance(step, Count)) for steps in programs}
    assert any(start < 127 < 255 < start + endurance.FORWARDS for start in counted)
    assert 0.9**endurance.FORWARDS < 2.0**-24
    assert {edge.variant.lane for edge in endurance.EDGES} == {"bounded", "exact"}


# --- states -----------------------------------------------------------------------------------


def reached(steps: List[Step]) -> Dict[str, Value]:
    """Return the flags of a default module after the steps, and whether each tensor is there."""
    module: Dict[str, Value] = {"training": True, "track_running_stats": True, "momentum": 0.1}
    module.update(dict.fromkeys(TENSORS, True))
    for step in steps:
        if isinstance(step, SetAttribute):
            module[step.name] = step.value
        elif isinstance(step, Drop):
            module[step.name] = False
        else:
            assert isinstance(step, (Preset, Count))
    return module


def answers(module: Dict[str, Value]) -> states.State:
    """Return the eight answers that make a state, in the order of its id."""
    tensors = [bool(module[name]) for name in BUFFERS + PARAMETERS]
    flags = [module["training"] is True, module["track_running_stats"] is True]
    return tuple(flags + [module["momentum"] is not None] + tensors)


def test_every_part_enters_its_state_and_performs_one_operation() -> None:
    for state in states.STATES:
        parts = states.parts_of(states.case(state))
        assert len(parts) == len(states.OPERATIONS)
        for operation, part in zip(states.OPERATIONS, parts):
            assert isinstance(part.steps[-1], Forward)
            length = 1 if isinstance(operation, Forward) else 2
            assert part.steps[-length] == operation
            assert answers(reached(list(part.steps[:-length]))) == state
            assert catalogue.find(part.id) == part


def test_every_part_belongs_to_the_case_of_its_state() -> None:
    """The case performs the same operations in the same order, each followed by a forward."""
    for state in states.STATES:
        steps = list(states.case(state).steps)
        place = len(states.enter(state))
        assert steps[:place] == states.enter(state)
        for part in states.parts_of(states.case(state)):
            ending = list(part.steps[len(states.enter(state)) :])
            starts = range(place, len(steps))
            place = next(n for n in starts if steps[n : n + len(ending)] == ending)


def test_every_type_of_operation_says_what_it_disturbs() -> None:
    assert set(states._DISTURBED) == {type(operation) for operation in states.OPERATIONS}


def test_every_state_has_its_id() -> None:
    ids: Set[str] = {states.identify(state) for state in states.STATES}
    assert len(ids) == 2 ** len(states.DIMENSIONS)
    assert ids == set(catalogue.ids("state", "gate"))
