"""The blame of switches: one is named only where its other side explains what was seen."""

from __future__ import annotations

import dataclasses
from typing import Tuple

import pytest

from cases import catalogue
from cases.variants import LARGE_SHAPES
from oracle.semantics import SWITCHES
from tests.conformance import summary
from tests.failure import blame
from tests.meta import failing, fakes, installed
from tests.subject.module import eager
from tests.verdict.result import run

FORWARD = "steps-affine-track-momentum_0.1-bounded-n8-float32-forward:b0"


def blamed(subject: object, case_id: str) -> Tuple[str, ...]:
    result = run(catalogue.find(case_id), eager(subject), installed.RULES)
    assert result.findings
    assert result.switches
    return blame.explaining(result, eager(subject), installed.RULES)


def test_a_subject_of_an_older_release_names_the_switch() -> None:
    assert blamed(failing.CountsLikeTorch110, FORWARD) == ("counter_rebound",)
    program = FORWARD.replace("affine", "no_bias")
    assert blamed(failing.WithoutBiasKeyword, program) == ("no_bias_keyword",)


@pytest.mark.parametrize("subject", [fakes.NoEps, fakes.NotCounted, fakes.ReturnsInput, fakes.WrongDtype])
def test_a_fault_that_no_release_has_names_none(subject: object) -> None:
    """Every forward asks for the side of some switch, yet none is named."""
    assert blamed(subject, FORWARD) == ()


def test_a_module_that_does_otherwise_the_second_time_names_none() -> None:
    failing.OneIn200.forwards = 199
    assert blamed(failing.OneIn200, FORWARD) == ()


FLAT = "steps-affine-track-momentum_0.1-bounded-n8-float32-set:eps:1e+300,input_grad:b0,triple:ones:ones:ones"
"""A third derivative that torch computes rightly: with so large an eps the output hardly moves. Of the
edges with third derivatives, every one that normalises by batch statistics meets a known defect."""


def test_every_switch_that_can_come_up_can_be_blamed() -> None:
    """torch's own module runs under rules with one switch on its other side."""
    named = set()
    plain = [each for each in installed.edges() if each.variant.shape not in LARGE_SHAPES]
    plain.append(catalogue.find(FLAT))
    consulting = [(each, run(each, eager(installed.BATCH_NORM), installed.RULES)) for each in plain]
    for switch in SWITCHES:
        wrong = dataclasses.replace(installed.RULES, holding=installed.RULES.holding ^ {switch.name})
        for case, right in consulting:
            if switch.name not in right.switches or right.findings:
                continue
            result = run(case, eager(installed.BATCH_NORM), wrong)
            if result.findings:
                assert switch.name in blame.explaining(result, eager(installed.BATCH_NORM), wrong)
                named.add(switch.name)
                break
    hidden = {each.name for each in SWITCHES if each.masked_by}
    assert {each.name for each in SWITCHES} - named <= hidden


def test_both_sides_are_described() -> None:
    lines = blame.described(("counter_rebound",), installed.RULES)
    assert lines[0] == "the other side of switch 'counter_rebound' explains it (PR #26550, PR #60453):"
    assert lines[1].endswith("A train-mode forward counts in place.")
    assert lines[2].startswith("  seen: A train-mode forward binds num_batches_tracked to a new tensor")
    assert summary.unexercised([], installed.RULES.values())
