"""Every kind of state dict, loaded into modules with and without what it holds."""

from __future__ import annotations

from typing import Tuple

from cases.edges.edge import CUMULATIVE, TRACKED, UNTRACKED, Edge
from cases.steps import STATE_DICTS

EDGES: Tuple[Edge, ...] = tuple(
    Edge(
        f"{what}{name}", "load",
        f"preset,count:7,{before}load:{what},forward:b0,eval,forward:b1",
        "#110361, PR #110850, #8430",
        config,
    )
    for what in STATE_DICTS
    for name, before, config in (
        ("", "", TRACKED),
        ("_flag_off", "set:track_running_stats:false,", TRACKED),
        ("_cumulative", "", CUMULATIVE),
        ("_dropped_counter", "drop:num_batches_tracked,", TRACKED),
        ("_untracked", "", UNTRACKED),
        ("_no_bias", "drop:bias,", TRACKED),
    )
)  # fmt: skip
