"""Edges with every mutation between forwards for which torch has a kernel of its own.

A path here is one through torch's kernels, not one of ``cases.paths``. Values that such a kernel prepared
before the mutation must not be used after it.
"""

from __future__ import annotations

from typing import Dict, Iterator, Tuple

from cases.construction import Config, config
from cases.edges.edge import FLOAT32, Edge
from cases.matrix.mutations import MUTATIONS, Mutation, steps_of
from cases.spelling import spell
from cases.variants import Variant

PATHS: Dict[str, Tuple[str, Variant]] = {
    "large": ("forward:b0", Variant("bounded", "n4096", "float32")),
    "channels_last": ("forward:b1.channels_last", Variant("bounded", "n256", "float32")),
    "no_grad": ("no_grad:b1", FLOAT32),
}
"""Maps a word to a forward and its variant."""


def _constructed(mutation: Mutation) -> Config:
    """Return the first of three ordinary modules that the mutation changes."""
    for words in (("affine", "track"), ("affine", "no_track"), ("no_affine", "track")):
        if mutation.meaningless((*words, "momentum_0.1")) is None:
            return config(*words, "momentum_0.1", 11)
    raise AssertionError("unreachable: every mutation does something to one of them")


def _edges() -> Iterator[Edge]:
    note = "found by wrong modules: values folded or cached before the mutation are stale"
    for path, (forward, variant) in PATHS.items():
        for name, mutation in MUTATIONS.items():
            program = f"preset,{forward},eval,{forward},{spell(steps_of(name, 'E'))},{forward}"
            program += f",train,{forward},eval,{forward}"
            yield Edge(name, path, program, note, _constructed(mutation), variant)


EDGES: Tuple[Edge, ...] = tuple(_edges())
