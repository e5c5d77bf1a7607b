"""Edges with ordinary feature maps, and with layouts that parts of larger tensors have.

They find a kernel that takes height for width, that is wrong for a number of channels or images that it
treats in a way of its own, or that reads a view of a larger tensor as dense.
"""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import Config
from cases.edges.edge import TRACKED, UNTRACKED, Edge
from cases.variants import (
    CUT_CHANNELS_LAST,
    DTYPES,
    EVERY_LAYOUT,
    GRADIENT_LAYOUTS,
    PLANE_SHAPES,
    WIDE,
    Variant,
)

GROUP = "planes"

_PASS = "input_grad:{1}{0},backward:ordinary{0}"
_BOTH = f"{_PASS},eval,{_PASS}"


def _shapes() -> Iterator[Edge]:
    note = "numbers of channels, images, rows and columns as in ordinary networks, and few values"
    contiguous, channels_last = _BOTH.format("", "b0"), _BOTH.format(".channels_last", "b1")
    program = f"preset,{contiguous},train,{channels_last}"
    for shape in PLANE_SHAPES:
        for dtype in WIDE:
            variant = Variant("bounded", shape, dtype)
            yield Edge(f"{shape}_{dtype}", GROUP, program, note, Config(variant.channels), variant)


def _parts() -> Iterator[Edge]:
    note = "a view of a larger tensor, or of a smaller one: #121651, #63224"
    narrow = tuple(dtype for dtype in DTYPES if dtype not in WIDE)
    for layout in EVERY_LAYOUT[len(GRADIENT_LAYOUTS) :]:
        program = f"preset,{_BOTH.format('.' + layout, 'b1')},train,forward:b0.{layout}"
        for name, config in (("", TRACKED), ("_untracked", UNTRACKED)):
            variant = Variant("bounded", "n30", "float32")
            yield Edge(f"{layout}{name}", GROUP, program, note, config, variant)
        variant = Variant("bounded", "n36_3x4x3x4", "float64")
        yield Edge(f"{layout}_float64", GROUP, program, note, Config(4), variant)
        for dtype in narrow if layout in CUT_CHANNELS_LAST else ():
            variant = Variant("bounded", "n30", dtype)
            yield Edge(f"{layout}_{dtype}", GROUP, program, note, TRACKED, variant)


EDGES: Tuple[Edge, ...] = (*_shapes(), *_parts())
