"""Edges in which num_batches_tracked has an odd value, is missing, or is of another kind."""

from __future__ import annotations

from typing import Tuple

from cases.construction import CUMULATIVE
from cases.edges.edge import Edge

EDGES: Tuple[Edge, ...] = (
    Edge(
        "minus_one", "counter", "preset,count:-1,forward:b0,forward:b1",
        "the factor is 1/0: the forward raises after it has counted", CUMULATIVE,
    ),
    Edge("minus_two", "counter", "preset,count:-2,forward:b0", "the factor is -1", CUMULATIVE),
    Edge(
        "wraps", "counter", "preset,count:9223372036854775807,forward:b0,forward:b1",
        "int64 wraps around to -2**63", CUMULATIVE,
    ),
    Edge(
        "large", "counter", "preset,count:16777216,forward:b0",
        "the factor is 1/16777217, and float32 does not hold 16777217", CUMULATIVE,
    ),
    Edge(
        "without_counter", "counter", "preset,drop:num_batches_tracked,forward:b0,eval,forward:b1",
        "momentum None without a counter: the factor is 0 and nothing is learned", CUMULATIVE,
    ),
    Edge(
        "as_parameter", "counter", "attach:num_batches_tracked:parameter,forward:b0,forward:b1",
        "where the counter is rebound, a Parameter cannot be replaced by a tensor",
    ),
    Edge(
        "counts_without_buffers", "counter",
        "drop:running_mean,drop:running_var,forward:b0,forward:b1,eval,forward:b2",
        "the counter goes on when there is nothing to update: PR #38084",
    ),
)  # fmt: skip
