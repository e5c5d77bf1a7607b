"""Edges that pass the constructor's arguments in every possible way."""

from __future__ import annotations

from typing import Tuple

from cases.construction import Config
from cases.edges.edge import FLOAT32, FLOAT64, Edge

_PROGRAM = "forward:b0,state_dict,eval,forward:b1"

EDGES: Tuple[Edge, ...] = tuple(
    Edge(name, "construction", _PROGRAM, "", config, variant)
    for name, config, variant in (
        ("keywords", Config(11, call="keywords"), FLOAT32),
        ("positional", Config(11, 0.5, 0.25, False, True, call="positional"), FLOAT32),
        ("positional_untracked", Config(11, 0.5, None, True, False, call="positional"), FLOAT32),
        ("dtype", Config(11, call="dtype"), FLOAT32),
        ("dtype_float64", Config(11, call="dtype"), FLOAT64),
        ("dtype_float64_no_affine", Config(11, affine=False, call="dtype"), FLOAT64),
        ("dtype_float64_untracked", Config(11, track_running_stats=False, call="dtype"), FLOAT64),
    )
)
