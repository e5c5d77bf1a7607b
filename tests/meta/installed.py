"""The installed torch, and the cases of its tiers, for the tests that run them."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple, Tuple, Type

import torch

from cases import catalogue
from cases.case import Case
from cases.variants import LARGE_SHAPES, LONG_SHAPES, WIDE
from oracle.semantics import Semantics, parse_release, semantics
from reports.rows import PASS
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.subject.module import Factory, eager
from tests.verdict.result import Result, run
from tests.verdict.verdict import Verdict, adjudicate

torch.set_num_threads(1)  # as the runs of the suite do: waiting threads spin on small inputs
RULES: Semantics = semantics(parse_release(torch.__version__))
BATCH_NORM = torch.nn.BatchNorm2d


@lru_cache(maxsize=None)
def smoke() -> Tuple[Case, ...]:
    """Return the cases of the smoke tier's matrix that torch passes; ``edges`` has its edges."""
    cases = map(catalogue.find, catalogue.ids("matrix", "smoke"))
    return tuple(case for case in cases if adjudicate(case, eager(BATCH_NORM), RULES).outcome == PASS)


@lru_cache(maxsize=None)
def small() -> Tuple[Case, ...]:
    """Return those of them with small inputs of the wide dtypes: two of three, in a tenth of the time."""
    large = {"n102400", *LONG_SHAPES}
    variants = ((case, case.variant) for case in smoke())
    return tuple(case for case, v in variants if v.shape not in large and v.dtype in WIDE)


@lru_cache(maxsize=None)
def edges() -> Tuple[Case, ...]:
    """Return the edge cases."""
    return tuple(map(catalogue.find, catalogue.ids("edge", "gate")))


@lru_cache(maxsize=None)
def small_edges() -> Tuple[Case, ...]:
    """Return those of them with small inputs."""
    large = {*LARGE_SHAPES, *LONG_SHAPES}
    return tuple(case for case in edges() if case.variant.shape not in large)


BACKWARDS = (
    "preset,input_grad:b0,backward:ordinary,input_grad:b1,backward:outlier",
    "preset,eval,input_grad:b0,backward:alternating,train,input_grad:b2,eval,input_grad:b0,backward:ones",
    "preset,forward:b0,retain:offset,backward:like_input",
    "preset,input_grad:b0,accumulate_retain:ordinary,accumulate:outlier,eval,input_grad:b1,accumulate:offset",
    "preset,input_grad:b0,double:ordinary:alternating,double:alternating:outlier,eval,input_grad:b0,"
    "double:offset:ordinary,double:ordinary:ones",
    "preset,eval,input_grad:b0,triple:ordinary:alternating:offset",
    "preset,jvp:b0:ordinary,eval,jvp_parameters:b0:alternating",
    "preset,forward:b0,accumulate_retain:ordinary,alias:running_mean:bias,alias:running_var:weight,"
    "accumulate_retain:outlier,accumulate_retain:offset,accumulate_retain:ones,"
    "accumulate_retain:like_input,accumulate_retain:alternating,accumulate_retain:ordinary,"
    "accumulate:outlier",
)
TRIPLES = (
    "preset,input_grad:b0,triple:ordinary:alternating:offset,triple:alternating:outlier:ordinary,"
    "triple:like_input:ordinary:outlier,triple:outlier:offset:ordinary,eval,input_grad:b0,"
    "triple:ordinary:alternating:offset"
)
BEFORE_THE_REFUSAL: Semantics = semantics((2, 13))
"""The rules of the last release that has third derivatives in train mode."""


class DifferentiatesThrice(HonestBatchNorm2d):
    """Has derivatives of every order. In train mode no release of torch has all the third ones right."""

    differentiates_thrice = True


class Subjected(NamedTuple):
    """Cases, and the subject and rules that they are run with."""

    cases: Tuple[Case, ...]
    subject: Type[torch.nn.Module] = BATCH_NORM
    rules: Semantics = RULES


def _spelled(programs: Tuple[str, ...]) -> Tuple[Case, ...]:
    words = product(
        ("affine", "no_affine"),
        ("track", "no_track"),
        ("bounded", "exact"),
        ("n8", "n30"),
        WIDE,
        programs,
    )
    return tuple(
        catalogue.find(f"steps-{affine}-{track}-momentum_0.1-{lane}-{shape}-{dtype}-{program}")
        for affine, track, lane, shape, dtype, program in words
    )


@lru_cache(maxsize=None)
def differentiated() -> Tuple[Case, ...]:
    """Return spelled-out cases with a backward pass in both modes that torch passes."""
    cases = _spelled(BACKWARDS)
    return tuple(case for case in cases if adjudicate(case, eager(BATCH_NORM), RULES).outcome == PASS)


@lru_cache(maxsize=None)
def thrice() -> Subjected:
    """Return spelled-out cases with third derivatives in both modes, and a subject that is right."""
    return Subjected(_spelled((TRIPLES,)), DifferentiatesThrice, BEFORE_THE_REFUSAL)


def showing(quantity: str) -> Subjected:
    """Return cases with small inputs in which the quantity has numbers."""
    if quantity.endswith("3rd gradient"):
        return thrice()
    of_derivatives = quantity.endswith(("gradient", ".grad", "tangent"))
    return Subjected(differentiated() if of_derivatives else small())


def judged(case_id: str, subject: Type[torch.nn.Module] = BATCH_NORM, **options: Any) -> Verdict:
    """Return the verdict on a class in the place of torch's own."""
    return adjudicate(catalogue.find(case_id), eager(subject), RULES, **options)


def ran(case: Case, subject: Factory) -> Result:
    """Return the result of the case for a subject."""
    return run(case, eager(subject), RULES)


def example(*words: str) -> Case:
    """Return the first small case of smoke with all these words in its id."""
    return next(c for c in small() if set(words) <= set(c.id.split("-")))
