"""Edges in which the output or the input of a forward is written to before its backward.

The backward reads the input, so autograd refuses to go on once that was changed in place; it does not
read the output, which an in-place activation may overwrite.
"""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import BARE, NO_AFFINE, NO_BIAS, TRACKED, UNTRACKED
from cases.edges.edge import Edge
from cases.steps import OVERWRITTEN
from cases.variants import Variant

GROUP = "overwritten"

NOTES = {
    "output_overwritten": "nn.ReLU(inplace=True) after the module: the backward does not need the output",
    "input_overwritten": "the backward needs the input: what was changed in place is refused",
}


def _edges() -> Iterator[Edge]:
    configs = (
        ("tracked", TRACKED),
        ("untracked", UNTRACKED),
        ("no_affine", NO_AFFINE),
        ("no_bias", NO_BIAS),
        ("bare", BARE),
    )
    for word in OVERWRITTEN:
        for name, config in configs:
            once = f"{word}:b0,backward:ordinary"
            later = f"{word}:b1.channels_last,input_grad:b2,earlier:ordinary,backward:ones"
            program = f"preset,{once},{later},eval,{once},{later},forward:b0"
            yield Edge(f"{word}_{name}", GROUP, program, NOTES[word], config)
        for dtype in ("float64", "mixed_bfloat16"):
            program = f"preset,{word}:b0,retain:ordinary,accumulate:ones,eval,{word}:b1,accumulate:ones"
            variant = Variant("bounded", "n30", dtype)
            yield Edge(f"{word}_{dtype}", GROUP, program, NOTES[word], TRACKED, variant)
        program = f"preset,requires_grad:false,{word}:b0,backward:ordinary,eval,{word}:b1,backward:ones"
        yield Edge(f"{word}_frozen", GROUP, program, NOTES[word])
        program = f"preset,{word}:b0,double:ordinary:offset,eval,{word}:b1,double:ordinary:offset"
        yield Edge(f"{word}_twice", GROUP, program, NOTES[word])


EDGES: Tuple[Edge, ...] = tuple(_edges())
