"""Edges about changes between a forward and its backward, and about other orders of both."""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.attributes import BUFFERS, PARAMETERS
from cases.construction import CUMULATIVE, NO_AFFINE, NO_BIAS, TRACKED, UNTRACKED, Config
from cases.edges.edge import MODES, Edge
from cases.steps import ATTACH_KINDS, COPIES, RESETS
from cases.variants import DTYPES, WIDE, Variant

GROUP = "backward_program"


def _orders() -> Iterator[Edge]:
    note = "two forwards and their backwards, in every order"
    for first, enter in MODES:
        for second, change in (*MODES, ("train_again", "train,")):
            if (first, second) in (("train", "train_again"), ("eval", "eval"), ("eval", "train")):
                continue
            forwards = f"preset,{enter}input_grad:b0,{change}input_grad:b1"
            for name, backwards in (
                ("last", "backward:ordinary"),
                ("earlier", "earlier:ordinary"),
                ("last_then_earlier", "backward:ordinary,earlier:offset"),
                ("earlier_then_last", "earlier:ordinary,backward:offset"),
            ):
                yield Edge(f"{first}_{second}_{name}", GROUP, f"{forwards},{backwards}", note)
        forwards = f"preset,{enter}input_grad:b0,input_grad:b1"
        yield Edge(f"{first}_twice", GROUP, f"{forwards},earlier:ordinary,backward:ordinary", note)
    yield Edge(
        "eval_preset_train", GROUP,
        "preset,eval,input_grad:b0,reset_running_stats,train,input_grad:b1,earlier:ordinary",
        "#13402 and a change that autograd sees: refused",
    )  # fmt: skip
    yield Edge(
        "eval_train_cumulative", GROUP,
        "preset,eval,input_grad:b0,train,forward:b1,forward:b2,eval,input_grad:b3,earlier:ordinary",
        "#13402: an eval-mode forward after a train-mode one", CUMULATIVE,
    )  # fmt: skip
    yield Edge(
        "eval_train_momentum_0", GROUP,
        "preset,eval,input_grad:b0,train,forward:b1,earlier:ordinary",
        "a train-mode forward that leaves the running statistics as they are", Config(11, momentum=0.0),
    )  # fmt: skip
    yield Edge(
        "eval_train_untracked", GROUP,
        "preset,eval,input_grad:b0,train,forward:b1,earlier:ordinary",
        "there are no running statistics to change", UNTRACKED,
    )  # fmt: skip


def _repeated() -> Iterator[Edge]:
    for mode, enter in MODES:
        note = "a graph is used up by a backward that does not retain it"
        for name, backwards in (
            ("retained", "retain:ordinary,backward:offset"),
            ("retained_twice", "retain:ordinary,retain:offset,backward:ordinary"),
            ("used_up", "backward:ordinary,backward:ordinary"),
            ("used_up_after_retained", "retain:ordinary,backward:ordinary,retain:ordinary"),
        ):
            for forward in ("forward", "input_grad"):
                program = f"preset,{enter}{forward}:b0,{backwards}"
                yield Edge(f"{mode}_{forward}_{name}", GROUP, program, note)
        program = f"preset,{enter}input_grad:b0,retain:ordinary,input_grad:b1,backward:ordinary"
        yield Edge(f"{mode}_retained_earlier", GROUP, f"{program},earlier:ordinary", note)
        note = "a forward that raises leaves the last output as it is"
        program = f"preset,{enter}input_grad:b0,input_grad:wrong_channels,backward:ordinary"
        yield Edge(f"{mode}_after_refused", GROUP, program, note)


def _recorded() -> Iterator[Edge]:
    for mode, enter in MODES:
        program = f"preset,{enter}no_grad:b0,backward:ordinary,forward:b1,backward:ordinary"
        yield Edge(f"{mode}_no_grad", GROUP, program, "no_grad records nothing, and counts in train mode")
        program = f"preset,{enter}input_grad:b0,no_grad:b1,earlier:ordinary,backward:ordinary"
        note_between = "a forward that records nothing, between a forward and its backward"
        yield Edge(f"{mode}_no_grad_between", GROUP, program, note_between)
    program = "preset,eval,input_grad:b0,train,no_grad:b1,earlier:ordinary"
    yield Edge("eval_no_grad_train_between", GROUP, program, "#13402: no_grad does not help")


def _written() -> Iterator[Edge]:
    """Edges that change values in place, which torch must refuse if the backward needs the values."""
    changes = ("preset", *RESETS, "load:plain", "load:no_counter", "load:empty", "count:7")
    for mode, enter in MODES:
        for change in changes:
            for name, config in (("", TRACKED), ("_no_affine", NO_AFFINE), ("_untracked", UNTRACKED)):
                if change == "count:7" and name == "_untracked":
                    continue
                note = "what the backward needs was changed in place, or not"
                program = f"preset,{enter}input_grad:b0,{change},backward:ordinary"
                word = change.replace(":", "_")
                yield Edge(f"{mode}_{word}{name}", GROUP, program, note, config)
        program = f"preset,{enter}forward:b0,preset,backward:ordinary"
        yield Edge(f"{mode}_preset_forward", GROUP, program, "only weight and bias require a gradient")
        program = f"drop:weight,preset,{enter}input_grad:b0,reset_parameters,backward:ordinary"
        yield Edge(f"{mode}_no_weight_reset", GROUP, program, "the backward does not need the bias")


def _rebound() -> Iterator[Edge]:
    """Edges that change the module but not the tensors that the forward was handed."""
    note = "the backward uses the tensors of its forward, wherever they are by then"
    for mode, enter in MODES:
        for name in PARAMETERS + BUFFERS:
            for kind in ATTACH_KINDS:
                if name in PARAMETERS and kind == "tensor":
                    continue
                if (name, kind) == ("num_batches_tracked", "trainable"):
                    continue
                program = f"preset,{enter}input_grad:b0,attach:{name}:{kind},preset,backward:ordinary"
                yield Edge(f"{mode}_attach_{name}_{kind}", GROUP, program, note)
            program = f"preset,{enter}input_grad:b0,drop:{name},backward:ordinary"
            yield Edge(f"{mode}_drop_{name}", GROUP, program, note)
        for name in ("weight", "running_mean", "running_var"):
            program = f"preset,{enter}input_grad:b0,attach:{name}:parameter,backward:ordinary"
            yield Edge(f"{mode}_other_{name}", GROUP, program, note)
        for how in COPIES:
            program = f"preset,{enter}input_grad:b0,{how},preset,forward:b1,earlier:ordinary"
            yield Edge(f"{mode}_{how}", GROUP, program, note)
        flags = ("eps:0.5", "momentum:0.5", "affine:false", "track_running_stats:false")
        for step in (f"set:{flag}" for flag in flags):
            program = f"preset,{enter}input_grad:b0,{step},backward:ordinary"
            yield Edge(f"{mode}_{step.replace(':', '_')}", GROUP, program, note)
        program = f"preset,{enter}input_grad:b0,drop:weight,drop:bias,forward:b1,earlier:ordinary"
        yield Edge(f"{mode}_affine_dropped", GROUP, program, note)
    program = (
        "preset,eval,input_grad:b0,attach:running_mean:tensor,attach:running_var:tensor,train,forward:b1,"
        "earlier:ordinary"
    )
    yield Edge("eval_rebound_train", GROUP, program, "#13402: buffers that are rebound first are safe")


def _float64() -> Iterator[Edge]:
    variant = Variant("bounded", "n30", "float64")
    program = "preset,eval,input_grad:b0,train,input_grad:b1,retain:offset,earlier:ordinary,backward:ones"
    yield Edge("eval_train_float64", GROUP, program, "#13402 in the other dtype", TRACKED, variant)


def _empty() -> Iterator[Edge]:
    """Edges with empty inputs, for which the backward reads no tensor of the module but the weight."""
    note = "what is not read may change in place"
    for forward, change in (
        ("forward", "load:plain"),
        ("forward", "reset_parameters"),
        ("input_grad", "reset_running_stats"),
        ("input_grad", "load:plain"),
    ):
        program = f"drop:bias,preset,{forward}:no_batch,{change},backward:ordinary"
        yield Edge(f"empty_{forward}_{change.replace(':', '_')}", GROUP, program, note)


def _converted() -> Iterator[Edge]:
    note = "the module is converted between a forward and its backward"
    for mode, enter in MODES:
        for how in ("double", "half", "float"):
            for name, config in (("", TRACKED), ("_no_affine", NO_AFFINE)):
                program = f"preset,{enter}input_grad:b0,convert:{how},backward:ordinary"
                yield Edge(f"{mode}_{how}{name}", GROUP, program, note, config)
        there_and_back = "convert:double,convert:float,retain:ordinary,accumulate:ones,zero_grad"
        program = f"preset,{enter}input_grad:b0,{there_and_back}"
        yield Edge(f"{mode}_there_and_back", GROUP, program, note)
    program = "preset,input_grad:b0,attach:weight:trainable,convert:double,backward:ordinary"
    yield Edge("rebound_double", GROUP, program, "the forward's weight is no longer the module's")
    program = "preset,input_grad:no_batch,convert:double,backward:ordinary"
    yield Edge("empty_double", GROUP, program, "nothing is read")
    program = "attach:running_mean:parameter,attach:running_var:parameter,preset,input_grad:b0,"
    program += "convert:double,backward:ordinary"
    yield Edge("parameters_double", GROUP, program, "a Parameter is converted, a buffer not", NO_AFFINE)
    variant = Variant("bounded", "n8", "mixed_bfloat16")
    program = "preset,input_grad:b0,convert:bfloat16,backward:ordinary"
    yield Edge("mixed_bfloat16", GROUP, program, note, TRACKED, variant)


def _retained() -> Iterator[Edge]:
    note = "a second backward of one graph reads what the first has left"
    passes = "input_grad:b0,retain:ordinary,backward:offset"
    both = f"preset,{passes},eval,{passes}"
    for word, config in (("no_affine", NO_AFFINE), ("no_bias", NO_BIAS), ("untracked", UNTRACKED)):
        yield Edge(f"retained_{word}", GROUP, both, note, config)
    for shape in ("n256", "n134_67_images", "n6_129_channels"):
        variant = Variant("bounded", shape, "float32")
        config = Config(variant.channels)
        yield Edge(f"retained_{shape}", GROUP, both, note, config, variant)
        alone = both.replace("input_grad", "forward")
        yield Edge(f"retained_{shape}_parameters", GROUP, alone, note, config, variant)
    for layout in ("sliced", "channels_last", "channels_last_image_rest"):
        laid_out = f"input_grad:b0.{layout},retain:ordinary.{layout},backward:offset.{layout}"
        yield Edge(f"retained_{layout}", GROUP, f"preset,{laid_out},eval,{laid_out}", note)
    for dtype in DTYPES[1:]:
        variant = Variant("bounded", "n30", dtype)
        yield Edge(f"retained_{dtype}", GROUP, both, note, TRACKED, variant)
    alone = both.replace("input_grad", "forward")
    yield Edge("retained_untracked_parameters", GROUP, alone, note, UNTRACKED)


def _other_mode() -> Iterator[Edge]:
    note = "the mode changes between a forward and its backward"
    for dtype in DTYPES:
        variant = Variant("bounded", "n30", dtype)
        for word, layout in (("", ""), ("_channels_last", ".channels_last")):
            passes = f"input_grad:b0{layout},eval,backward:ordinary{layout},input_grad:b1{layout},train,"
            program = f"preset,{passes}backward:ordinary{layout}"
            yield Edge(f"other_mode_{dtype}{word}", GROUP, program, note, TRACKED, variant)
    note = "an input that is no leaf, in 16 bits"
    for dtype in DTYPES[len(WIDE) :]:
        variant = Variant("bounded", "n30", dtype)
        program = "preset,view:b0,backward:ordinary,eval,view:b1,backward:ordinary"
        yield Edge(f"view_{dtype}", GROUP, program, note, TRACKED, variant)


def _detached() -> Iterator[Edge]:
    for mode, enter in MODES:
        program = f"preset,{enter}input_grad:b0,input_grad:b1,detach,backward:ones,earlier:ordinary,"
        program += "accumulate:ones,double:ones:ones"
        yield Edge(f"{mode}_detach", GROUP, program, "an output without its graph")
        program = f"preset,{enter}detached:b0,retain:ordinary,accumulate:ones"
        yield Edge(f"{mode}_detached", GROUP, program, "the input's gradient alone is cut off")
        note = "the gradient passes through the view"
        for layout in ("contiguous", "channels_last", "sliced", "expanded", "scalar"):
            passes = f"view:b0.{layout},retain:ordinary,accumulate:ones".replace(".contiguous", "")
            yield Edge(f"{mode}_view_{layout}", GROUP, f"preset,{enter}{passes}", note)
        program = f"preset,{enter}input_grad:b0.scalar,retain:ordinary,accumulate:ones"
        yield Edge(f"{mode}_scalar_input", GROUP, program, "one number in all places of the input")
    program = "detached:b0,backward:ones"
    yield Edge("detached_alone", GROUP, program, "nothing requires a gradient", NO_AFFINE)


def _asked() -> Iterator[Edge]:
    note = "a graph has three parts, and torch is asked for some of the gradients"
    each = "retain_bias:ordinary,retain_weight:offset,retain_parameters:ones,retain_input:ordinary"
    for mode, enter in MODES:
        program = f"preset,{enter}input_grad:b0,{each},backward:ones"
        yield Edge(f"{mode}_asked", GROUP, program, note)
        laid_out = program.replace("b0", "b0.channels_last").replace(":ones", ":ones.channels_last")
        yield Edge(f"{mode}_asked_channels_last", GROUP, laid_out, note)
    for dtype in ("float64", "bfloat16"):
        program = f"preset,input_grad:b0,{each},backward:ones"
        yield Edge(f"asked_{dtype}", GROUP, program, note, TRACKED, Variant("bounded", "n8", dtype))
    again = "input_grad:b1,backward_parameters:ones,input_grad:b2,backward_weight:ones,backward_bias:ones"
    program = f"preset,input_grad:b0,backward_bias:ones,backward_input:ones,{again}"
    yield Edge("asked_used_up", GROUP, program, "a backward of one gradient uses up the whole graph")
    program = "preset,input_grad:b0,reset_parameters,retain_bias:ones"
    yield Edge("asked_reset", GROUP, program, "refused, though the bias alone needs no weight")


def _three() -> Iterator[Edge]:
    note = "three forwards before the first backward, as of a triplet of images"
    calls = "input_grad:b0,input_grad:b1,input_grad:b2"
    backwards = "earliest:ordinary,earlier:offset,backward:ones"
    for mode, enter in MODES:
        yield Edge(f"{mode}_three", GROUP, f"preset,{enter}{calls},{backwards}", note)
    program = f"preset,{calls},backward:ordinary,earliest:offset,earlier:ones"
    yield Edge("three_last_first", GROUP, program, note, NO_BIAS)
    program = f"preset,{calls.replace('input_grad', 'forward')},{backwards}"
    yield Edge("three_parameters", GROUP, program, note, CUMULATIVE)
    program = "preset,input_grad:b0,eval,input_grad:b1,input_grad:b2,earliest:ordinary,earlier:offset"
    yield Edge("three_train_eval", GROUP, program, note)
    program = "preset,input_grad:b0,input_grad:other_size,input_grad:last_batch,earliest:ordinary"
    yield Edge("three_sizes", GROUP, f"{program},earlier:ones", note, UNTRACKED)
    program = "preset,input_grad:b0,set:eps:0.5,input_grad:b0,set:eps:0.25,input_grad:b0,"
    program += "earliest:ordinary,earlier:ordinary,backward:ordinary"
    yield Edge("three_eps", GROUP, program, note, NO_AFFINE)


EDGES: Tuple[Edge, ...] = (
    *_orders(),
    *_repeated(),
    *_recorded(),
    *_written(),
    *_rebound(),
    *_float64(),
    *_retained(),
    *_other_mode(),
    *_empty(),
    *_converted(),
    *_detached(),
    *_asked(),
    *_three(),
)
