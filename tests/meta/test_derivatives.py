"""Third derivatives and tangents: the closed forms against operations that autograd differentiates."""

from __future__ import annotations

import pytest
import torch

from cases import edges
from oracle.expectations import expectations
from tests.meta import installed
from tests.meta.installed import BEFORE_THE_REFUSAL, DifferentiatesThrice
from tests.subject.module import observe
from tests.verdict.result import compared


class TakesStatisticsForConstants(DifferentiatesThrice):
    """Differentiates a second derivative as torch up to 2.13 does, but more plainly: not at all."""

    def inverse_deviation(self, variance: torch.Tensor, eps: float) -> torch.Tensor:
        return super().inverse_deviation(variance, eps).detach()


TRIPLE = [name for name in edges.CASES if name.startswith("edge-triple_backward-")]


@pytest.mark.parametrize("case_id", TRIPLE)
def test_third_derivatives_are_those_of_elementary_operations(case_id: str) -> None:
    case = edges.find(case_id)
    right = expectations(case, BEFORE_THE_REFUSAL)
    assert not compared(case, right, observe(case, DifferentiatesThrice)).findings


NESTED = [name for name in edges.CASES if name.startswith("edge-nested-")]


@pytest.mark.skipif(installed.RULES.release < (2, 0), reason="torch.func begins with torch 2.0")
@pytest.mark.parametrize("case_id", NESTED)
def test_nested_derivatives_are_those_of_elementary_operations(case_id: str) -> None:
    case = edges.find(case_id)
    right = expectations(case, BEFORE_THE_REFUSAL)
    assert not compared(case, right, observe(case, DifferentiatesThrice)).findings


def test_a_missing_term_of_a_third_derivative_is_seen() -> None:
    case = edges.find("edge-triple_backward-ordinary_alternating_offset")
    right = expectations(case, BEFORE_THE_REFUSAL)
    found = compared(case, right, observe(case, TakesStatisticsForConstants)).findings
    assert "input 3rd gradient" in {each.mismatch.quantity for each in found}


def test_a_tangent_is_the_second_derivative_along_the_upstream_gradient() -> None:
    """Forward-mode derivative and double backward give the same numbers, by different operations."""
    case = edges.find("edge-tangent-beside_backward")
    right = expectations(case, BEFORE_THE_REFUSAL)
    assert not compared(case, right, observe(case, DifferentiatesThrice)).findings
