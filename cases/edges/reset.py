"""Edges that call the reset methods on modules whose tensors or flags have changed."""

from __future__ import annotations

from typing import Tuple

from cases.construction import BARE
from cases.edges.edge import Edge

EDGES: Tuple[Edge, ...] = (
    Edge(
        "partial", "reset", "preset,forward:b0,drop:running_var,reset_running_stats,"
        "reset_parameters,forward:b1", "the mean is reset before the missing variance is noticed",
    ),
    Edge(
        "trainable", "reset", "attach:running_mean:trainable,reset_running_stats,forward:b0",
        "the reset writes in place into a leaf that requires a gradient",
    ),
    Edge(
        "bias_dropped", "reset", "preset,drop:bias,reset_parameters,forward:b0",
        "PR #176573: the weight is reset; some releases raise because the bias is missing",
    ),
    Edge(
        "affine_off", "reset", "preset,set:affine:false,reset_parameters,forward:b0",
        "reset_parameters reads the flag when it is called: weight and bias stay",
    ),
    Edge(
        "flag_off", "reset", "preset,forward:b0,set:track_running_stats:false,reset_running_stats,"
        "reset_parameters,forward:b1,eval,forward:b1",
        "reset_running_stats reads the flag when it is called: the buffers stay",
    ),
    Edge("affine_on_bare", "reset", "set:affine:true,reset_parameters,forward:b0", "", BARE),
    Edge(
        "flag_on_bare", "reset", "set:track_running_stats:true,reset_running_stats,forward:b0",
        "reset_running_stats reads the flag and not whether there are buffers", BARE,
    ),
)  # fmt: skip
