"""Edges with inputs without values or without channels."""

from __future__ import annotations

from typing import Tuple

from cases.construction import BARE, CUMULATIVE, Config
from cases.edges.edge import Edge, twice

EDGES: Tuple[Edge, ...] = (
    *twice("no_batch", "empty", "no_batch", "#12013, #29578, PR #30035: statistics stay"),
    *twice("no_height", "empty", "no_height", "#12013: statistics stay"),
    *twice("no_width", "empty", "no_width", "#12013: statistics stay"),
    Edge(
        "no_batch_cumulative", "empty", "forward:no_batch,forward:b0",
        "an empty batch counts: the next factor is 1/2", CUMULATIVE,
    ),
    Edge("no_batch_untracked", "empty", "forward:no_batch,eval,forward:no_batch", "", BARE),
    Edge(
        "wrong_channels", "empty", "forward:empty_wrong_channels,eval,forward:empty_wrong_channels",
        "the number of channels is not checked when there is nothing to normalise: #72821",
    ),
    Edge("no_channels", "empty", "forward:no_channels", "#72821"),
    Edge(
        "zero_features", "empty", "forward:no_channels",
        "BatchNorm2d(0) on an input without channels: #72821", Config(0),
    ),
)  # fmt: skip
