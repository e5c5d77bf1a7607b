"""The installed torch, and the cases of its tiers, for the tests that run them."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Tuple

import torch

from cases import catalogue
from cases.case import Case
from cases.variants import LARGE_SHAPES, LONG_SHAPES, WIDE
from oracle.semantics import Semantics, parse_release, semantics
from reports.rows import PASS
from tests.verdict.verdict import adjudicate

torch.set_num_threads(1)  # as the runs of the suite do: waiting threads spin on small inputs
RULES: Semantics = semantics(parse_release(torch.__version__))
BATCH_NORM = torch.nn.BatchNorm2d


@lru_cache(maxsize=None)
def smoke() -> Tuple[Case, ...]:
    """Return the cases of the smoke tier's matrix that torch passes; ``edges`` has its edges."""
    cases = map(catalogue.find, catalogue.ids("matrix", "smoke"))
    return tuple(case for case in cases if adjudicate(case, BATCH_NORM, RULES).outcome == PASS)


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
)


@lru_cache(maxsize=None)
def differentiated() -> Tuple[Case, ...]:
    """Return spelled-out cases with a backward pass in both modes that torch passes."""
    words = product(
        ("affine", "no_affine"),
        ("track", "no_track"),
        ("bounded", "exact"),
        ("n8", "n30"),
        WIDE,
        BACKWARDS,
    )
    cases = (
        catalogue.find(f"steps-{affine}-{track}-momentum_0.1-{lane}-{shape}-{dtype}-{program}")
        for affine, track, lane, shape, dtype, program in words
    )
    return tuple(case for case in cases if adjudicate(case, BATCH_NORM, RULES).outcome == PASS)


def showing(quantity: str) -> Tuple[Case, ...]:
    """Return cases with small inputs in which the quantity has numbers."""
    return differentiated() if quantity.endswith(("gradient", ".grad")) else small()
