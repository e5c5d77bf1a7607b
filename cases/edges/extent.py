"""Edges with inputs that have one long dimension, and with many values in a channel, in every layout.

They find a kernel that loses its last partial block, that works only up to some number of channels or
images, or that needs a power of two.
"""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import Config
from cases.edges.edge import Edge
from cases.variants import DTYPES, LAYOUTS, LONG_SHAPES, Variant

EVERY_DTYPE = (33, 65, 129, 257)
"""The sizes that are run with every dtype. The others are run with float32 alone."""

_PASS = "input_grad:b0{0},backward:ordinary{0}"
_BOTH = f"{_PASS},eval,{_PASS}"


def _long() -> Iterator[Edge]:
    note = "sizes at, below and above usual numbers of values in a block, and primes near them"
    contiguous, channels_last = _BOTH.format(""), _BOTH.format(".channels_last")
    for shape, dimensions in LONG_SHAPES.items():
        for dtype in DTYPES:
            if dtype != "float32" and max(dimensions) not in EVERY_DTYPE:
                continue
            variant = Variant("bounded", shape, dtype)
            program = f"preset,{contiguous},train,{channels_last}"
            yield Edge(f"{shape}_{dtype}", "extent", program, note, Config(variant.channels), variant)


def _many() -> Iterator[Edge]:
    note = "many values in a channel: ordinary ones, in every layout"
    for shape in ("n4096", "n16384", "n102400"):
        for layout in LAYOUTS:
            variant = Variant("bounded", shape, "float32")
            program = "preset," + _BOTH.format(f".{layout}")
            yield Edge(f"{shape}_{layout}", "extent", program, note, Config(variant.channels), variant)


_MOST = Variant("bounded", "n204800", "float32")

EDGES: Tuple[Edge, ...] = (
    *_long(),
    *_many(),
    Edge(
        "n204800_channels_last", "extent", "preset," + _BOTH.format(".channels_last"),
        "more numbers than 2**19 in one input", Config(_MOST.channels), _MOST,
    ),
)  # fmt: skip
