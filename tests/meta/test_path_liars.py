"""Liars on one path are caught on that path, and right on every other."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from cases import catalogue
from cases.paths import EAGER, PATHS
from oracle.semantics import RELEASES, semantics
from reports.rows import CONTRACT, FINDING
from tests.meta.liars.on_paths import ALSO, PATH_LIARS, PathLiar
from tests.subject.module import eager
from tests.subject.paths import taken
from tests.verdict.verdict import Verdict, adjudicate

RULES = semantics(RELEASES[-1])
ELSEWHERE = (EAGER, "functional_call", "fx", "autocast", "vmap", "ensemble", "checkpoint", "jit.trace")
"""Paths that cost little, on which a liar of another path must be right."""

pytestmark = pytest.mark.skipif(
    torch.__version__ < "2.13", reason="paths are specified for torch 2.13 and newer; install one"
)


def verdict(liar: PathLiar, path: str) -> Verdict:
    """Return the verdict on the liar's program on a path."""
    subject = eager(liar.factory)
    subject = subject if path == EAGER else taken(subject, path)
    case = catalogue.find(liar.program).on(path)
    rules = RULES.of_subject(sums_exactly=subject.sums_exactly)
    return adjudicate(case, subject, rules, strict_defects=False)


def test_there_are_enough() -> None:
    assert len(PATH_LIARS) >= 40
    assert len({liar.name for liar in PATH_LIARS}) == len(PATH_LIARS)


def _with_cost(liar: PathLiar) -> Any:
    slow = PATHS[liar.path].cost > 0.2
    return pytest.param(liar, id=liar.name, marks=[pytest.mark.long] if slow else [])


@pytest.mark.parametrize("liar", [*map(_with_cost, PATH_LIARS)])
def test_it_is_caught_on_its_path_alone(liar: PathLiar) -> None:
    found = verdict(liar, liar.path)
    quantities = [finding.mismatch.quantity for finding in found.result.findings]
    assert found.outcome == FINDING, found.explanation
    assert liar.through in quantities
    assert verdict(liar, EAGER).outcome != FINDING


@pytest.mark.long
@pytest.mark.parametrize("liar", PATH_LIARS, ids=[liar.name for liar in PATH_LIARS])
def test_it_is_right_on_other_paths(liar: PathLiar) -> None:
    for path in ELSEWHERE:
        if path != liar.path and path not in ALSO.get(liar.path, ()):
            assert verdict(liar, path).outcome != FINDING, path


@pytest.mark.parametrize(("error", "expected"), [(0.0, CONTRACT), (0.01, FINDING)])
def test_a_clause_with_a_bound_allows_no_more(error: float, expected: str) -> None:
    head = "matrix-affine-no_track-momentum_0.1-alternating-set_num_features-between_train_and_eval"
    case = catalogue.find(f"{head}-exact-n8-float32-x_shifted-g_ordinary-gl_scalar-path_vmap")
    subject = taken(eager(torch.nn.BatchNorm2d), "vmap")

    def observe(case: Any) -> Any:
        return tuple(_with_weight_gradient(each, error) for each in subject.observe(case))

    pretended = dataclasses.replace(subject, observe=observe)
    found = adjudicate(case, pretended, RULES.of_subject(subject.sums_exactly), strict_defects=False)
    assert found.outcome == expected, found.explanation
    quantities = {each.mismatch.quantity for each in found.result.findings}
    assert quantities == ({"weight gradient"} if expected == FINDING else set())


def _with_weight_gradient(seen: Any, error: float) -> Any:
    """Return the observation with a weight's gradient that is wrong by this."""
    if not seen.gradients or seen.gradients[1] is None:
        return seen
    first, weight, *others = seen.gradients
    wrong = weight._replace(values=weight.values + np.float32(error))
    return seen._replace(gradients=(first, wrong, *others))
