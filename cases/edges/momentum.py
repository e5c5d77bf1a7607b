"""Edges with unusual values of momentum, and with momentum None set later."""

from __future__ import annotations

from typing import Tuple

from cases.construction import Config
from cases.edges.edge import Edge
from cases.variants import DTYPES, SHAPES, Variant

_EXTREMES = ",".join(
    f"set:momentum:{value},forward:b0,no_grad:b1.channels_last,inference:b2"
    for value in ("1.0", "0.0", "none", "-0.5")
)

_NEAR_THE_ENDS = ",".join(
    f"set:momentum:{value},forward:b0,forward:b1.channels_last,forward:b2.transposed"
    for value in ("0.999", "0.99999", "0.0001", "0.9", "1.001")
)

EDGES: Tuple[Edge, ...] = (
    *(
        Edge(
            f"momentum_{value.replace('-', 'minus_')}", "momentum",
            f"preset,set:momentum:{value},forward:b0,forward:b1,eval,forward:b0",
            "momentum is never validated: #127736; a str raises TypeError, in eval as well",
        )
        for value in ("nan", "inf", "2.0", "true", "false", "text", "-1", "1e-08")
    ),
    Edge(
        "none_later", "momentum", "preset,forward:b0,forward:b1,set:momentum:none,forward:b2,forward:b3",
        "the average counts the batches since construction, not since the assignment",
    ),
    Edge(
        "changes", "momentum", "preset,forward:b0,set:momentum:0.5,forward:b1,set:momentum:0.25,"
        "forward:b2,forward:b3", "each forward goes by the momentum of its own time",
    ),
    Edge(
        "counter_of_32_bits", "momentum", "preset,count:2147483647,forward:b0,forward:b1,eval,forward:b0",
        "the counter has 64 bits",
    ),
    *(
        Edge(
            f"extremes_{shape}", "momentum", f"preset,{_EXTREMES},forward:b0,eval,{_EXTREMES}",
            "the factors 1, 0 and 1/k in batches of other shapes, and the last without recording",
            Config(SHAPES[shape][1]), Variant("bounded", shape, "float32"),
        )
        for shape in ("n8", "n8_one_channel", "n8_one_image", "n108_12x32x3x3", "n5_5x1x1x1")
    ),
    *(
        Edge(
            f"near_the_ends_{dtype}", "momentum", f"preset,{_NEAR_THE_ENDS},set:momentum:none,forward:b0",
            "the factor is rounded to the dtype, and close to 1 that takes most digits of 1 - momentum",
            variant=Variant("bounded", "n8", dtype),
        )
        for dtype in DTYPES
    ),
)  # fmt: skip
