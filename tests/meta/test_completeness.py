"""Every case is run to its end, and compares something."""

from __future__ import annotations

import dataclasses
from typing import Any, Iterable, Iterator, List, Tuple

import pytest

from cases import catalogue, steps
from cases.case import Case
from cases.steps import Mode
from tests.meta import installed
from tests.verdict.completeness import IncompleteCase


def forwards(case: Case) -> int:
    return sum(bool(steps.forwards(step)) for step in case.steps)


def test_a_case_is_run_to_its_end() -> None:
    """A result says that exactly the steps of the program were performed."""
    for case in (*installed.small(), *installed.small_edges()):
        if case.variant.shape == "n102400":
            continue
        result = installed.ran(case, installed.BATCH_NORM)
        if not result.findings:
            refused = any(error.startswith("0 construct") for error in result.errors)
            assert result.forwards == (0 if refused else forwards(case)), case.id
            assert result.compared["exception"] == 1 + (0 if refused else len(case.steps))


class _Cut(Tuple[Any, ...]):
    """A program that claims to be longer than it is."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self) // 2))


def test_a_loop_that_stops_early_is_noticed() -> None:
    case = installed.example("affine", "track", "train_only")
    cut = dataclasses.replace(case, steps=_Cut(case.steps))
    assert len(list(cut.steps)) < len(case.steps)
    with pytest.raises(IncompleteCase, match="exception was compared"):
        installed.ran(cut, installed.BATCH_NORM)


def without_forward(cases: Iterable[Case]) -> List[str]:
    """Return the cases that never call the module."""
    return [case.id for case in cases if not forwards(case)]


def test_every_case_has_a_forward() -> None:
    ids = [each for family in catalogue.FAMILIES for each in catalogue.ids(family, "gate")]
    found = without_forward(map(catalogue.find, ids))
    assert found == ["edge-protocol-unsaved_rebound", "edge-protocol-frozen_counter"]


def test_a_case_without_a_forward_is_noticed() -> None:
    planted = dataclasses.replace(installed.small()[0], id="planted", steps=(Mode(False),))
    assert without_forward([planted, installed.small()[0]]) == ["planted"]


def test_a_forward_that_compares_nothing_is_no_pass() -> None:
    """Every case of smoke that constructs a module compares an output or an exception."""
    for case in installed.small():
        result = installed.ran(case, installed.BATCH_NORM)
        assert result.compared.get("output", 0) or result.errors, case.id
