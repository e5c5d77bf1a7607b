"""Edges with calls of which autograd records nothing, as a model in use makes them.

A module may have a kernel of its own for them: folded into a scale and a shift, remembered from call to
call, or in the dtype of the input.
"""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import CUMULATIVE, NO_AFFINE, NO_BIAS, TRACKED, UNTRACKED, Config
from cases.edges.edge import Edge
from cases.variants import DTYPES, Variant

GROUP = "inference"

_CALLS = "no_grad:b0{0},inference:b1{0}"
_BOTH = f"preset,{_CALLS},eval,{_CALLS},load:uneven,{_CALLS}"

_SHAPES = ("n8_one_image", "n60_3x8x5x4", "n108_12x32x3x3", "n256", "n8_one_channel")


def _numbers() -> Iterator[Edge]:
    note = "the numbers are those of a recorded call"
    for dtype in DTYPES:
        variant = Variant("bounded", "n30", dtype)
        yield Edge(dtype, GROUP, _BOTH.format(""), note, TRACKED, variant)
    for shape in _SHAPES:
        variant = Variant("bounded", shape, "float32")
        config = Config(variant.channels)
        yield Edge(shape, GROUP, _BOTH.format(""), note, config, variant)
    for layout in ("channels_last", "permuted", "sliced", "expanded"):
        variant = Variant("bounded", "n30", "float32")
        yield Edge(layout, GROUP, _BOTH.format(f".{layout}"), note, TRACKED, variant)
    for dtype in DTYPES:
        variant = Variant("bounded", "n30", dtype)
        frozen = "preset,requires_grad:false,forward:b0,forward:b1.channels_last"
        program = f"{frozen},eval,forward:b1,forward:b0.channels_last"
        yield Edge(f"frozen_{dtype}", GROUP, program, note, TRACKED, variant)
    for dtype in DTYPES:
        variant = Variant("bounded", "n30", dtype)
        program = _BOTH.format(".channels_last")
        yield Edge(f"channels_last_{dtype}", GROUP, program, note, TRACKED, variant)
    for shape in ("n4096", "n98_2x512x7x7"):
        for dtype in ("float32", "float64", "bfloat16"):
            variant = Variant("bounded", shape, dtype)
            program = "preset,no_grad:b0,inference:b1.channels_last"
            program += ",eval,no_grad:b1,no_grad:b0.channels_last,inference:b0"
            yield Edge(f"{shape}_{dtype}", GROUP, program, note, Config(variant.channels), variant)
    for shape in ("n134_67_images", "n387_129_images", "n16384", "n2", "n6_129_channels"):
        variant = Variant("bounded", shape, "float32")
        yield Edge(shape, GROUP, _BOTH.format(""), note, Config(variant.channels), variant)
    for layout in ("shifted", "channels_last_image_rest", "channels_last_channel_rest"):
        variant = Variant("bounded", "n30", "float32")
        yield Edge(layout, GROUP, _BOTH.format(f".{layout}"), note, TRACKED, variant)
    program = "preset,eval,no_grad:nan,inference:inf,no_grad:b0,train,no_grad:inf,inference:b1"
    yield Edge("nonfinite", GROUP, program, "a NaN stays in its channel")


def _modules() -> Iterator[Edge]:
    note = "the attributes of the moment decide, as in a recorded call"
    for name, config in (
        ("no_affine", NO_AFFINE),
        ("no_bias", NO_BIAS),
        ("untracked", UNTRACKED),
        ("cumulative", CUMULATIVE),
        ("momentum", Config(11, momentum=0.5)),
        ("eps", Config(11, eps=0.5)),
    ):
        yield Edge(name, GROUP, _BOTH.format(""), note, config)
    for name, change in (
        ("track_off", "set:track_running_stats:false"),
        ("no_counter", "drop:num_batches_tracked"),
        ("no_weight", "drop:weight"),
        ("strided_weight", "attach:weight:trainable.strided"),
        ("strided_running_var", "attach:running_var:tensor.strided"),
        ("momentum_set", "set:momentum:0.25"),
        ("eps_set", "set:eps:0.5"),
    ):
        yield Edge(name, GROUP, _BOTH.format("").replace("preset", f"preset,{change}"), note)
        program = _BOTH.format(".channels_last").replace("preset", f"preset,{change}")
        yield Edge(f"{name}_channels_last", GROUP, program, note)


def _stale() -> Iterator[Edge]:
    note = "what was folded or remembered for a call is stale after a write"
    for name, write in (
        ("overwritten", "overwrite"),
        ("loaded", "load:plain"),
        ("assigned", "load:assigned_plain"),
        ("attached", "attach:running_var:tensor,attach:weight:trainable"),
        ("reset", "reset_running_stats"),
        ("trained", "train,forward:b0,eval"),
        ("eps", "set:eps:0.5"),
        ("converted", "convert:double,convert:float"),
    ):
        calls = "no_grad:b1,inference:b0,no_grad:b1"
        yield Edge(f"stale_{name}", GROUP, f"preset,eval,no_grad:b0,{write},{calls}", note)


EDGES: Tuple[Edge, ...] = (*_numbers(), *_modules(), *_stale())
