"""Edges in which two or three circumstances meet that no other case has together.

Each of them is in many cases alone. A kernel is chosen by several of them at once: the dtype, the memory
format, the sizes, whether anything is recorded, and which tensors are there.
"""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import TRACKED, UNTRACKED, Config
from cases.edges.edge import Edge
from cases.variants import DTYPES, SHAPES, WIDE, Variant

GROUP = "pairings"

_LAYOUTS = (".permuted", ".sliced", ".expanded")

_CALLS = ",".join(f"no_grad:b0{each},inference:b1{each}" for each in _LAYOUTS)
"""Calls of which nothing is recorded, in layouts that are not dense."""

_PASSES = ",".join(
    f"input_grad:b1{x},backward:ordinary{g}"
    for x, g in (("", ".channels_last"), (".channels_last", ".scalar"), (".sliced", ".permuted"))
)
"""Backwards in which input and upstream gradient lie differently in memory."""

_KINDS = ("attach:weight:parameter", "attach:weight:trainable,drop:bias", "drop:weight")
"""Steps that make the weight frozen, remove the bias, and remove the weight, too."""

_BACK = "attach:weight:trainable,attach:bias:parameter,preset"

_EACH = "no_grad:b0,inference:b0.channels_last,input_grad:b1.permuted,backward:ordinary"

_EVERY_CALL = ",".join((_CALLS, _PASSES, *(f"{kind},{_EACH}" for kind in _KINDS), _BACK, _EACH))

_SIZED = ",".join(
    (
        *("preset", "set:momentum:0.01", _EVERY_CALL, "drop:running_mean,drop:running_var", _EVERY_CALL),
        *("attach:running_mean:tensor,attach:running_var:tensor", "set:eps:2.0", "eval", _EVERY_CALL),
    )
)

_ONE_IMAGE, _ONE_CHANNEL, _MANY_IMAGES, _VECTORS = (
    *("n63_1x24x9x7", "n60_3x1x5x4", "n192_32x7x2x3", "n16_16x128x1x1"),
)
_SIZES = {
    "float32": (_ONE_IMAGE, _ONE_CHANNEL, _MANY_IMAGES, _VECTORS),
    "float64": (_ONE_IMAGE, _ONE_CHANNEL, _MANY_IMAGES, _VECTORS),
    "float16": (_ONE_IMAGE, _ONE_CHANNEL),
    "bfloat16": (_MANY_IMAGES, _VECTORS),
    "mixed_float16": (_ONE_IMAGE, _VECTORS),
    "mixed_bfloat16": (_ONE_CHANNEL, _MANY_IMAGES),
}


def _sizes() -> Iterator[Edge]:
    note = "sizes, dtype, layout, recording and the tensors that there are, all at once"
    for dtype, shapes in _SIZES.items():
        for shape in shapes:
            variant = Variant("bounded", shape, dtype)
            yield Edge(f"{shape}_{dtype}", GROUP, _SIZED, note, Config(SHAPES[shape][1]), variant)


def _epsilons() -> Iterator[Edge]:
    note = "a small and a large eps in every dtype and layout, with another momentum"
    passes = "input_grad:b0,retain:ordinary,backward:ordinary.permuted,input_grad:b1.channels_last,"
    passes += "backward:offset.channels_last,forward:b1,backward:ones,no_grad:b0,inference:b1.permuted"
    for dtype in DTYPES:
        each = f"set:eps:1e-12,{passes},set:eps:2.0,set:momentum:0.9,{passes},set:eps:0.001,{passes}"
        variant = Variant("bounded", "n30", dtype)
        program = f"preset,set:momentum:0.01,{each},eval,{each}"
        yield Edge(f"eps_{dtype}", GROUP, program, note, TRACKED, variant)
    passes = "input_grad:b0,double:ordinary:offset,jvp:b1:ordinary"
    zero = "set:eps:0.0,input_grad:b0,backward:ordinary,input_grad:b1.channels_last,backward:ordinary,"
    zero += "no_grad:b0,inference:b1,jvp:b0:ordinary"
    kinds = ",".join(f"set:eps:{value},input_grad:b0,backward:ordinary" for value in ("1", "true"))
    for dtype in WIDE:
        variant = Variant("bounded", "n8", dtype)
        each = f"set:eps:1e-12,{passes},set:eps:2.0,set:momentum:0.9,{passes}"
        program = f"preset,{each},eval,{each},forwards:b:1"
        yield Edge(f"eps_twice_{dtype}", GROUP, program, note, TRACKED, variant)
        program = f"preset,{kinds},eval,{kinds},{zero},forwards:b:1"
        yield Edge(f"eps_zero_{dtype}", GROUP, program, "eval mode needs no eps", TRACKED, variant)


def _others() -> Iterator[Edge]:
    one = "no_grad:one_value,inference:one_value,input_grad:one_value,retain:ordinary,double:ones:offset"
    program = f"preset,eval,{one},drop:bias,{one},drop:weight,{one},convert:double,{one}"
    note = "one value a channel is enough in eval mode, whatever tensors there are"
    yield Edge("one_value", GROUP, program, note)
    passes = ",".join(f"input_grad:{name},backward:zeros" for name in ("nan", "inf", "b0"))
    note = "0 times NaN is NaN: an upstream gradient of zeros says nothing of what is not finite"
    yield Edge("zeros_upstream", GROUP, f"preset,{passes},eval,{passes},load:nonfinite,{passes}", note)
    note = "nothing of the backward reads the bias, so it may be written before"
    passes = "input_grad:b0,preset,backward:ordinary"
    yield Edge("bias_written", GROUP, f"drop:weight,preset,{passes},eval,{passes}", note, UNTRACKED)
    note = "a width that is the number of features makes no channels of it"
    program = "preset,forward:wrong_channels,eval,forward:wrong_channels,forward:b0,train,forward:b0"
    variant = Variant("bounded", "n36_3x4x3x4", "float32")
    yield Edge("width_of_features", GROUP, program, note, Config(4), variant)
    note = "of two reasons to refuse an input, the first that is looked at is told"
    refused = "forward:one_value,forward:b0,forward:wrong_float,forward:two_dims"
    program = f"preset,{refused},set:momentum:text,forward:one_value,forward:b0,set:momentum:0.1,"
    program += f"attach:running_mean:trainable,{refused},drop:running_mean,{refused}"
    yield Edge("two_faults", GROUP, program, note, Config(7))
    note = "the fourth time is as the first"
    cycle = "forwards:b:2,eval,forward:b0,no_grad:b1,requires_grad:false,train,no_grad:b2,inference:b0,"
    cycle += "requires_grad:true"
    program = f"preset,{','.join(4 * [cycle])},count:3000000000,state_dict,deepcopy,pickle,forward:b0"
    yield Edge("cycles", GROUP, program, note)


def _tangents() -> Iterator[Edge]:
    note = "tangents without weight, bias and running statistics, in other sizes"
    ways = "jvp:b0:ordinary,jvp:b1.channels_last:ordinary"
    program = f"preset,set:momentum:none,{ways},drop:bias,jvp_parameters:b0:zeros,{ways},drop:weight,"
    program += f"{ways},eval,{ways},train,drop:running_mean,drop:running_var,{ways},forwards:b:1"
    for shape in (_ONE_IMAGE, _ONE_CHANNEL):
        variant = Variant("bounded", shape, "float64")
        yield Edge(f"tangent_{shape}", GROUP, program, note, Config(SHAPES[shape][1]), variant)


EDGES: Tuple[Edge, ...] = (*_sizes(), *_epsilons(), *_others(), *_tangents())
