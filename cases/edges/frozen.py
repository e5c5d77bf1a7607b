"""Edges in which not every one of input, weight and bias needs a gradient, in more than one layout."""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import TRACKED, UNTRACKED, Config
from cases.edges.edge import Edge
from cases.variants import DTYPES, Variant

GROUP = "frozen"

_PASS = "{0}:b1{1},backward:ordinary{1}"

_VARIANTS = tuple(
    Variant("bounded", shape, dtype)
    for shape, dtype in (
        ("n30", "float32"),
        ("n30", "float64"),
        ("n30", "bfloat16"),
        ("n30", "mixed_float16"),
        ("n60_3x8x5x4", "float32"),
    )
)

_FROZEN = {
    "weight": "attach:weight:parameter,",
    "bias": "attach:bias:parameter,",
    "both": "requires_grad:false,",
    "none": "",
}
"""Maps a word to the steps that freeze parameters."""


_LAYOUTS = tuple((x, g) for x in ("", ".channels_last") for g in ("", ".channels_last"))
"""The layouts of input and upstream gradient, as endings of their names."""


def _combinations() -> Iterator[Edge]:
    note = "each gradient is right without the others"
    for variant in _VARIANTS:
        for word, freeze in _FROZEN.items():
            passes = [
                _PASS.format(call, layout)
                for call in ("forward", "input_grad")
                for layout in ("", ".channels_last", ".permuted", ".sliced")
                if (word, call) not in (("none", "input_grad"), ("both", "forward"))
            ]
            both = f"{','.join(passes)},eval,{','.join(passes)}"
            name = f"{word}_{variant.shape}_{variant.dtype}"
            yield Edge(name, GROUP, f"{freeze}preset,{both}", note, Config(variant.channels), variant)
    variant = Variant("bounded", "n4096", "float32")
    for word, call in (("weight", "input_grad"), ("bias", "input_grad"), ("none", "forward")):
        one = _PASS.format(call, "")
        program = f"{_FROZEN[word]}preset,{one},eval,{one}"
        yield Edge(f"{word}_n4096", GROUP, program, note, TRACKED, variant)
    program = f"preset,{_PASS.format('forward', '')},{_PASS.format('forward', '.expanded')}"
    yield Edge("none_untracked", GROUP, program, note, UNTRACKED)
    yield Edge("none_views", GROUP, f"{program},{_PASS.format('forward', '.shifted')}", note, TRACKED)
    note = "without a weight, a bias that is frozen has no part in the backward"
    both = ",".join(_PASS.format("input_grad", layout) for layout in ("", ".channels_last"))
    alone = f"drop:weight,attach:bias:parameter,preset,{both},eval,{both}"
    yield Edge("bias_alone", GROUP, alone, note, TRACKED)


def _everywhere() -> Iterator[Edge]:
    note = "each gradient is right without the others, in every dtype, with another eps"
    alone = [f"forward:b1,backward:ordinary{g}" for g in ("", ".channels_last")]
    beside = [f"input_grad:b1{x},backward:ordinary{g}" for x, g in _LAYOUTS]
    mode = [
        *("attach:weight:trainable", "attach:bias:trainable", *alone),
        *("attach:weight:parameter", *alone, *beside),
        *("attach:weight:trainable", "attach:bias:parameter", *alone, *beside),
        *("attach:weight:parameter", *beside),
    ]
    program = f"preset,set:eps:0.5,{','.join([*mode, 'eval', *mode])}"
    most = ("n30", "n24_2x2x4x3")
    few = ("n2", "n8_one_channel", "n8_one_image", "n96_2x48x6x8", "n5_5x1x1x1")
    pairs = [(shape, dtype) for shape in most for dtype in DTYPES]
    pairs += [(shape, dtype) for shape in few for dtype in ("float32", "float16", "mixed_bfloat16")]
    for shape, dtype in pairs:
        variant = Variant("bounded", shape, dtype)
        yield Edge(f"each_{shape}_{dtype}", GROUP, program, note, Config(variant.channels), variant)
    for dtype in ("float32", "bfloat16"):
        variant = Variant("bounded", "n30", dtype)
        yield Edge(f"each_untracked_{dtype}", GROUP, program, note, UNTRACKED, variant)


EDGES: Tuple[Edge, ...] = (*_combinations(), *_everywhere())
