"""Edges about gradients that ``output.backward(g)`` adds to ``.grad``, and forwards in inference mode."""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import CUMULATIVE, NO_AFFINE, NO_BIAS, TRACKED, UNTRACKED
from cases.edges.edge import MODES, Edge
from cases.steps import COPIES
from cases.variants import DTYPES, Variant

GROUP = "accumulation"


def _added() -> Iterator[Edge]:
    for mode, enter in MODES:
        for name, rest, note in (
            ("two_forwards", "accumulate:ordinary,input_grad:b1,accumulate:offset", "parameters add up"),
            ("retained", "accumulate_retain:ordinary,accumulate:outlier", "the input's add up, too"),
            ("used_up", "accumulate:ordinary,accumulate:ordinary", "a graph is used up"),
            ("cleared", "accumulate:ordinary,zero_grad,forward:b1,accumulate:ones", "new ones are left"),
            ("zeros", "accumulate:ordinary,grad_zeros,forward:b1,accumulate:ones", "or zeros"),
            ("returned", "retain:ordinary,accumulate:ones,zero_grad", "autograd.grad leaves no .grad"),
        ):
            yield Edge(f"{mode}_{name}", GROUP, f"preset,{enter}input_grad:b0,{rest}", note)
    program = "preset,no_grad:b0,accumulate:ones,zero_grad"
    yield Edge("no_grad", GROUP, program, "there is nothing to differentiate")
    zeros = "grad_zeros,forward:b0,accumulate:ones,convert:double,grad_zeros"
    yield Edge("zeros", GROUP, f"preset,{zeros},drop:weight,grad_zeros", "of what there is")
    note = "the budgets add up as the gradients do"
    upstream = ("ordinary", "ones") * 4
    eight = ",".join(f"input_grad:b{n},accumulate:{name}" for n, name in enumerate(upstream))
    for dtype in DTYPES:
        variant = Variant("bounded", "n30", dtype)
        yield Edge(f"eight_{dtype}", GROUP, f"preset,{eight}", note, TRACKED, variant)
    eval_train = "preset,eval,forward:b0,accumulate_retain:ordinary,train,no_grad:b1,eval"
    note = "a frozen layer; nothing is in the buffers' .grad"
    yield Edge("eval_train", GROUP, f"{eval_train},forward:b0,accumulate:ones", note)


def _leaves() -> Iterator[Edge]:
    """Edges about which tensors have a ``.grad``, and which of them keep it."""
    statistics = "attach:running_mean:trainable,attach:running_var:trainable,"
    once = "input_grad:b0,accumulate:ordinary"
    note = "only what requires a gradient gets one"
    for name, config, before in (
        ("weight_frozen", TRACKED, "attach:weight:parameter,"),
        ("bias_frozen", TRACKED, "attach:bias:parameter,"),
        ("weight_dropped", TRACKED, "drop:weight,"),
        ("no_bias", NO_BIAS, ""),
        ("no_affine", NO_AFFINE, ""),
        ("trainable_statistics", UNTRACKED, statistics),
    ):
        yield Edge(name, GROUP, f"preset,{before}{once},input_grad:b1,accumulate:ones", note, config)
    note = "a .grad belongs to a tensor object"
    for name in ("weight", "bias"):
        between = f"input_grad:b0,attach:{name}:trainable,accumulate:ordinary"
        yield Edge(f"other_{name}", GROUP, f"preset,{between},input_grad:b1,accumulate:ones", note)
    for how in COPIES:
        program = f"preset,{once},{how},zero_grad,forward:b1,accumulate:ones"
        yield Edge(how, GROUP, program, f"{note}: copies have none")
    note = "what writes numbers leaves .grad alone"
    for step in ("preset", "reset_parameters", "load:plain"):
        word = step.replace(":", "_")
        yield Edge(f"kept_by_{word}", GROUP, f"preset,{once},{step},forward:b1,accumulate:ones", note)


def _empty() -> Iterator[Edge]:
    note = "an empty batch is multiplied and shifted: of a graph that is used up the bias gets its part"
    for name, config in (("tracked", TRACKED), ("no_affine", NO_AFFINE)):
        program = "preset,input_grad:no_batch,backward:ones,accumulate_retain:ones,accumulate:ones"
        yield Edge(f"empty_used_up_{name}", GROUP, program, note, config)
    program = "preset,input_grad:no_batch,load:plain,accumulate_retain:ordinary"
    yield Edge("empty_loaded", GROUP, program, "so it does where the weight was written to since")


def _laid_out() -> Iterator[Edge]:
    note = "the .grad of a leaf has its strides if they are dense, else it is contiguous"
    for layout in ("channels_last", "permuted", "sliced", "expanded"):
        program = f"preset,input_grad:b0.{layout},accumulate_retain:ordinary"
        yield Edge(f"input_{layout}", GROUP, f"{program},accumulate:ones.channels_last", note)


def _inference() -> Iterator[Edge]:
    note = "a train-mode forward in inference mode counts and updates"
    for name, config in (
        ("tracked", TRACKED),
        ("cumulative", CUMULATIVE),
        ("untracked", UNTRACKED),
        ("no_affine", NO_AFFINE),
    ):
        program = "preset,inference:b0,inference:b1,forward:b2,eval,inference:b0,train,forward:b3"
        yield Edge(f"{name}_inference", GROUP, program, note, config)
    program = "preset,inference:b0,backward:ordinary,accumulate:ordinary,eval,inference:b0,backward:ones"
    yield Edge("inference_differentiated", GROUP, program, "its output cannot be differentiated")
    program = "preset,input_grad:b0,inference:b1,earlier:ordinary,input_grad:b2,accumulate:ones"
    yield Edge("inference_between", GROUP, program, "it leaves the graphs before and after it alone")
    names = ("wrong_channels", "one_value", "b0.channels_last", "nan")
    program = ",".join(["preset", *(f"inference:{name}" for name in names)])
    yield Edge("inference_refused", GROUP, program, "what is refused is refused there, too")


EDGES: Tuple[Edge, ...] = (*_added(), *_leaves(), *_laid_out(), *_inference(), *_empty())
