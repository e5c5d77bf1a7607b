"""Edges with batches of several sizes in turn, as at the end of an epoch or in multi-scale training.

A kernel that keeps what it made for a size must notice that the number of images, or the height and
width, has changed; and a backward must use the size of its own forward.
"""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import CUMULATIVE, NO_AFFINE, TRACKED, UNTRACKED
from cases.edges.edge import Edge
from cases.variants import DTYPES, Variant

GROUP = "resized"

_NOTE = "another number of images with the same height and width, and the other way round"

_FORWARDS = (
    "forward:b0{0},forward:last_batch{0},forward:other_size{0},forward:last_batch{0},forward:b1{0}"
)
_PASSES = (
    "input_grad:b0{0},backward:ordinary,input_grad:last_batch{0},backward:ordinary,"
    "input_grad:other_size{0},backward:offset,input_grad:b1{0},backward:ordinary"
)
_EARLIER = (
    "input_grad:b0{0},input_grad:last_batch{0},earlier:ordinary,backward:ordinary,"
    "input_grad:other_size{0},input_grad:b1{0},earlier:ordinary,backward:ones"
)
_TWICE = (
    "input_grad:b0{0},double:ordinary:offset,input_grad:last_batch{0},double:ordinary:offset,"
    "input_grad:other_size{0},double:ordinary:offset"
)


_PROGRAMS = (("forward", _FORWARDS), ("backward", _PASSES), ("earlier", _EARLIER), ("double", _TWICE))
_MODULES = (("untracked", UNTRACKED), ("no_affine", NO_AFFINE), ("cumulative", CUMULATIVE))


def _edges() -> Iterator[Edge]:
    for dtype in DTYPES:
        for name, steps in _PROGRAMS[:2]:
            variant = Variant("bounded", "n30", dtype)
            program = f"preset,{steps.format('')},eval,{steps.format('')}"
            yield Edge(f"{name}_{dtype}", GROUP, program, _NOTE, TRACKED, variant)
    for name, steps in _PROGRAMS:
        for word, layout in (("", ""), ("_channels_last", ".channels_last")):
            program = f"preset,{steps.format(layout)},eval,{steps.format(layout)}"
            yield Edge(f"{name}{word}", GROUP, program, _NOTE)
        for word, config in _MODULES:
            yield Edge(f"{name}_{word}", GROUP, steps.format(""), _NOTE, config)
    unrecorded = "no_grad:b0,no_grad:last_batch,no_grad:other_size,inference:last_batch,no_grad:b1"
    yield Edge("no_grad", GROUP, f"preset,{unrecorded},eval,{unrecorded}", _NOTE)
    program = "preset,forward:b0,forward:narrow_float,forward:b1.channels_last,forward:narrow_float"
    variant = Variant("bounded", "n30", "mixed_bfloat16")
    note = "a narrow copy of the parameters is of one dtype alone"
    yield Edge("other_dtype", GROUP, f"{program},eval,{program[len('preset,'):]}", note, TRACKED, variant)


EDGES: Tuple[Edge, ...] = tuple(_edges())
