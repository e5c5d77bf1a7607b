"""Edges with input and upstream gradient in every pair of memory layouts, also with ambiguous strides.

The strides of a dimension of size 1 mean nothing, so such a tensor may be contiguous and channels_last at
once. Which of the two its strides suggest depends on how the tensor was made.
"""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import Config
from cases.edges.edge import BOTH_PASSES, Edge
from cases.variants import DTYPES, GRADIENT_LAYOUTS, LAYOUTS, Variant

VALUES = tuple(("n30", dtype) for dtype in DTYPES) + (("n256", "float32"), ("n256", "float64"))
"""Shapes in which every dimension is longer than 1, each with a dtype."""

AMBIGUOUS = (
    "n2",
    "n8_images_alone",
    "n8_one_row",
    "n8_one_column",
    "n8_one_channel",
    "n8_one_image",
    "n8_height_1",
    "n8_width_1",
    "n8_one_channel_row",
)
"""Shapes in which some dimension has size 1."""


def _pairs(shape: str, dtype: str) -> Iterator[Edge]:
    variant = Variant("bounded", shape, dtype)
    for layout in LAYOUTS:
        for gradient in GRADIENT_LAYOUTS:
            yield Edge(
                f"{shape}_{dtype}_{layout}_{gradient}", "backward_layout",
                BOTH_PASSES.format(f"b1.{layout}", f"ordinary.{gradient}"),
                "the gradient may lie in memory otherwise than the input",
                Config(variant.channels), variant,
            )  # fmt: skip


ALONE = (("input", "requires_grad:false,", "input_grad"), ("affine", "", "forward"))
"""A name, the steps before, and the call, where the input or weight and bias alone need a gradient."""


def _some() -> Iterator[Edge]:
    """Edges in which a kernel computes the input's gradient alone, or those of weight and bias alone."""
    for dtype in DTYPES:
        variant = Variant("bounded", "n30", dtype)
        for layout in ("contiguous", "channels_last", "permuted"):
            for name, frozen, call in ALONE:
                one_pass = f"{call}:b1.{layout},backward:ordinary.{layout}"
                yield Edge(
                    f"{name}_alone_{dtype}_{layout}", "backward_layout",
                    f"preset,{frozen}{one_pass},eval,{one_pass}",
                    "what needs no gradient may be left out, and only that",
                    Config(variant.channels), variant,
                )  # fmt: skip


VIEWED = ("channels_last", "permuted", "channels_last_channel_part", "channels_last_cropped")
"""The layouts of a tensor with a dimension of size 1 whose view has other strides than the tensor."""


def _views() -> Iterator[Edge]:
    """Edges with a view of the input, as ``x.view(b * t, c, h, w)`` of a video of one frame makes it."""
    for shape in ("n8_one_image", "n8_one_row", "n8_one_column", "n8_height_1"):
        variant = Variant("bounded", shape, "float32")
        for layout in VIEWED:
            for gradient in ("contiguous", "channels_last"):
                one_pass = f"view:b1.{layout},backward:ordinary.{gradient}"
                yield Edge(
                    f"{shape}_view_{layout}_{gradient}", "backward_layout",
                    f"preset,{one_pass},eval,{one_pass}",
                    "a view may have other strides along a dimension of size 1",
                    Config(variant.channels), variant,
                )  # fmt: skip


def _unsqueezed() -> Iterator[Edge]:
    """Edges with sequences (N, L, C) as images of width 1: ``x.transpose(1, 2).unsqueeze(-1)``."""
    note = "strides may be ambiguous where the width is 1, too"
    pairs = (("unsqueezed", "contiguous"), ("contiguous", "unsqueezed"))
    alike = (("unsqueezed", "channels_last"), ("unsqueezed", "unsqueezed"))
    shapes = ("n8_width_1", "n8_one_column", "n195_65_tall", "n2")
    tried = [(shape, "float32", pair) for shape in shapes for pair in (*pairs, *alike)]
    tried += [("n8_width_1", dtype, pair) for dtype in DTYPES[1:] for pair in pairs]
    for shape, dtype, (layout, gradient) in tried:
        variant = Variant("bounded", shape, dtype)
        program = BOTH_PASSES.format(f"b1.{layout}", f"ordinary.{gradient}")
        name = f"{shape}_{dtype}_{layout}_{gradient}"
        yield Edge(name, "backward_layout", program, note, Config(variant.channels), variant)


EDGES: Tuple[Edge, ...] = (
    *(edge for shape, dtype in VALUES for edge in _pairs(shape, dtype)),
    *(edge for shape in AMBIGUOUS for edge in _pairs(shape, "float32")),
    *_some(),
    *_views(),
    *_unsqueezed(),
)
