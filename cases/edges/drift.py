"""Edges with fifty different batches: rounding errors of the buffers stay within the budget."""

from __future__ import annotations

from typing import Tuple

from cases.construction import CUMULATIVE, TRACKED
from cases.edges.edge import Edge
from cases.variants import Variant

_PROGRAM = ",".join(["preset"] + [f"forward:b{k}" for k in range(50)] + ["eval", "forward:b50"])

EDGES: Tuple[Edge, ...] = (
    Edge(
        "fifty_batches", "drift", _PROGRAM,
        "the error of the buffers does not accumulate beyond the budget",
        TRACKED, Variant("bounded", "n2", "float32"),
    ),
    Edge(
        "fifty_cumulative", "drift", _PROGRAM,
        "1/k for k up to 50", CUMULATIVE, Variant("bounded", "n2", "float64"),
    ),
)  # fmt: skip
