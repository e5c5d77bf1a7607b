"""Edges with inputs that have a NaN or an infinity, and with inputs whose variance overflows."""

from __future__ import annotations

from typing import Tuple

from cases.construction import CUMULATIVE, TRACKED, Config
from cases.edges.edge import BOTH_PASSES, Edge, twice
from cases.variants import Variant

EDGES: Tuple[Edge, ...] = (
    Edge(
        "momentum_zero_nan", "nonfinite", "preset,forward:nan,forward:b0,eval,forward:b1",
        "0 * NaN is NaN: momentum 0 does not protect the buffers", Config(11, momentum=0.0),
    ),
    Edge(
        "momentum_one_nan", "nonfinite", "preset,forward:nan,forward:b0,eval,forward:b1",
        "(1 - 1) * NaN is NaN: momentum 1 does not heal the buffers", Config(11, momentum=1.0),
    ),
    Edge(
        "first_batch_inf", "nonfinite", "forward:inf,forward:b0,eval,forward:inf",
        "an infinity in the first batch of a cumulative average stays in the buffers", CUMULATIVE,
    ),
    *twice("nan", "nonfinite", "nan", "#106605, #1206: NaN stays in its channel"),
    *twice("inf", "nonfinite", "inf", "#106605, #10008: an infinity stays in its channel"),
    Edge(
        "overflowing", "nonfinite", "preset,forward:overflowing,eval,forward:b0",
        "values of 1e30 have a variance that float32 cannot hold: #162489",
    ),
    *twice("nan_last", "nonfinite", "nan_last", "the last value is as good as the first"),
    *twice("inf_last", "nonfinite", "inf_last", "the last value is as good as the first"),
    *(
        Edge(
            f"last_{dtype}", "nonfinite", BOTH_PASSES.format("nan_last.channels_last", "ordinary"),
            "the last image and the last channel are vectorised otherwise", TRACKED,
            Variant("bounded", "n8", dtype),
        )
        for dtype in ("float32", "bfloat16")
    ),
)  # fmt: skip
