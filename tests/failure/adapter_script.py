"""A short script that performs a program on an adapter and prints one finding, got and expected.

It needs NumPy and the module of the adapter.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, NamedTuple, Type

import numpy as np

from cases.attributes import COUNTER, FLAGS, FLOATING, TENSORS
from cases.derivatives import GRADIENTS, Backward
from cases.inputs import attached, batch, preset, upstream
from cases.inputs.storage import numpy_dtype
from cases.state_dicts import TABLE
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
    forwards,
)
from cases.variants import ATTACHED_COUNT
from tests.failure import literals
from tests.failure.script import LONGEST, FailingProgram, caught, suppressed
from tests.failure.writing import MOST, Unwritable


class Place(NamedTuple):
    """A step of the program that is written. ``training``: the mode before it."""

    failing: FailingProgram
    number: int
    training: bool


def array(values: np.ndarray, dtype: str) -> str:
    """Return the text that makes an array; raises Unwritable for one that is too large."""
    held, flat = numpy_dtype(dtype), values.reshape(-1)
    shape = "" if values.ndim == 1 else f".reshape({list(values.shape)})"
    if flat.size > 1 and flat.tobytes() == flat[:1].tobytes() * flat.size:
        return f"np.full({list(values.shape)}, {literals.number(flat[0].item(), dtype)}, '{held}')"
    if flat.size > MOST:
        raise Unwritable(f"an array has {flat.size:,} values")
    return f"np.array({literals.listed(flat, dtype)}, '{held}'){shape}"


def _called(at: Place, step: Forward) -> str:
    given = batch(at.failing.case.variant, step.batch)
    record = ", record=False" if step.way == "no_grad" else ""
    return f"y = a.forward({array(given.values, given.dtype)}, training={at.training}{record})"


def _forwards(at: Place, step: Any) -> List[str]:
    lines = [_called(at, each) for each in forwards(step)]
    if len(lines) > 1 and len(set(lines)) == 1:
        return [f"for _ in range({len(lines) - 1}): {lines[0]}", lines[-1]]
    return lines


def _backward(at: Place, step: Backward) -> List[str]:
    variant, before = at.failing.case.variant, enumerate(at.failing.case.steps[: at.number - 1], 1)
    returned = [e.batch for n, each in before if n not in at.failing.raising for e in forwards(each)]
    given = batch(variant, returned[-1 - step.earlier])
    gradient = upstream(variant, given, step.upstream)
    earlier = ", earlier=True" if step.earlier else ""
    called = f"a.backward({array(gradient.values, gradient.dtype)}{earlier})"
    return [f"gradients = dict(zip({GRADIENTS}, {called}))"]


def _new(name: str, channels: int) -> str:
    if name == COUNTER:
        return f"np.array({ATTACHED_COUNT})"
    return array(attached(name, channels), "float64")


def _preset(at: Place, step: Preset) -> List[str]:
    channels = at.failing.case.config.num_features
    return [
        f"if a.read({name!r}) is not None: a.write({name!r}, {array(preset(name, channels), 'float64')})"
        for name in FLOATING
    ]


def _set(at: Place, step: SetAttribute) -> List[str]:
    return [] if step.name == "training" else [f"a.set({step.name!r}, {step.value!r})"]


def _copy(at: Place, step: Copy) -> List[str]:
    if step.how == "state_dict":
        held = f"{{n: a.read(n) for n in {FLOATING} if a.read(n) is not None}}"
        return [f"state = {held}", _made(at.failing, ""), "a.load(state)"]
    return ["a = a.copy()" if step.how == "deepcopy" else "a = pickle.loads(pickle.dumps(a))"]


def _load(at: Place, step: LoadStateDict) -> List[str]:
    channels = at.failing.case.config.num_features
    entries = [entry for entry in TABLE[step.what].entries if entry.name in FLOATING]
    state = ", ".join(f"{each.name!r}: {_new(each.source, channels)}" for each in entries)
    return [f"a.load({{n: v for n, v in {{{state}}}.items() if a.read(n) is not None}})"]


LINES: Dict[Type[Any], Callable[[Place, Any], List[str]]] = {
    Forward: _forwards,
    Forwards: _forwards,
    Backward: _backward,
    Mode: lambda at, step: [],
    Preset: _preset,
    SetAttribute: _set,
    Drop: lambda at, step: [f"a.drop({step.name!r})"],
    Attach: lambda at, step: [
        f"a.write({step.name!r}, {_new(step.name, at.failing.case.config.num_features)})"
    ],
    Count: lambda at, step: [f"a.write({COUNTER!r}, np.array({step.value}))"],
    Reset: lambda at, step: [f"a.reset({step.method!r})"],
    Copy: _copy,
    LoadStateDict: _load,
    Convert: lambda at, step: [f"a.convert({CONVERSIONS[step.how]!r})"],
}
"""Maps the type of a step that an adapter may offer to the function that writes its lines."""


def _made(failing: FailingProgram, subject: str) -> str:
    """Return the line that constructs the layer; ``subject``: as given to --subject, "" for a copy."""
    config = failing.case.config
    words = [str(config.num_features), f"eps={config.eps!r}", f"momentum={config.momentum!r}"]
    words.append(f"dtype={failing.case.variant.dtype!r}")
    words += [] if config.affine else ["affine=False"]
    words += ["bias=False"] if config.bias is False else []
    words += [] if config.track_running_stats else ["track_running_stats=False"]
    called = subject.replace(":", ".") if subject else "type(a)"
    return f"a = {called}({', '.join(words)})"


def _array_of(quantity: str) -> str:
    """Return the expression for the array that a quantity is, or is about."""
    name = quantity.partition(" ")[0]
    if quantity.startswith("output"):
        return "y"
    return f"gradients[{name!r}]" if " gradient" in quantity else f"a.read({name!r})"


def _printed(failing: FailingProgram) -> str:
    """Return the expression that is printed as got; raises Unwritable where there is none."""
    mismatch = failing.finding.mismatch
    quantity, source = mismatch.quantity, _array_of(mismatch.quantity)
    if mismatch.index:
        return f"{source}[{', '.join(map(str, mismatch.index))}].item()"
    if quantity.endswith("shape"):
        return f"repr(np.shape({source}))"
    if mismatch.got.startswith("dtype "):
        return f"'dtype ' + str({source}.dtype)"
    if quantity in FLAGS:
        return f"repr(a.flag({quantity!r}))"
    if quantity == COUNTER:
        return f"{source}.tolist()"
    if quantity.partition(" ")[0] in TENSORS and quantity.endswith("present"):
        return f"{source} is not None"
    if mismatch.got == "None":
        return source
    raise Unwritable(f"only the suite can observe {quantity}")


def _last(failing: FailingProgram, body: List[str]) -> List[str]:
    """Return the lines of the step with the finding, and those that print what was got."""
    if failing.finding.mismatch.quantity == "exception":
        return caught(body)
    body = suppressed(body) if failing.finding.step in failing.raising else body
    return [*body, f"print('got     ', {_printed(failing)})"]


def script(failing: FailingProgram, subject: str) -> str:
    """Return the script; raises Unwritable where it would be too long, or nothing can be printed."""
    bodies, training = [[_made(failing, subject)]], True
    for number, step in enumerate(failing.case.steps[: failing.finding.step], 1):
        bodies.append(LINES[type(step)](Place(failing, number, training), step))
        if isinstance(step, Mode) or (isinstance(step, SetAttribute) and step.name == "training"):
            training = bool(step.training if isinstance(step, Mode) else step.value)
    text: List[str] = []
    for number, body in enumerate(bodies[:-1]):
        text += suppressed(body) if number in failing.raising and body else body
    text += _last(failing, bodies[-1])
    text.append(f"print('expected', {failing.finding.mismatch.expected!r})")
    names = [name for name in ("contextlib", "pickle") if f"{name}." in "\n".join(text)]
    head = [f"import {name}" for name in (*names, "numpy as np", subject.partition(":")[0])]
    used = [name for name in ("inf", "nan") if re.search(rf"(?<![\w.']){name}\b", "\n".join(text))]
    head += [f"from math import {', '.join(used)}"] if used else []
    if len(text) > LONGEST:
        raise Unwritable(f"the script would have {len(text)} lines")
    return "\n".join(head + text) + "\n"
