"""Edges with inputs of the wrong shape, and with inputs that are extreme in one dimension."""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import BARE, TRACKED, UNTRACKED, Config
from cases.edges.edge import BOTH_MODES, Edge
from cases.variants import Variant


def _refused() -> Iterator[Edge]:
    for name in ("two_dims", "three_dims", "five_dims"):
        note = "the number of dimensions is checked before the counter is incremented"
        yield Edge(name, "shape", BOTH_MODES.format(name), note)
    for name, config in (("tracked", TRACKED), ("untracked", UNTRACKED), ("bare", BARE)):
        note = "a module without tensors of length C accepts any number of channels"
        program = "forward:wrong_channels,forward:b0,eval,forward:wrong_channels"
        yield Edge(f"wrong_channels_{name}", "shape", program, note, config)
        program = "forward:one_value,eval,forward:one_value,forward:b0"
        note = "#1381, PR #2961; in eval without buffers the message speaks of training: #156051"
        yield Edge(f"one_value_{name}", "shape", program, note, config)


def _extreme() -> Iterator[Edge]:
    note = "extreme in one dimension: found by mutating torch's source, and by wrong modules"
    program = "preset,forward:b0,forward:b1,eval,forward:b0"
    for shape in ("one_row", "one_column", "one_channel", "67_channels", "67_images"):
        word = f"n134_{shape}" if shape == "67_images" else f"n8_{shape}"
        for lane in ("bounded", "exact"):
            variant = Variant(lane, word, "float32")
            yield Edge(f"{shape}_{lane}", "shape", program, note, Config(variant.channels), variant)


EDGES: Tuple[Edge, ...] = (*_refused(), *_extreme())
