"""The spelling of steps and programs in ids: writing and reading.

A step is written as a verb and its arguments, joined by colons: ``set:momentum:0.5``. ``_WRITERS`` has
every step type and ``_READERS`` has every verb; an operation that is added needs an entry in both.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from dataclasses import replace
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

from cases.attributes import FLAGS, FLOATING, TENSORS
from cases.derivatives import (
    BACKWARDS,
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
from cases.errors import CaseError, one_of, quoted
from cases.state_dicts import TABLE
from cases.steps import (
    ATTACH_KINDS,
    CONVERSIONS,
    COPIES,
    EVAL,
    FORMS,
    OVERWRITE,
    PRESET,
    RESETS,
    SHOWN,
    TRAIN,
    TRIED,
    UNSAVED,
    WAYS,
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
    Mode,
    Overwrite,
    Preset,
    RequireGrad,
    Reset,
    SetAttribute,
    Show,
    Step,
    Value,
)

LARGEST_COUNT = 2**63 - 1
"""The largest int64, which is the dtype of num_batches_tracked."""

LARGEST_WHOLE = int(sys.float_info.max)
"""The largest whole number that a float64 holds, and so the largest that a flag can be set to."""

LONGEST_SERIES = 9999
"""The largest number of batches in a series."""

_LONGEST_NUMBER = 310
"""The largest number of characters of an accepted number. Longer text is refused before it is converted,
because the conversion takes time that grows with the square of the length."""

_WORDS: Dict[str, Value] = {"none": None, "true": True, "false": False}


def _write_value(value: Value) -> str:
    for word, named in _WORDS.items():
        if value is named:
            return word
    return str(value)


_ACCUMULATES = {False: "accumulate", True: "accumulate_retain"}
"""Maps whether the graph is retained to the verb of a step that adds to ``.grad``."""

_WRITERS: Dict[type, Callable[[Any], str]] = {
    Forward: lambda step: f"{step.way}:{step.batch}",
    Forwards: lambda step: f"forwards:{step.series}:{step.count}",
    Mode: lambda step: "train" if step.training else "eval",
    SetAttribute: lambda step: f"set:{step.name}:{_write_value(step.value)}",
    Drop: lambda step: f"drop:{step.name}",
    Attach: lambda step: f"attach:{step.name}:{step.kind}",
    Preset: lambda step: "preset",
    Count: lambda step: f"count:{step.value}",
    Reset: lambda step: str(step.method),
    Copy: lambda step: str(step.how),
    Backward: lambda step: f"{step.verb}:{step.upstream}",
    Accumulate: lambda step: f"{_ACCUMULATES[step.retain]}:{step.upstream}",
    Double: lambda step: f"{step.way}:{step.upstream}:{step.direction}",
    Triple: lambda step: f"triple:{step.upstream}:{step.direction}:{step.along}",
    Jvp: lambda step: f"{step.way}:{step.batch}:{step.tangent}",
    Vjp: lambda step: f"{step.way}:{step.batch}:{step.upstream}",
    Nested: lambda step: f"{step.way}:{step.batch}:{step.tangent}",
    ZeroGrad: lambda step: "grad_zeros" if step.to_zeros else "zero_grad",
    Detach: lambda step: "detach",
    LoadStateDict: lambda step: f"load:{step.what}",
    Show: lambda step: f"show:{step.what}",
    Convert: lambda step: f"convert:{step.how}",
    RequireGrad: lambda step: f"requires_grad:{_write_value(step.value)}",
    Alias: lambda step: f"alias:{step.name}:{step.source}",
    Overwrite: lambda step: "overwrite",
}
"""Maps a step type to the function that writes a step of that type."""


def _whole(text: str, verb: str, largest: int) -> int:
    """Return the whole number in ``text``; raises CaseError outside -largest - 1 to largest."""
    refusal = CaseError(
        f"{verb!r} takes whole numbers of up to {float(largest):.3g} in size, not {quoted(text)}"
    )
    if len(text) > _LONGEST_NUMBER:
        raise refusal
    try:
        number = int(text)
    except ValueError:
        raise refusal from None
    if not -largest - 1 <= number <= largest:
        raise refusal
    return number


def _read_value(name: str, text: str) -> Value:
    """Return the value in ``text``: none, true, false, a number, or a plain word as a str."""
    if text in _WORDS:
        return _WORDS[text]
    if text.lstrip("-").isdecimal():
        return _whole(text, f"set:{name}", LARGEST_WHOLE)
    if len(text) <= _LONGEST_NUMBER:
        with suppress(ValueError):
            return float(text)
        if re.fullmatch("[a-z_]+", text):
            return text
    accepted = "none, true, false, a number or a word of lowercase letters"
    raise CaseError(f"'set:{name}' takes {accepted}, not {quoted(text)}")


def _tensor(word: str) -> str:
    return one_of(word, TENSORS, "tensor")


def _read_set(name: str, text: str) -> Step:
    value = _read_value(one_of(name, (*FLAGS, *TENSORS), "attribute"), text)
    if name in TENSORS and (value is None or isinstance(value, str)):
        others = f"'drop:{name}' sets it to None, 'attach:{name}:<kind>' to a tensor"
        raise CaseError(f"'set:{name}' takes a number; {others}")
    return SetAttribute(name, value)


def _read_attach(name: str, kind: str) -> Step:
    if (name, kind) == ("num_batches_tracked", "trainable"):
        raise CaseError("num_batches_tracked is an integer and cannot require a gradient")
    plain, _, form = kind.partition(".")
    one_of(plain, (*ATTACH_KINDS, UNSAVED), "kind")
    if "." in kind:
        one_of(form, FORMS, "form of a tensor")
        one_of(name, FLOATING, f"tensor that can be {form}")
    return Attach(_tensor(name), kind)


def _read_alias(name: str, source: str) -> Step:
    return Alias(one_of(name, FLOATING, "tensor"), one_of(source, FLOATING, "tensor"))


def _read_forwards(series: str, count: str) -> Step:
    if not count.isdecimal() or len(count) > len(str(LONGEST_SERIES)) or int(count) < 1:
        raise CaseError(f"a series has 1 to {LONGEST_SERIES} batches, not {quoted(count)}")
    return Forwards(series, int(count))


class _Reader(NamedTuple):
    """The way to read a verb: the form of the whole step, and the function from arguments to the step."""

    form: str
    step: Callable[..., Step]


def _constant(verb: str, step: Step) -> _Reader:
    return _Reader(verb, lambda: step)


def _forward(way: str) -> _Reader:
    return _Reader(f"{way}:<batch>", lambda batch: Forward(batch, way))


def _backward(made: Backward) -> _Reader:
    return _Reader(f"{made.verb}:<gradient>", lambda name: replace(made, upstream=name))


def _double(way: str) -> _Reader:
    return _Reader(f"{way}:<gradient>:<direction>", lambda given, along: Double(given, along, way))


def _calling(way: str, second: str, step: Callable[..., Step]) -> _Reader:
    return _Reader(f"{way}:<batch>:{second}", lambda batch, name: step(batch, name, way))


_READERS: Dict[str, _Reader] = {
    **{way: _forward(way) for way in WAYS},
    **{made.verb: _backward(made) for made in BACKWARDS},
    "accumulate": _Reader("accumulate:<gradient>", Accumulate),
    "accumulate_retain": _Reader("accumulate_retain:<gradient>", lambda name: Accumulate(name, True)),
    **{way: _double(way) for way in DOUBLES},
    "triple": _Reader("triple:<gradient>:<direction>:<direction>", Triple),
    **{way: _calling(way, "<tangent>", Jvp) for way in JVPS},
    **{way: _calling(way, "<gradient>", Vjp) for way in VJPS},
    **{way: _calling(way, "<tangent>", Nested) for way in NESTED},
    "zero_grad": _constant("zero_grad", ZERO_GRAD),
    "grad_zeros": _constant("grad_zeros", ZeroGrad(to_zeros=True)),
    "detach": _constant("detach", Detach()),
    "forwards": _Reader("forwards:<series>:<count>", _read_forwards),
    "train": _constant("train", TRAIN),
    "eval": _constant("eval", EVAL),
    "set": _Reader("set:<attribute>:<value>", _read_set),
    "drop": _Reader("drop:<tensor>", lambda name: Drop(_tensor(name))),
    "attach": _Reader("attach:<tensor>:<kind>", _read_attach),
    "preset": _constant("preset", PRESET),
    "count": _Reader("count:<number>", lambda text: Count(_whole(text, "count", LARGEST_COUNT))),
    **{method: _constant(method, Reset(method)) for method in RESETS},
    **{how: _constant(how, Copy(how)) for how in COPIES},
    "load": _Reader(
        "load:<state dict>", lambda what: LoadStateDict(one_of(what, tuple(TABLE), "state dict"))
    ),
    "convert": _Reader(
        "convert:<how>", lambda how: Convert(one_of(how, tuple(CONVERSIONS), "conversion"))
    ),
    "requires_grad": _Reader(
        "requires_grad:<value>",
        lambda text: RequireGrad(one_of(text, ("true", "false"), "value") == "true"),
    ),
    "alias": _Reader("alias:<tensor>:<tensor>", _read_alias),
    "overwrite": _constant("overwrite", OVERWRITE),
    "show": _Reader("show:<what>", lambda what: Show(one_of(what, (*SHOWN, *TRIED), "thing to show"))),
}
"""Maps a verb to the way in which a step with that verb is read."""


def _verbs() -> str:
    """List the verbs; ``(backward|retain)[_input|_bias]`` stands for both with and without an ending."""
    groups: Dict[str, List[str]] = {}
    for verb in _READERS:
        if verb.rpartition("_")[0] not in _READERS:
            endings = "|".join(each[len(verb) :] for each in _READERS if each.rpartition("_")[0] == verb)
            groups.setdefault(f"[{endings}]" if endings else "", []).append(verb)
    listed = groups.pop("")
    for ending, verbs in groups.items():
        listed.append(f"({'|'.join(verbs)}){ending}" if verbs[1:] else verbs[0] + ending)
    return "|".join(listed)


def token(step: Step) -> str:
    """Write a step as in an id; ``parse_step`` is the inverse."""
    return _WRITERS[type(step)](step)


def parse_step(text: str) -> Step:
    """Return the step in ``text``; raises CaseError for anything that ``token`` does not write."""
    verb, *arguments = text.split(":")
    if verb not in _READERS:
        raise CaseError(f"{quoted(text)} is no step; accepted: {_verbs()}, as in forward:b0")
    reader = _READERS[verb]
    if len(arguments) != reader.form.count(":"):
        raise CaseError(f"step {quoted(text)} must read {reader.form}")
    step = reader.step(*arguments)
    if token(step) != text:
        raise CaseError(f"step {quoted(text)} is spelled {quoted(token(step))}")
    return step


def spell(steps: Sequence[Step]) -> str:
    """Write a program in one line, as in the id of a spelled-out case."""
    return ",".join(token(step) for step in steps)


def parse_program(text: str) -> Tuple[Step, ...]:
    """Return the program in ``text``, the inverse of ``spell``; raises CaseError."""
    return tuple(parse_step(part) for part in text.split(","))
