"""Edges with parameters and running statistics that are not the even numbers of other cases.

Zero weights are usual (the last layer of a residual block starts with them), and so are buffers that
training spoiled: NaN, infinite, or, with a momentum above 1, negative.
"""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import TRACKED
from cases.edges.edge import Edge
from cases.inputs.vectors import LOADED
from cases.variants import DTYPES, WIDE, Variant

GROUP = "values"

NOTES = {
    "uneven": "numbers that no binary format holds: each is read in its own dtype",
    "zeros": "0 is a number as any other: NaN times 0 is NaN, and a variance of 0 is limited by eps",
    "nonfinite": "a NaN or an infinity stays in its channel, and nothing cleans it",
    "negative": "the root of a negative number is NaN",
    "extreme": "very large and very small numbers: nothing overflows or vanishes on the way",
}

_PASS = "input_grad:{0},backward:ordinary"
_BATCHES = ("b1", "nan", "inf", "constant")


def _edges() -> Iterator[Edge]:
    for values in LOADED:
        for dtype in DTYPES if values in ("uneven", "nonfinite", "extreme") else WIDE:
            variant = Variant("bounded", "n30", dtype)
            load = f"load:{values}"
            evals = ",".join(_PASS.format(name) for name in _BATCHES)
            yield Edge(
                f"{values}_eval_{dtype}", GROUP, f"{load},eval,{evals},forward:b0.channels_last",
                NOTES[values], TRACKED, variant,
            )  # fmt: skip
            trains = ",".join(f"{load},{_PASS.format(name)}" for name in _BATCHES)
            yield Edge(
                f"{values}_train_{dtype}", GROUP, f"{trains},{load},forward:b0.channels_last,forward:b1",
                NOTES[values], TRACKED, variant,
            )  # fmt: skip


EDGES: Tuple[Edge, ...] = tuple(_edges())
