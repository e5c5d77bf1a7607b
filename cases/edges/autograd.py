"""Edges about forwards that record nothing for a backward pass, and forwards that record the input."""

from __future__ import annotations

from typing import Tuple

from cases.construction import CUMULATIVE, NO_AFFINE, TRACKED
from cases.edges.edge import Edge

_PROGRAM = "preset,{0}:b0,{0}:b1,forward:b2,eval,{0}:b0,forward:b1"
_NOTE = "outputs and buffers do not depend on what autograd records"

EDGES: Tuple[Edge, ...] = tuple(
    Edge(f"{grad}{name}", "autograd", _PROGRAM.format(grad), _NOTE, config)
    for grad in ("no_grad", "input_grad")
    for name, config in (("", TRACKED), ("_cumulative", CUMULATIVE), ("_no_affine", NO_AFFINE))
)
