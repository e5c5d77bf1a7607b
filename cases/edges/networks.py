"""Edges with inputs as large as those of ordinary networks: many images, channels and pixels at once.

A kernel that splits its work by images, channels and pixels is wrong only where several of them are many.
"""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import Config
from cases.edges.edge import Edge
from cases.variants import DTYPES, NETWORK_SHAPES, WIDE, Variant

GROUP = "networks"

_PASSES = "input_grad:b0{0},backward:ordinary{0}"
_PROGRAM = f"preset,{_PASSES},eval,{_PASSES}"
_CALLS = "preset,no_grad:b0{0},eval,no_grad:b0{0},inference:b0{0}"

_NARROW_SHAPES = (
    *("n1024_16x64x8x8", "n98_2x512x7x7", "n128_128x24x1x1", "n196_4x6x7x7", "n2_2x8209x1x1"),
)
_FEW = ("n1024_16x64x8x8", "n16_16x128x1x1")


def _edges() -> Iterator[Edge]:
    note = "many images, channels and pixels at once"
    for shape in NETWORK_SHAPES:
        variant = Variant("bounded", shape, "float32")
        for word, layout in (("", ""), ("_channels_last", ".channels_last")):
            program = _PROGRAM.format(layout)
            yield Edge(f"{shape}{word}", GROUP, program, note, Config(variant.channels), variant)
    for shape in _NARROW_SHAPES:
        for dtype in DTYPES[len(WIDE) :]:
            variant = Variant("bounded", shape, dtype)
            program = f"{_PROGRAM.format('')},train,{_PASSES.format('.channels_last')}"
            yield Edge(f"{shape}_{dtype}", GROUP, program, note, Config(variant.channels), variant)
    for shape in _FEW:
        variant = Variant("bounded", shape, "float32")
        config = Config(variant.channels)
        for word, layout in (("", ""), ("_channels_last", ".channels_last")):
            yield Edge(f"{shape}_unrecorded{word}", GROUP, _CALLS.format(layout), note, config, variant)
        program = "preset,input_grad:b0,double:ordinary:offset,eval,input_grad:b0,double:ordinary:offset"
        yield Edge(f"{shape}_double", GROUP, program, note, config, variant)
        program = "preset,forward:b0,backward:ordinary,eval,forward:b0,backward:ordinary"
        yield Edge(f"{shape}_parameters_alone", GROUP, program, note, config, variant)


EDGES: Tuple[Edge, ...] = tuple(_edges())
