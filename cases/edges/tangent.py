"""Edges about functions that call the module and differentiate it: forward-mode derivatives, and vjp."""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import BARE, NO_BIAS, TRACKED, UNTRACKED, Config
from cases.derivatives import JVPS, VJPS
from cases.edges.edge import FLOAT64, MODULES, Edge, elsewhere
from cases.variants import DTYPES, WIDE, Variant

GROUP = "tangent"


def _both_modes(*steps: str) -> str:
    """Return a program: the steps in train mode and in eval mode."""
    each = ",".join(steps)
    return f"preset,{each},eval,{each}"


def _ways() -> Iterator[Edge]:
    """Edges with every way to call the module, on every kind of module."""
    note = "the closed form, and buffers and counter as after any forward"
    for way in (*JVPS, *VJPS):
        program = _both_modes(f"{way}:b1:ordinary", "forward:b0")
        for word, config in MODULES:
            yield Edge(f"{way}_{word}", GROUP, program, note, config)
    note = "torch.func refuses a module that counts; without a counter the buffers are updated"
    for way in ("func_jvp", "func_vjp"):
        dropped = f"preset,drop:num_batches_tracked,{way}:b1:ordinary,forward:b0"
        yield Edge(f"{way}_no_counter", GROUP, dropped, note)
        off = f"preset,set:track_running_stats:false,{way}:b1:ordinary,forward:b0"
        yield Edge(f"{way}_track_off", GROUP, off, note)


def _numbers() -> Iterator[Edge]:
    note = "the budget follows the operations"
    for shape, dtypes in (("n2", WIDE), ("n30", WIDE), ("n256", ("float32",))):
        for dtype in dtypes:
            variant = Variant("bounded", shape, dtype)
            program = _both_modes("jvp_parameters:b1:ordinary", "jvp:b0:alternating")
            yield Edge(f"{shape}_{dtype}", GROUP, program, note, TRACKED, variant)
    for tangent, note in (
        ("offset", "the mean of the tangent is subtracted"),
        ("outlier", "one value moves"),
        ("ones", "a shift of all values: in train mode nothing moves"),
        ("like_input", "a scaling of the input: in train mode hardly anything moves"),
        ("tiny", "a tangent is not a difference"),
    ):
        yield Edge(tangent, GROUP, _both_modes(f"jvp:b1:{tangent}"), note)


def _inputs() -> Iterator[Edge]:
    for name, note in (
        ("nan", "a NaN stays in its channel"),
        ("inf", "an infinity stays in its channel"),
        ("constant", "the variance is 0"),
        ("no_batch", "the tangent of nothing is empty"),
    ):
        yield Edge(f"input_{name}", GROUP, _both_modes(f"jvp:{name}:ordinary"), note)
    yield Edge("input_no_batch_vjp", GROUP, _both_modes("functional_vjp:no_batch:ordinary"), note)
    for name in ("one_value", "wrong_channels", "two_dims", "wrong_float"):
        note = "what is refused is refused here, too"
        ways = ("jvp", "functional_jvp")
        program = _both_modes(*(f"{way}:{name}:ordinary" for way in ways))
        yield Edge(f"input_{name}", GROUP, program, note)
    note = "the tangent may lie in memory otherwise than the input"
    for layout in ("channels_last", "permuted", "sliced", "expanded"):
        program = _both_modes(
            f"jvp:b1.{layout}:ordinary", f"jvp:b1:ordinary.{layout}", f"functional_vjp:b1.{layout}:ones"
        )
        yield Edge(f"layout_{layout}", GROUP, program, note)
    note = "an expanded input can have a tangent that is expanded alike"
    program = _both_modes("jvp:b1.expanded:ordinary.expanded", "functional_jvp:b1.expanded:ordinary")
    yield Edge("layout_both_expanded", GROUP, program, note)
    note = "each row of the input is the row above it, moved by one number, in the same memory"
    for shape in ("n30", "n24_2x2x4x3", "n192_32x7x2x3"):
        variant = Variant("bounded", shape, "float32")
        program = _both_modes(*(f"{way}:b1.windows:ordinary" for way in ("jvp", "functional_jvp")))
        yield Edge(f"layout_windows_{shape}", GROUP, program, note, Config(variant.channels), variant)


def _programs() -> Iterator[Edge]:
    note = "parameters that do not require a gradient may have a tangent"
    for name in ("weight", "bias"):
        program = _both_modes("jvp_parameters:b1:ordinary", "jvp:b1:ordinary")
        frozen = program.replace("preset,", f"preset,attach:{name}:parameter,")
        yield Edge(f"{name}_frozen", GROUP, frozen, note)
        dropped = program.replace("preset,", f"drop:{name},preset,")
        yield Edge(f"{name}_dropped", GROUP, dropped, "without it there is nothing to move")
    note = "it leaves the graphs before it alone, and updates the buffers that they read"
    for way in ("jvp:b1:ordinary", "functional_vjp:b1:ordinary"):
        word = way.partition(":")[0]
        program = f"preset,input_grad:b0,{way},backward:ordinary"
        yield Edge(f"{word}_between_train", GROUP, program, note)
        program = f"preset,eval,input_grad:b0,train,{way},backward:ordinary"
        yield Edge(f"{word}_between_eval", GROUP, program, f"{note}: #13402")
    note = "what is not recorded cannot be differentiated"
    yield Edge("jvp_alone", GROUP, "preset,forward:b0,backward:ones,jvp:b1:ones,backward:ones", note)
    program = "preset,input_grad:b1,jvp:b1:ordinary,backward:ordinary,double:ordinary:ordinary"
    note = "the derivative is symmetric"
    yield Edge("beside_backward", GROUP, program.replace("backward", "retain"), note, TRACKED, FLOAT64)
    values = ("0.5", "none", "1.0", "0.0")
    calls = "jvp:b1:ordinary,jvp_parameters:b0:ordinary,functional_vjp:b1:ordinary"
    program = _both_modes(*(f"set:momentum:{value},{calls}" for value in values))
    yield Edge("momentum", GROUP, program, "a moving average is no function that is differentiated")
    program = "preset,alias:running_mean:bias,requires_grad:false,jvp:b1:ordinary,eval,jvp:b1:ordinary"
    yield Edge("statistic_is_bias", GROUP, program, "a statistic has no tangent, nor has its other name")


def _narrow() -> Iterator[Edge]:
    note = "the tangent has the dtype of the output"
    for dtype in DTYPES:
        if dtype in WIDE:
            continue
        variant = Variant("bounded", "n30", dtype)
        ways = [f"{way}:b1:ordinary" for way in JVPS if not way.startswith("func_")]
        program = _both_modes(*ways, "functional_vjp:b1:ordinary")
        yield Edge(f"tracked_{dtype}", GROUP, program, note, TRACKED, variant)
        program = _both_modes(*(f"{way}:b1:ordinary" for way in (*JVPS, *VJPS)), "jvp:no_batch:ones")
        yield Edge(f"untracked_{dtype}", GROUP, program, note, UNTRACKED, variant)
        yield Edge(f"bare_{dtype}", GROUP, program, note, BARE, variant)
        dropped = program.replace("preset,", "drop:weight,preset,")
        yield Edge(f"weight_dropped_{dtype}", GROUP, dropped, note, UNTRACKED, variant)
        program = _both_modes("jvp:b1.permuted:ordinary", "jvp_parameters:b1.transposed:ordinary")
        yield Edge(f"dense_{dtype}", GROUP, program, "the tangent lies as the output", TRACKED, variant)
    note = "a tangent is copied into the memory of what it belongs to"
    for form in ("expanded", "row", "strided"):
        program = _both_modes("jvp_parameters:b1:ordinary", "jvp:b1:ordinary")
        program = program.replace("preset,", f"attach:weight:trainable.{form},preset,")
        yield Edge(f"weight_{form}", GROUP, program, note)


def _parameters_alone() -> Iterator[Edge]:
    """Edges in which weight and bias have tangents, and the input has none."""
    note = "the parameters move, the input does not"
    program = _both_modes("jvp_parameters:b1:zeros", "forward:b0")
    for word, config in (("tracked", TRACKED), ("untracked", UNTRACKED), ("no_bias", NO_BIAS)):
        variant = Variant("bounded", "n2" if config is UNTRACKED else "n8", "float32")
        yield Edge(f"parameters_alone_{word}", GROUP, program, note, config, variant)
    yield Edge("parameters_alone_float64", GROUP, program, note, TRACKED, FLOAT64)
    note = "nothing moves"
    program = _both_modes("jvp:b1:zeros", "input_grad:b1", "backward:zeros")
    yield Edge("zeros", GROUP, program, note, TRACKED, Variant("bounded", "n2", "float64"))


def _elsewhere() -> Iterator[Edge]:
    note = "another epsilon, and other sizes"
    program = _both_modes("jvp_parameters:b1:ordinary", "functional_vjp:b1:ordinary")
    yield from elsewhere(GROUP, program, note)
    for dtype in ("float64", "float16", "mixed_bfloat16"):
        variant = Variant("bounded", "n30", dtype)
        laid_out = program.replace(":b1:", ":b1.channels_last:")
        yield Edge(f"channels_last_{dtype}", GROUP, laid_out, note, TRACKED, variant)
        yield Edge(f"nan_{dtype}", GROUP, program.replace(":b1:", ":nan:"), note, TRACKED, variant)


EDGES: Tuple[Edge, ...] = (
    *_ways(),
    *_numbers(),
    *_inputs(),
    *_programs(),
    *_narrow(),
    *_elsewhere(),
    *_parameters_alone(),
)
