"""Edges about what surrounds a forward: sizes, paths, how the arguments come, texts, autograd."""

from __future__ import annotations

from typing import Dict, Tuple

from cases.construction import Config, config
from cases.edge import BARE, CUMULATIVE, FLOAT32, FLOAT64, NO_AFFINE, NO_BIAS, UNTRACKED, Edge
from cases.mutations import MUTATIONS, Mutation, steps_of
from cases.steps import spell
from cases.variants import Variant


def shapes() -> Tuple[Edge, ...]:
    """Inputs that are extreme in one dimension."""
    edges = []
    note = "extreme in one dimension: found by mutating torch's source, and by wrong modules"
    for shape in ("one_row", "one_column", "one_channel", "67_channels", "67_images"):
        word = f"n134_{shape}" if shape == "67_images" else f"n8_{shape}"
        for lane in ("bounded", "exact"):
            variant = Variant(lane, word, "float32")
            program = "preset,forward:b0,forward:b1,eval,forward:b0"
            edges.append(
                Edge(f"{shape}_{lane}", "shape", program, note, Config(variant.channels), variant)
            )
    for word in ("n8_67_channels", "n134_67_images"):
        variant = Variant("bounded", word, "float32")
        program = "preset,{0},{0},eval,{0}".format("forward:b1.channels_last")
        module = Config(variant.channels)
        edges.append(Edge(f"channels_last_{word}", "layout", program, note, module, variant))
    return tuple(edges)


def calls() -> Tuple[Edge, ...]:
    """Every way to pass the constructor's arguments."""
    program = "forward:b0,state_dict,eval,forward:b1"
    return tuple(
        Edge(name, "construction", program, note, module, variant)
        for name, note, module, variant in (
            ("keywords", "", Config(11, call="keywords"), FLOAT32),
            ("positional", "", Config(11, 0.5, 0.25, False, True, call="positional"), FLOAT32),
            ("positional_untracked", "", Config(11, 0.5, None, True, False, call="positional"), FLOAT32),
            ("dtype", "", Config(11, call="dtype"), FLOAT32),
            ("dtype_float64", "", Config(11, call="dtype"), FLOAT64),
            ("dtype_float64_no_affine", "", Config(11, affine=False, call="dtype"), FLOAT64),
            ("dtype_float64_untracked", "", Config(11, track_running_stats=False, call="dtype"), FLOAT64),
        )
    )


def texts() -> Tuple[Edge, ...]:
    """What the module says of itself, before and after its attributes change."""
    program = (
        "show:repr,show:keys,show:version,set:eps:0.5,set:momentum:0.25,set:track_running_stats:true,"
        "show:repr,set:affine:false,set:num_features:7,drop:bias,drop:running_mean,show:repr,show:keys,"
        "eval,deepcopy,show:repr,show:version,set:track_running_stats:false,train,forward:b0"
    )
    return tuple(
        Edge(name, "text", program, "repr and state dict tell what is there now", module)
        for name, module in (
            ("tracked", Config(11)),
            ("cumulative", CUMULATIVE),
            ("untracked", UNTRACKED),
            ("bare", BARE),
            ("no_bias", NO_BIAS),
        )
    )


def autograd() -> Tuple[Edge, ...]:
    """Forwards that record nothing, and forwards that record the input."""
    edges = []
    for grad in ("no_grad", "input_grad"):
        program = f"preset,{grad}:b0,{grad}:b1,forward:b2,eval,{grad}:b0,forward:b1"
        for name, module in (("", Config(11)), ("_cumulative", CUMULATIVE), ("_no_affine", NO_AFFINE)):
            note = "what autograd records changes neither outputs nor buffers"
            edges.append(Edge(f"{grad}{name}", "autograd", program, note, module))
    return tuple(edges)


PATHS: Dict[str, Tuple[str, Variant]] = {
    "large": ("forward:b0", Variant("bounded", "n4096", "float32")),
    "channels_last": ("forward:b1.channels_last", Variant("bounded", "n256", "float32")),
    "no_grad": ("no_grad:b1", FLOAT32),
}
"""Word to a forward that kernels have a path of their own for."""


def _constructed(mutation: Mutation) -> Config:
    """The first of the usual modules to which the mutation does something."""
    for words in (("affine", "track"), ("affine", "no_track"), ("no_affine", "track")):
        if mutation.meaningless((*words, "momentum_0.1")) is None:
            return config(*words, "momentum_0.1", 11)
    raise AssertionError("unreachable: every mutation does something to one of them")


def paths() -> Tuple[Edge, ...]:
    """Every mutation between forwards on one path: what a kernel has prepared for it must not last."""
    edges = []
    note = "found by wrong modules: what was folded, cached or compiled before the mutation is stale"
    for path, (forward, variant) in PATHS.items():
        for name, mutation in MUTATIONS.items():
            program = f"preset,{forward},eval,{forward},{spell(steps_of(name, 'E'))},{forward}"
            program += f",train,{forward},eval,{forward}"
            edges.append(Edge(name, path, program, note, _constructed(mutation), variant))
    return tuple(edges)
