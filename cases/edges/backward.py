"""Edges about gradients in both modes: every upstream gradient, odd modules and odd inputs."""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import BARE, NO_AFFINE, TRACKED, UNTRACKED, Config
from cases.edges.edge import BOTH_PASSES, FLOAT32, FLOAT64, MODULES, Edge
from cases.inputs.upstream import EXTREME, UPSTREAM
from cases.variants import DTYPES, Variant


def _upstreams() -> Iterator[Edge]:
    note = "the closed form for every kind of upstream gradient"
    for name in UPSTREAM:
        program = BOTH_PASSES.format("b1", name)
        for word, config in MODULES:
            yield Edge(f"{name}_{word}", "backward", program, note, config)
        for shape, dtypes in (("n2", DTYPES), ("n30", DTYPES), ("n256", ("float32", "float64"))):
            for dtype in dtypes:
                variant = Variant("bounded", shape, dtype)
                yield Edge(f"{name}_{shape}_{dtype}", "backward", program, note, TRACKED, variant)


def _inputs() -> Iterator[Edge]:
    for name, note in (
        ("nan", "a NaN stays in its channel"),
        ("inf", "an infinity stays in its channel"),
        ("constant", "the variance is 0: #5410"),
        ("three_tenths", "the variance is 0 up to rounding"),
        ("no_batch", "there is nothing to sum: the gradients of weight and bias are 0"),
        ("no_height", "there is nothing to sum"),
        ("no_width", "there is nothing to sum"),
    ):
        for word, config in MODULES:
            program = BOTH_PASSES.format(name, "ordinary")
            yield Edge(f"input_{name}_{word}", "backward", program, note, config)
        program = BOTH_PASSES.format(name, "offset")
        yield Edge(f"input_{name}_float64", "backward", program, note, TRACKED, FLOAT64)
    note = "a NaN and an infinity in every second batch"
    program = "preset," + ",".join(f"input_grad:b{k},backward:ordinary" for k in range(4))
    for dtype in DTYPES:
        variant = Variant("nonfinite", "n8", dtype)
        yield Edge(f"nonfinite_{dtype}", "backward", program, note, TRACKED, variant)
    yield Edge(
        "one_value", "backward", "preset,eval,input_grad:one_value,backward:ordinary",
        "one value a channel is enough in eval mode", TRACKED,
    )  # fmt: skip
    yield Edge(
        "overflowing", "backward", "preset,input_grad:overflowing,backward:ordinary",
        "a variance that float32 cannot hold: #162489", TRACKED,
    )  # fmt: skip


def _trainable() -> Iterator[Edge]:
    """Edges in which some of input, weight and bias require a gradient and the others do not."""
    note = "a gradient is there exactly where one is required"
    for forward in ("forward", "input_grad"):
        for name, frozen in (
            ("all", ""),
            ("weight_frozen", "attach:weight:parameter,"),
            ("bias_frozen", "attach:bias:parameter,"),
            ("both_frozen", "attach:weight:parameter,attach:bias:parameter,"),
            ("weight_dropped", "drop:weight,"),
            ("bias_dropped", "drop:bias,"),
            ("both_dropped", "drop:weight,drop:bias,"),
            ("weight_frozen_bias_dropped", "attach:weight:parameter,drop:bias,"),
        ):
            passes = f"{forward}:b1,backward:ordinary"
            program = f"preset,{frozen}{passes},eval,{passes}"
            yield Edge(f"{forward}_{name}", "backward", program, note, TRACKED)
    for name, config in (("no_affine", NO_AFFINE), ("bare", BARE)):
        program = "forward:b1,backward:ordinary,eval,forward:b1,backward:ordinary"
        yield Edge(f"forward_{name}", "backward", program, "nothing requires a gradient", config)
    yield Edge(
        "weight_on_bare", "backward",
        "attach:weight:trainable,attach:bias:trainable," + BOTH_PASSES.format("b1", "ordinary"),
        "parameters that are attached to a module without any", BARE,
    )  # fmt: skip


def _statistics() -> Iterator[Edge]:
    """Edges in which running statistics are dropped, attached or changed between passes."""
    passes = "input_grad:b1,backward:ordinary,"
    both = f"{passes}eval,{passes}"
    attached = "attach:running_mean:tensor,attach:running_var:tensor,"
    for name, config, middle in (
        ("attached", UNTRACKED, attached),
        ("attached_and_tracked", UNTRACKED, f"{attached}set:track_running_stats:true,"),
        ("dropped", TRACKED, "drop:running_mean,drop:running_var,"),
        ("mean_dropped", TRACKED, "drop:running_mean,"),
        ("var_dropped", TRACKED, "drop:running_var,"),
        ("track_off", TRACKED, "set:track_running_stats:false,"),
        ("track_on", UNTRACKED, "set:track_running_stats:true,"),
        ("eps", TRACKED, "set:eps:0.5,"),
        ("eps_tiny", TRACKED, "set:eps:1e-12,"),
        ("training_attribute", TRACKED, "set:training:false,"),
    ):
        program = f"preset,{both}{middle}{passes}train,{both}".rstrip(",")
        note = "the gradients go by the statistics that the forward normalised with"
        yield Edge(f"statistics_{name}", "backward", program, note, config)
    yield Edge(
        "initial", "backward", "input_grad:b0,backward:ordinary,eval,input_grad:b0,backward:ordinary",
        "weight 1, bias 0 and the initial buffers", TRACKED, FLOAT32,
    )  # fmt: skip
    note = "in eval mode alone nothing of the batch's statistics hides how the running ones are rounded"
    for dtype in DTYPES:
        variant = Variant("bounded", "n30", dtype)
        program = "preset,eval,input_grad:b1,backward:ordinary"
        yield Edge(f"eval_{dtype}", "backward", program, note, TRACKED, variant)
    yield Edge(
        "negative_variance", "backward",
        "preset,set:momentum:-3,input_grad:b1,backward:ordinary,eval,input_grad:b1,backward:ordinary",
        "a running variance below 0 has no root", Config(11),
    )  # fmt: skip


def _large() -> Iterator[Edge]:
    note = "some thousand values a channel"
    for dtype in DTYPES[1:]:
        variant = Variant("bounded", "n4096", dtype)
        program = BOTH_PASSES.format("b1", "ordinary")
        yield Edge(f"n4096_{dtype}", "backward", program, note, TRACKED, variant)


def _extreme() -> Iterator[Edge]:
    note = "one extreme number in the upstream gradient, as a scaled loss has, stays in its channel"
    for name in EXTREME:
        for dtype in DTYPES:
            variant = Variant("bounded", "n30", dtype)
            program = BOTH_PASSES.format("b1", name)
            yield Edge(f"{name}_{dtype}", "backward", program, note, TRACKED, variant)
        passes = f"input_grad:b1.channels_last,backward:{name}.channels_last,forward:b0,accumulate:{name}"
        program = f"preset,{passes},eval,{passes}"
        yield Edge(f"{name}_channels_last", "backward", program, note)


def _rectified() -> Iterator[Edge]:
    note = "half of the upstream gradient is 0, as behind a ReLU"
    for dtype in DTYPES:
        variant = Variant("bounded", "n30", dtype)
        program = BOTH_PASSES.format("b1", "rectified")
        yield Edge(f"rectified_{dtype}", "backward", program, note, TRACKED, variant)
    passes = "input_grad:b0.channels_last,backward:rectified.channels_last"
    passes += ",input_grad:b1,backward:rectified"
    yield Edge("rectified_channels_last", "backward", f"preset,{passes},eval,{passes}", note)


EDGES: Tuple[Edge, ...] = (
    *(*_upstreams(), *_inputs(), *_trainable(), *_statistics()),
    *_extreme(),
    *_large(),
    *_rectified(),
)
