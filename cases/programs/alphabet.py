"""The steps, constructions and variants that random exploration draws programs from.

They include the inputs that lead to known defects of torch (``oracle.defects``), and large inputs, also
laid out as channels_last. They leave out forwards under ``no_grad``: whether torch refuses a statistic
that requires a gradient there depends on the release.
"""

from __future__ import annotations

from typing import Iterator, Sequence, Tuple

from cases.attributes import BUFFERS, PARAMETERS, STATISTICS, TENSORS
from cases.construction import AFFINE, MOMENTUM, TRACK, Construction
from cases.derivatives import (
    ALONE,
    CONSTANT,
    DOUBLES,
    JVPS,
    NESTED,
    VJPS,
    Accumulate,
    Backward,
    Detach,
    Double,
    Jvp,
    Nested,
    Triple,
    Vjp,
    ZeroGrad,
)
from cases.inputs.upstream import RECTIFIED, UPSTREAM
from cases.inputs.vectors import LOADED
from cases.steps import (
    ATTACH_KINDS,
    COPIES,
    EVAL,
    FORMS,
    OVERWRITE,
    PRESET,
    RESETS,
    SHOWN,
    STATE_DICTS,
    TRAIN,
    UNSAVED,
    ZERO_GRAD,
    Alias,
    Attach,
    Convert,
    Copy,
    Count,
    Drop,
    Forward,
    Forwards,
    LoadStateDict,
    RequireGrad,
    Reset,
    SetAttribute,
    Show,
    Step,
    Value,
)
from cases.variants import DTYPES, EVERY_LAYOUT, GRADIENT_LAYOUTS, LANES, LAYOUTS, Variant

MOMENTA: Tuple[Value, ...] = (
    (None, 0.25, 1, 0.0, 0.5, 1.0, 1.5, -0.5)
    + (2.0, -1, 1e-08, True, False, float("nan"), float("inf"), "text")
)
EPSILONS: Tuple[Value, ...] = (
    (0.5, 1e-05, 0.0, 1, -1e-05, -1.0, 1e-12, 1e20)
    + (True, False, float("nan"), float("inf"), None, "text")
)
COUNTS = (0, 7, -1, -2, 16777216, 2**63 - 1)
ORDINARY = ("b0", "b1", "b2", "b3")
ODD = (
    ("one_value", "no_batch", "no_height", "no_width", "wrong_channels")
    + ("two_dims", "three_dims", "five_dims", "wrong_float", "integers", "nan", "inf", "constant")
    + ("notebook", "notebook_eval", "feature_map", "random0")
    + ("last_batch", "other_size", "empty_wrong_channels", "no_channels", "overflowing", "three_tenths")
)
LAID_OUT = tuple(
    f"{name}.{layout}"
    for name in ("b0", "b1", "nan", "no_batch", "one_value", "constant")
    for layout in LAYOUTS
    if layout != "contiguous"
) + tuple(f"b1.{layout}" for layout in EVERY_LAYOUT if layout not in LAYOUTS)


def _flags() -> Iterator[Step]:
    for name in ("track_running_stats", "training", "affine"):
        yield SetAttribute(name, False)
        yield SetAttribute(name, True)


def _numbers() -> Iterator[Step]:
    yield from (SetAttribute("momentum", value) for value in MOMENTA)
    yield from (SetAttribute("eps", value) for value in EPSILONS)
    yield SetAttribute("num_features", 7)
    yield from (SetAttribute(name, 0.5) for name in TENSORS)
    yield from (Count(value) for value in COUNTS)


def _tensors() -> Iterator[Step]:
    for name in BUFFERS + PARAMETERS:
        yield Drop(name)
        for kind in ATTACH_KINDS:
            if (name, kind) != ("num_batches_tracked", "trainable"):
                yield Attach(name, kind)


def _whole() -> Iterator[Step]:
    yield from (Reset(method) for method in RESETS)
    yield from (Copy(how) for how in COPIES)
    yield from (LoadStateDict(what) for what in STATE_DICTS)


def _registered() -> Iterator[Step]:
    """Steps that freeze, alias or convert tensors, attach them in odd layouts, or load odd values."""
    yield from (LoadStateDict(values) for values in LOADED)
    yield from (RequireGrad(value) for value in (False, True))
    yield from (Alias(*pair) for pair in (STATISTICS, STATISTICS[::-1], PARAMETERS, PARAMETERS[::-1]))
    yield Attach("weight", "trainable.row")
    yield Detach()
    yield OVERWRITE
    yield from (Attach(name, UNSAVED) for name in BUFFERS)
    yield from (Attach("running_mean", f"tensor.{form}") for form in FORMS)
    yield Attach("weight", "trainable.strided")
    yield from (Convert(how) for how in ("half", "double", "float", "to_channels_last"))


def _backwards() -> Iterator[Step]:
    yield Backward("ordinary")
    yield Backward("ordinary", retain=True)
    yield Backward("ordinary", earlier=1)
    yield from (Backward(name) for name in (*UPSTREAM, *RECTIFIED) if name != "ordinary")
    yield from (Backward(f"ordinary.{layout}") for layout in GRADIENT_LAYOUTS if layout != "contiguous")


def _with_gradient(names: Sequence[str]) -> Tuple[Step, ...]:
    return tuple(Forward(name, "input_grad") for name in names)


_VIEWS: Tuple[Step, ...] = (
    *(Forward(f"b1.{layout}", "view") for layout in EVERY_LAYOUT if layout != "scalar"),
    Forward("b1.scalar", "input_grad"),
)


def _forwards(names: Sequence[str]) -> Tuple[Step, ...]:
    return tuple(Forward(name) for name in names)


_GRADIENTS: Tuple[Step, ...] = (
    Accumulate("ordinary", retain=True),
    Accumulate("ones"),
    Backward("offset", retain=True),
    *(Double("ordinary", "ones", way) for way in DOUBLES if way not in (ALONE, CONSTANT)),
    Triple("ordinary", "alternating", "offset"),
    ZERO_GRAD,
    ZeroGrad(to_zeros=True),
    *(Jvp("b1", "ordinary", way) for way in JVPS),
    *(Jvp(name, "offset") for name in ("b0.channels_last", "nan", "no_batch", "one_value")),
    Jvp("wrong_float", "ones"),
    *(Vjp("b1", "ordinary", way) for way in VJPS),
    *(Nested("b1", "ordinary", way) for way in NESTED),
)
"""Steps that differentiate. ``differentiable`` removes those that come before the first forward."""

_MODES: Tuple[Step, ...] = (EVAL, TRAIN, PRESET)

ALPHABET: Tuple[Step, ...] = (
    _forwards(ORDINARY)
    + _MODES
    + tuple(_flags())
    + tuple(_tensors())
    + tuple(_whole())
    + tuple(_numbers())
    + tuple(_registered())
    + _forwards(ODD)
    + _forwards(LAID_OUT)
    + _with_gradient(ORDINARY + LAID_OUT)
    + tuple(_backwards())
    + (Forwards("b", 3),)
    + tuple(Show(what) for what in SHOWN)
    + _GRADIENTS
    + _VIEWS
    # The steps that show most faults are repeated, so that they are drawn more often.
    + 10 * _forwards(ORDINARY)
    + 3 * _with_gradient(ORDINARY)
    + 2 * tuple(_backwards())
    + 5 * _MODES
    + 4 * _forwards(("b0.channels_last", "constant.channels_last"))
    + 3 * tuple(_flags())
    + 2 * tuple(_whole())
)
"""The steps that a program is drawn from. The plainest are first, because shrinking prefers them."""

SMALL = ("n2", "n8", "n8_one_image", "n8_height_1", "n8_one_row", "n8_one_channel")
LARGE = ("n256", "n4096")

VARIANTS: Tuple[Variant, ...] = tuple(
    [Variant(lane, shape, dtype) for dtype in DTYPES + DTYPES[:2] for shape in SMALL for lane in LANES]
    + [Variant("bounded", shape, "float32") for shape in 3 * LARGE]
)
"""The lanes, shapes and dtypes, the smallest first. One in 25 is large. float32 and float64 are drawn
twice as often as the narrow dtypes."""

CONSTRUCTIONS: Tuple[Construction, ...] = tuple(
    (affine, track, momentum)
    for affine in AFFINE
    for track in TRACK
    for momentum in ("momentum_0.1", *(word for word in MOMENTUM if word != "momentum_0.1"))
)
"""The ways to construct a module, the plainest first."""
