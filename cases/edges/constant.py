"""Edges with inputs in which every value is the same."""

from __future__ import annotations

from typing import Tuple

from cases.construction import BARE, Config
from cases.edges.edge import Edge, twice
from cases.variants import Variant

EDGES: Tuple[Edge, ...] = (
    *twice("constant", "constant", "constant", "#5410: only the bias is left"),
    Edge("constant_eps", "constant", "set:eps:1e-12,forward:constant", "#5410", BARE),
    *(
        Edge(
            f"constant_channels_last_{shape}", "constant",
            "forward:three_tenths.channels_last,forward:three_tenths.channels_last",
            "found by this suite: the mean of equal numbers in channels_last",
            Config(Variant("bounded", shape).channels, momentum=1.0),
            Variant("bounded", shape, "float32"),
        )
        for shape in ("n8", "n256", "n102400")
    ),
    Edge(
        "constant_float64_n4096", "constant", "forward:constant,forward:constant.permuted",
        "found by this suite: the mean of equal numbers in float64",
        Config(11, momentum=1.0), Variant("bounded", "n4096", "float64"),
    ),
)  # fmt: skip
