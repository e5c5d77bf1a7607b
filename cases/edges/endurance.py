"""Edges with three hundred forwards, which pass the end of an 8-bit counter.

After so many forwards a moving average has forgotten its initial value. Ten batches take turns, and the
buffers are compared after every forward.
"""

from __future__ import annotations

from typing import Tuple

from cases.construction import CUMULATIVE, TRACKED, UNTRACKED, Config
from cases.edges.edge import FLOAT32, FLOAT64, Edge
from cases.variants import Variant

FORWARDS = 300
BATCHES = 10

_SERIES = ",".join(f"forward:b{k % BATCHES}" for k in range(FORWARDS)) + ",eval,forward:b0"

_N2 = Variant("bounded", "n2", "float32")

EDGES: Tuple[Edge, ...] = (
    Edge(
        "momentum", "endurance", f"preset,{_SERIES}",
        "0.9**300 of the initial distance is left, less than the unit roundoff of float32",
        TRACKED, FLOAT32,
    ),
    Edge("cumulative", "endurance", f"preset,{_SERIES}", "1/k for k up to 300", CUMULATIVE, FLOAT32),
    Edge(
        "late_counter", "endurance", f"preset,count:100,{_SERIES}",
        "the counter passes 127 and 255, and the cumulative average goes by it", CUMULATIVE, _N2,
    ),
    Edge(
        "untracked", "endurance", f"preset,{_SERIES}",
        "no forward depends on how many came before", UNTRACKED, _N2,
    ),
    Edge(
        "float64", "endurance", f"preset,{_SERIES}", "as momentum, in the other dtype",
        TRACKED, FLOAT64,
    ),
    Edge(
        "exact", "endurance", f"preset,{_SERIES}",
        "the statistics are exact, and only the average rounds",
        Config(11, momentum=0.5), Variant("exact", "n8", "float32"),
    ),
)  # fmt: skip
