"""Finds the first step of a program that an adapter does not offer, and says why. Needs no torch."""

from __future__ import annotations

from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Optional, Type

from cases.attributes import FLOATING, PARAMETERS, TENSORS
from cases.case import Case
from cases.construction import Config
from cases.derivatives import Backward
from cases.inputs import batch
from cases.steps import (
    CONVERSIONS,
    Attach,
    Convert,
    Copy,
    Count,
    Drop,
    Forward,
    Forwards,
    LoadStateDict,
    Mode,
    Preset,
    Reset,
    SetAttribute,
    Step,
    forwards,
)
from cases.variants import CUT_CHANNELS_LAST, CUT_LAYOUTS, Variant
from tests.subject.subject import Unoffered

Offers = FrozenSet[str]

SAME_NUMBERS = (
    *("channels_last", "permuted", "sliced", "shifted", "transposed", "swapped", "unsqueezed"),
    *(*CUT_LAYOUTS, *CUT_CHANNELS_LAST),
)
"""The layouts that say nothing to an implementation in NumPy terms: their numbers are those of the
contiguous batch, which another case has. A layout that repeats numbers has numbers of its own."""

LAYOUT = "a layout in memory, which NumPy terms leave out"
LOADED = ("plain", "legacy")
"""The state dicts that are no more than names and arrays."""

Why = Optional[str]
"""Why something is not offered; None where it is."""


def _needs(offers: Offers, *words: str) -> Why:
    """Return the first word that is not offered, as a reason."""
    return next((f"not offered: {word}" for word in words if word not in offers), None)


def _construction(config: Config, variant: Variant, offers: Offers) -> Why:
    if config.call in ("positional", "dtype"):
        return f"arguments passed by {config.call.replace('positional', 'position')}"
    words = [variant.dtype]
    words += [] if config.affine else ["affine"]
    words += ["bias"] if config.bias is False else []
    words += [] if config.track_running_stats else ["track_running_stats"]
    words += ["momentum_none"] if config.momentum is None else []
    return _needs(offers, *words)


def _layout(name: str) -> Why:
    return LAYOUT if name.partition(".")[2] in SAME_NUMBERS else None


def _forward(step: Forward, case: Case, offers: Offers) -> Why:
    if step.way not in ("forward", "input_grad"):
        why = _needs(offers, step.way)
        if why is not None:
            return why
    given = batch(case.variant, step.batch)
    if given.dtype != case.variant.input_dtype:
        return "an input of another dtype"
    return _layout(step.batch)


def _forwards(step: Forwards, case: Case, offers: Offers) -> Why:
    return next(filter(None, (_forward(each, case, offers) for each in forwards(step))), None)


def _backward(step: Backward, case: Case, offers: Offers) -> Why:
    if step.of:
        return "a backward of some gradients alone"
    if step.earlier > 1:
        return "a backward of the forward before the last two"
    words = ["backward"] + ["retain"] * step.retain + ["earlier"] * step.earlier
    return _needs(offers, *words) or _layout(step.upstream)


def _set_attribute(step: SetAttribute, case: Case, offers: Offers) -> Why:
    if step.name == "training" and isinstance(step.value, bool):
        return None
    if step.name == "momentum" and step.value is None:
        return _needs(offers, "momentum_none", "set:momentum")
    if step.name in TENSORS:
        return "a number in the place of a tensor"
    switches = step.name in ("affine", "track_running_stats")
    if not isinstance(step.value, bool if switches else (int, float)):
        return f"{step.name} set to a value of another type"
    return _needs(offers, f"set:{step.name}")


def _attach(step: Attach, case: Case, offers: Offers) -> Why:
    usual = "trainable" if step.name in PARAMETERS else "tensor"
    if step.kind != usual:
        return "attaching a tensor of another kind or form"
    return _needs(offers, *["counter"] * (step.name not in FLOATING), f"drop:{step.name}")


def _copy(step: Copy, case: Case, offers: Offers) -> Why:
    if step.how == "copy":
        return "a copy that shares the tensors"
    return _needs(offers, {"deepcopy": "copy", "state_dict": "load"}.get(step.how, step.how))


def _load(step: LoadStateDict, case: Case, offers: Offers) -> Why:
    return _needs(offers, "load") if step.what in LOADED else "a state dict of another kind"


def _convert(step: Convert, case: Case, offers: Offers) -> Why:
    dtype = CONVERSIONS[step.how]
    return _needs(offers, "convert", dtype) if dtype else LAYOUT


def _drop(step: Drop, case: Case, offers: Offers) -> Why:
    return _needs(offers, f"drop:{step.name}")


def _nothing(step: Step, case: Case, offers: Offers) -> Why:
    return None


STEPS: Dict[Type[Any], Callable[[Any, Case, Offers], Why]] = {
    Forward: _forward,
    Forwards: _forwards,
    Backward: _backward,
    Mode: _nothing,
    Preset: _nothing,
    SetAttribute: _set_attribute,
    Drop: _drop,
    Attach: _attach,
    Count: lambda step, case, offers: _needs(offers, "counter"),
    Reset: lambda step, case, offers: _needs(offers, step.method),
    Copy: _copy,
    LoadStateDict: _load,
    Convert: _convert,
}
"""Maps the type of a step to the function that says why it is not offered. Steps of other types belong to
torch alone: .grad, gradients of gradients, aliases, requires_grad, texts, and writes of which autograd
knows nothing, so that a backward uses the new values."""


def _reasons(case: Case, offers: Offers) -> Iterator[Why]:
    """Yield the reason of construction and of every step."""
    yield _construction(case.config, case.variant, offers)
    training = True
    written: List[bool] = []  # for each forward, the last one first: whether anything was written since
    for step in case.steps:
        if isinstance(step, Mode) or (isinstance(step, SetAttribute) and step.name == "training"):
            training = bool(step.training if isinstance(step, Mode) else step.value)
        if type(step) not in STEPS:
            yield f"a step of torch alone: {type(step).__name__}"
            continue
        mode = _needs(offers, "train" if training else "eval") if forwards(step) else None
        yield mode or STEPS[type(step)](step, case, offers) or _written(step, written)
        if isinstance(step, WRITING):
            written = [True] * len(written)
        written = [False] * len(forwards(step)) + written


def _written(step: Step, written: List[bool]) -> Why:
    """Say whether tensors were written between the step, if it is a backward, and its forward."""
    if not isinstance(step, Backward) or not any(written[step.earlier : step.earlier + 1]):
        return None
    return "a write between a forward and its backward"


WRITING = (Preset, Attach, Drop, Reset, LoadStateDict)
"""The steps that write tensors. Which values a backward after them uses is a matter of torch's memory."""


def unoffered(case: Case, offers: Offers) -> Optional[Unoffered]:
    """Return the first step that is not offered, None where all are."""
    for number, why in enumerate(_reasons(case, offers)):
        if why is not None:
            return Unoffered(number, why)
    return None
