"""Edges with inputs whose size changes from forward to forward."""

from __future__ import annotations

from typing import Tuple

from cases.construction import Config
from cases.edges.edge import Edge
from cases.variants import DTYPES, Variant

EDGES: Tuple[Edge, ...] = tuple(
    Edge(
        f"grows_and_shrinks_{dtype}", "size",
        "preset,forward:b1,forward:b0,forward:b2,eval,forward:b0,forward:b3,forward:b0",
        "nothing that is made for one size of input may be used for another",
        Config(3), Variant("bounded", "n102400", dtype),
    )
    for dtype in DTYPES
)  # fmt: skip
