"""Edges with inputs that do not lie contiguously in memory."""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import TRACKED, UNTRACKED, Config
from cases.edges.edge import Edge
from cases.variants import Variant

PROGRAM = "preset,{0},{0},eval,{0}"


def _extreme() -> Iterator[Edge]:
    note = "extreme in one dimension: found by mutating torch's source, and by wrong modules"
    program = PROGRAM.format("forward:b1.channels_last")
    for word in ("n8_67_channels", "n134_67_images"):
        variant = Variant("bounded", word, "float32")
        config = Config(variant.channels)
        yield Edge(f"channels_last_{word}", "layout", program, note, config, variant)


def _every() -> Iterator[Edge]:
    note = "output strides: PR #28982, #48919, PR #59286; numbers: #121651, #63224"
    for layout in ("channels_last", "permuted", "sliced", "expanded"):
        program = PROGRAM.format(f"forward:b1.{layout}")
        for shape in ("n8", "n30", "n256"):
            variant = Variant("bounded", shape, "float32")
            yield Edge(f"{layout}_{shape}", "layout", program, note, TRACKED, variant)
            yield Edge(f"{layout}_{shape}_untracked", "layout", program, note, UNTRACKED, variant)


EXTREME: Tuple[Edge, ...] = tuple(_extreme())
"""Edges with channels_last inputs that are extreme in one dimension."""

EDGES: Tuple[Edge, ...] = tuple(_every())
"""Edges with every layout in three sizes."""

INITIAL_BUFFERS: Tuple[Edge, ...] = (
    Edge(
        "channels_last_train", "layout",
        "forward:b0.channels_last,forward:b0,eval,forward:b1.channels_last",
        "#48919: from the initial buffers",
    ),
)  # fmt: skip
"""Edges that leave the buffers at their initial values."""
