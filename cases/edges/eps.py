"""Edges with values of eps that are 0, negative, whole, tiny or huge."""

from __future__ import annotations

from typing import Tuple

from cases.construction import TRACKED, UNTRACKED
from cases.edges.edge import Edge

EDGES: Tuple[Edge, ...] = tuple(
    Edge(
        f"eps_{value.replace('-', 'minus_').replace('+', '')}_{name}", "eps",
        f"preset,set:eps:{value},forward:b0,eval,forward:b0,forward:one_value",
        "#166405, PR #166756; eps 0 in eval again: #173337, PR #175508",
        config,
    )
    for value in ("0.0", "-1e-05", "-1.0", "1", "1e-12", "1e+20")
    for name, config in (("tracked", TRACKED), ("untracked", UNTRACKED))
)  # fmt: skip
