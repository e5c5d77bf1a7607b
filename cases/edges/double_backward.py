"""Edges that compare gradients of gradients, in both modes, with the closed form."""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import BARE, CUMULATIVE, NO_AFFINE, NO_BIAS, TRACKED, UNTRACKED, Config
from cases.edges.edge import Edge, elsewhere
from cases.variants import DTYPES, WIDE, Variant

GROUP = "double_backward"

BOTH_MODES = "preset,input_grad:{0},double:{1}:{2},eval,input_grad:{0},double:{1}:{2}"
"""A program: the double backward of a batch in both modes, for an upstream gradient and a direction."""


def _directions() -> Iterator[Edge]:
    for gradient, direction, note in (
        ("ordinary", "alternating", "every term counts"),
        ("offset", "ordinary", "the mean of the upstream gradient is subtracted"),
        ("ordinary", "offset", "the mean of the direction is subtracted"),
        ("like_input", "like_input", "the products with the deviations are large"),
        ("outlier", "ones", "a penalty on the sum of a gradient"),
    ):
        program = BOTH_MODES.format("b1", gradient, direction)
        yield Edge(f"{gradient}_{direction}", GROUP, program, note)
    note = "the budget follows the operations"
    program = BOTH_MODES.format("b1", "ordinary", "alternating")
    for shape, dtypes in (("n2", WIDE), ("n30", WIDE), ("n256", ("float32",))):
        for dtype in dtypes:
            variant = Variant("bounded", shape, dtype)
            yield Edge(f"{shape}_{dtype}", GROUP, program, note, TRACKED, variant)


def _modules() -> Iterator[Edge]:
    note = "what depends on what, by the parameters and statistics that are there"
    program = BOTH_MODES.format("b1", "ordinary", "alternating")
    for word, config in (
        ("cumulative", CUMULATIVE),
        ("untracked", UNTRACKED),
        ("no_affine", NO_AFFINE),
        ("no_bias", NO_BIAS),
        ("bare", BARE),
    ):
        yield Edge(word, GROUP, program, note, config)
    for name in ("weight", "bias"):
        frozen = program.replace("preset,", f"preset,attach:{name}:parameter,")
        yield Edge(f"{name}_frozen", GROUP, frozen, note)
    dropped = program.replace("preset,", "drop:weight,preset,")
    note = "a bias without a weight: torch forgets its part"
    yield Edge("no_weight", GROUP, dropped, note)
    yield Edge("no_weight_bias_alone", GROUP, dropped.replace("input_grad", "forward"), note)
    note = "what depends on what, without the input"
    yield Edge("parameters_alone", GROUP, program.replace("input_grad", "forward"), note)
    note = "a double backward leaves the graph and everything else as it was"
    double = "double:ordinary:ones,double:ones:ordinary"
    yield Edge("repeated", GROUP, f"preset,input_grad:b0,{double},retain:offset,accumulate:ones", note)
    note = "there is nothing to differentiate"
    yield Edge("no_grad", GROUP, "preset,no_grad:b0,double:ones:ones", note)
    note = "the statistics do not depend on the layout"
    yield Edge("channels_last", GROUP, program.replace("b1", "b1.channels_last"), note)
    yield Edge("nan", GROUP, program.replace("b1", "nan"), "a NaN stays in its channel")


def _narrow() -> Iterator[Edge]:
    note = "in 16 bits, and in mixed precision"
    for dtype in DTYPES:
        for shape in ("n8", "n30") if dtype not in WIDE else ():
            for gradient, direction in (("ordinary", "alternating"), ("offset", "ordinary")):
                program = BOTH_MODES.format("b1", gradient, direction)
                variant = Variant("bounded", shape, dtype)
                yield Edge(f"{shape}_{dtype}_{gradient}", GROUP, program, note, TRACKED, variant)


def _elsewhere() -> Iterator[Edge]:
    note = "another epsilon, other sizes, and an upstream gradient that lies otherwise"
    program = BOTH_MODES.format("b1", "ordinary", "alternating")
    yield from elsewhere(GROUP, program, note)
    for gradient in ("ones.scalar", "ordinary.channels_last", "alternating.expanded"):
        laid_out = BOTH_MODES.format("b1", gradient, "ordinary")
        yield Edge(f"upstream_{gradient.replace('.', '_')}", GROUP, laid_out, note)
    for layout in ("permuted", "sliced", "channels_last"):
        for dtype in ("float64", "float16", "mixed_bfloat16"):
            variant = Variant("bounded", "n30", dtype)
            laid_out = BOTH_MODES.format(f"b1.{layout}", f"ordinary.{layout}", "alternating")
            yield Edge(f"{layout}_{dtype}", GROUP, laid_out, note, TRACKED, variant)
    for dtype in DTYPES[len(WIDE) :]:
        variant = Variant("bounded", "n2", dtype)
        yield Edge(f"n2_{dtype}", GROUP, program, note, TRACKED, variant)
    off = program.replace("preset", "preset,set:track_running_stats:false")
    yield Edge("track_off", GROUP, off, note)
    program = "preset,forward:b1,double:ordinary:alternating,eval,forward:b1,double:ones:ordinary"
    for name in ("weight", "bias"):
        frozen = program.replace("preset,", f"attach:{name}:parameter,preset,")
        yield Edge(f"{name}_frozen_parameters_alone", GROUP, frozen, note)
    for name in ("nan", "inf"):
        for dtype in ("float64", "float16"):
            variant = Variant("bounded", "n8", dtype)
            program = BOTH_MODES.format(name, "ordinary", "alternating")
            yield Edge(f"{name}_{dtype}", GROUP, program, "it stays in its channel", TRACKED, variant)


def _channels_last() -> Iterator[Edge]:
    note = "a gradient penalty in a network that is channels_last throughout"
    given = ("b1.channels_last", "ordinary.channels_last", "alternating.channels_last")
    program, last = BOTH_MODES.format(*given), BOTH_MODES.format(given[0], "ordinary", "alternating")
    for word, config in (("", TRACKED), ("untracked_", UNTRACKED), ("no_affine_", NO_AFFINE)):
        yield Edge(f"{word}channels_last_throughout", GROUP, program, note, config)
        yield Edge(f"{word}channels_last_input", GROUP, last, note, config)
    alone = last.replace("input_grad", "forward")
    yield Edge("channels_last_parameters_alone", GROUP, alone, note)
    for layout in ("shifted", "channels_last_image_rest", "channels_last_channel_rest"):
        laid_out = BOTH_MODES.format(f"b1.{layout}", f"ordinary.{layout}", f"offset.{layout}")
        yield Edge(f"{layout}_throughout", GROUP, laid_out, "a part of a larger tensor")


def _lacking() -> Iterator[Edge]:
    note = "in 16 bits, without a bias or running statistics"
    program = BOTH_MODES.format("b1", "ordinary", "alternating")
    without_bias = program.replace("preset", "drop:bias,preset")
    for dtype in DTYPES[len(WIDE) :]:
        variant = Variant("bounded", "n30", dtype)
        yield Edge(f"no_bias_{dtype}", GROUP, without_bias, note, TRACKED, variant)
        yield Edge(f"untracked_{dtype}", GROUP, program, note, UNTRACKED, variant)
        large = Variant("bounded", "n256", dtype)
        yield Edge(f"n256_{dtype}", GROUP, program, "more values a channel in 16 bits", TRACKED, large)
    note = "without a bias and running statistics"
    yield Edge("untracked_no_bias", GROUP, without_bias, note, UNTRACKED)
    images = Variant("bounded", "n134_67_images", "float32")
    yield Edge("n134_67_images", GROUP, program, "many images", TRACKED, images)


def _alone() -> Iterator[Edge]:
    for name, note in (
        ("input", "a gradient penalty differentiates the input's gradient alone"),
        ("parameters", "the gradients of weight and bias are differentiated, the input's is not"),
    ):
        program = BOTH_MODES.format("b1", "ordinary", "alternating").replace("double", f"double_{name}")
        yield Edge(f"of_{name}", GROUP, program, note)
        for word, config in (("untracked", UNTRACKED), ("no_affine", NO_AFFINE), ("no_bias", NO_BIAS)):
            yield Edge(f"of_{name}_{word}", GROUP, program, note, config)
        dropped = program.replace("preset", "drop:weight,preset")
        yield Edge(f"of_{name}_no_weight", GROUP, dropped, note)
        laid_out = program.replace("b1", "b1.channels_last")
        yield Edge(f"of_{name}_channels_last", GROUP, laid_out, note)
        for dtype in DTYPES[1:]:
            variant = Variant("bounded", "n30", dtype)
            yield Edge(f"of_{name}_{dtype}", GROUP, program, note, TRACKED, variant)


def _asked() -> Iterator[Edge]:
    note = "each is right if it alone is asked for, and where the upstream gradient is a constant"
    ways = [f"{way}:ordinary:alternating" for way in ("double_alone", "double_constant")]
    passes = ",".join(["input_grad:b1", *ways])
    program = f"preset,{passes},eval,{passes}"
    for word, config in (("tracked", TRACKED), ("untracked", UNTRACKED), ("no_bias", NO_BIAS)):
        yield Edge(f"asked_{word}", GROUP, program, note, config)
    for dtype in DTYPES[1:]:
        yield Edge(f"asked_{dtype}", GROUP, program, note, TRACKED, Variant("bounded", "n30", dtype))
    laid_out = program.replace("b1", "b1.channels_last")
    yield Edge("asked_channels_last", GROUP, laid_out, note)
    alone = f"preset,forward:b1,{ways[0]},eval,forward:b1,{ways[0]}"
    yield Edge("asked_parameters_alone", GROUP, alone, note)


def _everywhere() -> Iterator[Edge]:
    note = "beside frozen parameters, with another eps, in other sizes and dtypes"
    passes = [
        f"input_grad:b1{layout},double:ordinary{layout}:alternating" for layout in ("", ".channels_last")
    ]
    mode = [
        *("attach:weight:trainable", "attach:bias:trainable", *passes),
        *("attach:weight:parameter", *passes, "attach:weight:trainable"),
        *("attach:bias:parameter", *passes),
    ]
    program = f"preset,set:eps:0.5,{','.join([*mode, 'eval', *mode])}"
    shapes = ("n8_one_channel", "n8_one_image", "n96_2x48x6x8", "n9_9x5x1x1")
    pairs = [("n30", dtype) for dtype in DTYPES]
    pairs += [(shape, dtype) for shape in shapes for dtype in ("float64", "float16", "mixed_bfloat16")]
    for shape, dtype in pairs:
        variant = Variant("bounded", shape, dtype)
        yield Edge(f"each_{shape}_{dtype}", GROUP, program, note, Config(variant.channels), variant)


EDGES: Tuple[Edge, ...] = (
    *_everywhere(),
    *_asked(),
    *_directions(),
    *_modules(),
    *_narrow(),
    *_elsewhere(),
    *_channels_last(),
    *_lacking(),
    *_alone(),
)
