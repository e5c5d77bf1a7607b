"""Inputs of another dtype than the module."""

from __future__ import annotations

from typing import Tuple

from cases.edges.edge import BARE, Edge, twice

EDGES: Tuple[Edge, ...] = (
    *twice("wrong_float", "dtype", "wrong_float", "many user reports of the message"),
    *twice("integers", "dtype", "integers", "the exception's class changed"),
    Edge("wrong_float_bare", "dtype", "forward:integers,forward:wrong_float", "", BARE),
)
