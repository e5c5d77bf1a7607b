"""Edges that compare the repr and the state dict of a module before and after its attributes change."""

from __future__ import annotations

from typing import Tuple

from cases.construction import BARE, CUMULATIVE, NO_BIAS, TRACKED, UNTRACKED
from cases.edges.edge import Edge

_PROGRAM = (
    "show:repr,show:keys,show:version,set:eps:0.5,set:momentum:0.25,set:track_running_stats:true,"
    "show:repr,set:affine:false,set:num_features:7,drop:bias,drop:running_mean,show:repr,show:keys,"
    "eval,deepcopy,show:repr,show:version,set:track_running_stats:false,train,forward:b0"
)

EDGES: Tuple[Edge, ...] = tuple(
    Edge(name, "text", _PROGRAM, "repr and state dict describe the attributes of the moment", config)
    for name, config in (
        ("tracked", TRACKED),
        ("cumulative", CUMULATIVE),
        ("untracked", UNTRACKED),
        ("bare", BARE),
        ("no_bias", NO_BIAS),
    )
)
