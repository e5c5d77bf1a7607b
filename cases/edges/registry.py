"""The list of all edges."""

from __future__ import annotations

from typing import Dict, Iterator, Tuple

from cases.case import Case
from cases.edges import (
    accumulation,
    attach,
    autograd,
    backward,
    backward_layout,
    backward_program,
    constant,
    construction,
    convert,
    counter,
    double_backward,
    drift,
    dtype,
    empty,
    endurance,
    eps,
    extent,
    frozen,
    inference,
    layout,
    load,
    memory,
    momentum,
    nested,
    networks,
    nonfinite,
    overwritten,
    pairings,
    paths,
    planes,
    protocol,
    reset,
    resized,
    shape,
    size,
    tangent,
    text,
    triple_backward,
    values,
)
from cases.edges.edge import Edge
from cases.errors import CaseError, nearest

EDGES: Tuple[Edge, ...] = (
    empty.EDGES
    + shape.EDGES
    + layout.EXTREME
    + construction.EDGES
    + text.EDGES
    + autograd.EDGES
    + paths.EDGES
    + dtype.EDGES
    + counter.EDGES
    + momentum.EDGES
    + eps.EDGES
    + nonfinite.EDGES
    + constant.EDGES
    + layout.EDGES
    + size.EDGES
    + attach.EDGES
    + load.EDGES
    + reset.EDGES
    + layout.INITIAL_BUFFERS
    + drift.EDGES
    + endurance.EDGES
    + backward.EDGES
    + backward_layout.EDGES
    + backward_program.EDGES
    + extent.EDGES
    + load.OTHER
    + convert.EDGES
    + protocol.EDGES
    + memory.EDGES
    + accumulation.EDGES
    + double_backward.EDGES
    + tangent.EDGES
    + triple_backward.EDGES
    + nested.EDGES
    + planes.EDGES
    + values.EDGES
    + overwritten.EDGES
    + inference.EDGES
    + frozen.EDGES
    + resized.EDGES
    + networks.EDGES
    + pairings.EDGES
)
"""Every edge, in the order in which they run. A new edge goes to the end of its module, and a new module
to the end of this list."""

CASES: Dict[str, Edge] = {edge.id: edge for edge in EDGES}
"""Maps the id of an edge to the edge."""


def ids(tier: str) -> Iterator[str]:
    """Return the ids of a tier: the quick edges for smoke, every edge for the others."""
    return (name for name, edge in CASES.items() if tier != "smoke" or edge.quick)


def find(case_id: str) -> Case:
    """Return the case with this id; raises CaseError."""
    if case_id not in CASES:
        raise CaseError(f"no such edge; {nearest(case_id, CASES)}")
    return CASES[case_id].case
