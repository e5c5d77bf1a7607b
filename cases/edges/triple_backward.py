"""Edges that compare third derivatives, in both modes, with the closed form."""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import BARE, NO_AFFINE, NO_BIAS, TRACKED, UNTRACKED
from cases.edges.edge import FLOAT64, Edge
from cases.variants import WIDE, Variant

GROUP = "triple_backward"

BOTH_MODES = "preset,input_grad:b1,triple:{0}:{1}:{2},eval,input_grad:b1,triple:{0}:{1}:{2}"
"""A program: the triple backward of a batch in both modes."""


def _edges() -> Iterator[Edge]:
    note = "#186256: statistics are taken for constants"
    for names in (
        ("ordinary", "alternating", "offset"),
        ("offset", "ordinary", "alternating"),
        ("alternating", "offset", "ordinary"),
        ("like_input", "ordinary", "outlier"),
        ("ones", "ones", "ones"),
    ):
        yield Edge("_".join(names), GROUP, BOTH_MODES.format(*names), note, TRACKED, FLOAT64)
    program = BOTH_MODES.format("ordinary", "alternating", "offset")
    for shape in ("n2", "n8", "n30"):
        for dtype in WIDE:
            if (shape, dtype) != ("n8", "float64"):
                variant = Variant("bounded", shape, dtype)
                yield Edge(f"{shape}_{dtype}", GROUP, program, note, TRACKED, variant)
    for word, config in (
        ("untracked", UNTRACKED),
        ("no_affine", NO_AFFINE),
        ("no_bias", NO_BIAS),
        ("bare", BARE),
    ):
        yield Edge(word, GROUP, program, note, config, FLOAT64)
    frozen = program.replace("preset,", "preset,attach:weight:parameter,")
    yield Edge("weight_frozen", GROUP, frozen, note, TRACKED, FLOAT64)
    dropped = program.replace("preset,", "drop:weight,preset,")
    yield Edge("weight_dropped", GROUP, dropped, note, TRACKED, FLOAT64)
    note = "there is no second derivative with respect to the input"
    yield Edge("parameters_alone", GROUP, program.replace("input_grad", "forward"), note)
    layout = program.replace("b1", "b1.channels_last")
    yield Edge("channels_last", GROUP, layout, "the layout does not matter", TRACKED, FLOAT64)
    images = Variant("bounded", "n134_67_images", "float32")
    program = BOTH_MODES.format("ordinary", "alternating", "offset")
    yield Edge("n134_67_images", GROUP, program, "many images", TRACKED, images)
    note = "it leaves the graph and everything else as it was"
    program = "preset,input_grad:b0,triple:ones:ordinary:offset,double:ordinary:ones,retain:offset"
    yield Edge("repeated", GROUP, f"{program},accumulate:ones,triple:ones:ones:ones", note)


EDGES: Tuple[Edge, ...] = tuple(_edges())
