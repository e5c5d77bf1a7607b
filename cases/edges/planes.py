"""Edges with ordinary feature maps, and with layouts that parts of larger tensors have.

They find a kernel that takes height for width, that is wrong for a number of channels or images that it
treats in a way of its own, or that reads a view of a larger tensor as dense.
"""

from __future__ import annotations

import dataclasses
from typing import Iterator, Tuple

from cases.construction import CUMULATIVE, NO_AFFINE, NO_BIAS, TRACKED, UNTRACKED, Config
from cases.edges.edge import Edge
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


_NARROW_SHAPES = (
    *("n24_2x2x4x3", "n36_3x4x3x4", "n60_3x8x5x4", "n63_1x24x9x7", "n108_12x32x3x3", "n9_9x5x1x1"),
    *("n6_1x1x3x2", "n720_2x96x20x18", "n196_1x64x14x14", "n98_2x512x7x7", "n4_1x520x2x2"),
)


_PARTS = tuple(each for each in EVERY_LAYOUT[len(GRADIENT_LAYOUTS) :] if each != "unsqueezed")
"""The layouts of parts. ``unsqueezed`` differs from channels_last only where the width is 1."""


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
    in_narrow = (*CUT_CHANNELS_LAST, "transposed", "swapped")
    for layout in _PARTS:
        program = f"preset,{_BOTH.format('.' + layout, 'b1')},train,forward:b0.{layout}"
        for name, config in (("", TRACKED), ("_untracked", UNTRACKED)):
            variant = Variant("bounded", "n30", "float32")
            yield Edge(f"{layout}{name}", GROUP, program, note, config, variant)
        variant = Variant("bounded", "n36_3x4x3x4", "float64")
        yield Edge(f"{layout}_float64", GROUP, program, note, Config(4), variant)
        for dtype in narrow if layout in in_narrow else ():
            variant = Variant("bounded", "n30", dtype)
            yield Edge(f"{layout}_{dtype}", GROUP, program, note, TRACKED, variant)


def _narrow() -> Iterator[Edge]:
    note = "such feature maps in 16 bits"
    contiguous, channels_last = _BOTH.format("", "b0"), _BOTH.format(".channels_last", "b1")
    program = f"preset,{contiguous},train,{channels_last}"
    for shape in _NARROW_SHAPES:
        for dtype in DTYPES[len(WIDE) :]:
            variant = Variant("bounded", shape, dtype)
            yield Edge(f"{shape}_{dtype}", GROUP, program, note, Config(variant.channels), variant)


def _pairs() -> Iterator[Edge]:
    note = "input and upstream gradient lie differently"
    passes = [
        f"input_grad:b1{x},backward:ordinary{g}"
        for x, g in (
            ("", ".channels_last"),
            ("", ".sliced"),
            ("", ".scalar"),
            (".channels_last", ""),
            (".channels_last", ".scalar"),
            (".permuted", ".permuted"),
            (".sliced", ".sliced"),
            (".expanded", ""),
            (".shifted", ".shifted"),
        )
    ]
    for shape in ("n60_3x8x5x4", "n108_12x32x3x3"):
        variant = Variant("bounded", shape, "float32")
        program = f"preset,{','.join(passes)},eval,{','.join(passes)}"
        yield Edge(f"pairs_{shape}", GROUP, program, note, Config(variant.channels), variant)


def _modules() -> Iterator[Edge]:
    note = "such feature maps, and modules that lack something"
    passes = f"{_PASS.format('', 'b0')},{_PASS.format('.channels_last', 'b1')},forward:nan"
    for shape in ("n8_one_channel", "n8_one_image", "n60_3x8x5x4", "n108_12x32x3x3"):
        variant = Variant("bounded", shape, "float32")
        for name, config in (
            ("no_affine", NO_AFFINE),
            ("no_bias", NO_BIAS),
            ("untracked", UNTRACKED),
            ("cumulative", CUMULATIVE),
            ("eps", Config(11, eps=1e-3)),
            ("momentum", Config(11, momentum=0.5)),
        ):
            config = dataclasses.replace(config, num_features=variant.channels)
            program = f"preset,{passes},eval,{passes}"
            yield Edge(f"{name}_{shape}", GROUP, program, note, config, variant)


EDGES: Tuple[Edge, ...] = (*_shapes(), *_parts(), *_narrow(), *_pairs(), *_modules())
