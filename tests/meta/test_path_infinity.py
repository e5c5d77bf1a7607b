"""Tests of the mean of a batch with an infinity, which paths compute in several ways."""

from __future__ import annotations

from typing import Tuple

import pytest

from cases import catalogue
from oracle.expectations import expectations
from oracle.semantics import RELEASES, semantics

COMPARED = "decomposed_strides"
"""A clause of every decomposed forward."""


def clauses(path: str, program: str, shape: str = "n8") -> Tuple[str, ...]:
    """Return the names of the clauses of the last step of a program, without COMPARED."""
    case = catalogue.find(f"steps-affine-track-momentum_0.1-bounded-{shape}-float32-{program}-path_{path}")
    found = expectations(case, semantics(RELEASES[-1]))[-1].clauses
    return tuple(each for each in found if each != COMPARED)


@pytest.mark.parametrize(
    ("path", "program", "shape", "expected"),
    [
        ("aot_decomp", "forward:inf", "n8", ("decomposed_infinity",)),
        ("aot_decomp", "forward:inf", "n4096", ("decomposed_infinity",)),
        ("inductor", "forward:inf", "n8", ()),
        ("inductor_static", "forward:inf", "n8", ()),
        ("inductor", "forward:inf", "n8_one_channel", ("inductor_infinity",)),
        ("inductor", "forward:inf", "n4096", ("inductor_infinity",)),
        ("inductor_dynamic", "forward:inf", "n8", ("inductor_infinity",)),
        ("inductor", "forward:other_size,forward:inf", "n8", ("inductor_infinity",)),
        ("inductor", "eval,forward:inf", "n8", ()),
        ("inductor_dynamic", "forward:b0", "n8", ()),
    ],
)
def test_the_mean_of_an_infinity(
    path: str, program: str, shape: str, expected: Tuple[str, ...]
) -> None:
    assert clauses(path, program, shape) == expected
