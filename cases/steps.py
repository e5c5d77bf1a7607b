"""The step alphabet: every operation a program can perform on a live module, and its spelling in ids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Callable, Dict, Sequence, Tuple, Union

from cases.errors import CaseError

Value = Union[None, bool, int, float, str]

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
PARAMETERS = ("weight", "bias")
ATTACH_KINDS = ("tensor", "parameter", "trainable")
ATTRIBUTES = ("affine", "track_running_stats", "momentum", "eps", "num_features", "training")
COPIES = ("deepcopy", "pickle", "state_dict")
RESETS = ("reset_running_stats", "reset_parameters")
STATE_DICTS = ("legacy", "empty", "no_counter", "version_1", "plain", "longer")
GRADS = ("grad", "no_grad", "input_grad")
SHOWN = ("repr", "keys", "version")


@dataclass(frozen=True)
class Forward:
    """``module(batch)``; the case's variant says what numbers the named batch holds.

    ``grad``: ``no_grad`` calls under ``torch.no_grad()``, ``input_grad`` with an input that requires a
    gradient.
    """

    batch: str
    grad: str = "grad"


@dataclass(frozen=True)
class Forwards:
    """``module(batch)`` for the batches <series>0, <series>1, ...; seen only after the last."""

    series: str
    count: int


@dataclass(frozen=True)
class Mode:
    """``module.train()`` or ``module.eval()``."""

    training: bool


@dataclass(frozen=True)
class SetAttribute:
    """``module.<name> = <value>`` for a constructor argument or ``training``, on the live instance."""

    name: str
    value: Value


@dataclass(frozen=True)
class Drop:
    """``module.<name> = None`` for a buffer or a parameter."""

    name: str


@dataclass(frozen=True)
class Attach:
    """``module.<name> = <new tensor>``.

    ``kind`` is a plain ``tensor``, a ``parameter`` with ``requires_grad=False``, or a ``trainable``
    parameter. The numbers are those of ``inputs.attached``.
    """

    name: str
    kind: str


@dataclass(frozen=True)
class Preset:
    """Copies known numbers, far from 0 and 1, into every parameter and running statistic present.

    In place and without recording gradients. Without it a fault in the affine term or in the use of
    the buffers would hide behind the initial values 1 and 0.
    """


@dataclass(frozen=True)
class Count:
    """``module.num_batches_tracked.fill_(value)``."""

    value: int


@dataclass(frozen=True)
class Reset:
    """``module.reset_running_stats()`` or ``module.reset_parameters()``."""

    method: str


@dataclass(frozen=True)
class Copy:
    """Goes on with a copy of the module.

    ``deepcopy`` and ``pickle`` copy the live instance. ``state_dict`` constructs a module with the
    case's configuration, loads the live instance's state dict into it strictly, and puts it in
    the same mode.
    """

    how: str


@dataclass(frozen=True)
class LoadStateDict:
    """Loads a state dict into the live instance itself.

    ``legacy`` has every entry but the counter and no version metadata, as files written before
    torch 0.4.1 have; ``no_counter`` is the same with metadata of version 2, ``version_1`` with
    metadata of version 1; ``empty`` has no entry and is loaded with ``strict=False``. ``plain`` has
    every entry and no metadata; ``longer`` has both, and a running_mean that is one too long.
    """

    what: str


@dataclass(frozen=True)
class Show:
    """What the module says of itself.

    ``repr``: the text, without the class's name; ``keys``: the names in its state dict, sorted;
    ``version``: the number in the metadata of its state dict.
    """

    what: str


Step = Union[
    Forward,
    Forwards,
    Mode,
    SetAttribute,
    Drop,
    Attach,
    Preset,
    Count,
    Reset,
    Copy,
    LoadStateDict,
    Show,
]

TRAIN = Mode(True)
EVAL = Mode(False)
PRESET = Preset()

_WORDS: Dict[str, Value] = {"none": None, "true": True, "false": False}


def _word(value: Value) -> str:
    for word, named in _WORDS.items():
        if value is named:
            return word
    return str(value)


def _value(word: str) -> Value:
    if word in _WORDS:
        return _WORDS[word]
    for number in (int, float):
        try:
            return number(word)
        except ValueError:
            continue
    return word


def token(step: Step) -> str:
    """The step's spelling in an id; ``parse_step`` is its inverse."""
    if isinstance(step, Forward):
        verb = "forward" if step.grad == "grad" else step.grad
        return f"{verb}:{step.batch}"
    if isinstance(step, Forwards):
        return f"forwards:{step.series}:{step.count}"
    if isinstance(step, Mode):
        return "train" if step.training else "eval"
    if isinstance(step, SetAttribute):
        return f"set:{step.name}:{_word(step.value)}"
    if isinstance(step, Drop):
        return f"drop:{step.name}"
    if isinstance(step, Attach):
        return f"attach:{step.name}:{step.kind}"
    if isinstance(step, Preset):
        return "preset"
    if isinstance(step, Count):
        return f"count:{step.value}"
    if isinstance(step, Reset):
        return step.method
    if isinstance(step, Copy):
        return step.how
    if isinstance(step, Show):
        return f"show:{step.what}"
    return f"load:{step.what}"


_PLAIN: Dict[str, Step] = {
    "train": TRAIN,
    "eval": EVAL,
    "preset": PRESET,
    **{method: Reset(method) for method in RESETS},
    **{how: Copy(how) for how in COPIES},
}


def _one_of(word: str, accepted: Sequence[str], what: str) -> str:
    if word not in accepted:
        raise CaseError(f"unknown {what} {word!r}; accepted: {', '.join(accepted)}")
    return word


def _attribute_step(arguments: Sequence[str]) -> Step:
    name, word = arguments
    return SetAttribute(_one_of(name, ATTRIBUTES, "attribute"), _value(word))


def _attach_step(arguments: Sequence[str]) -> Step:
    name, kind = arguments
    if (name, kind) == ("num_batches_tracked", "trainable"):
        raise CaseError("num_batches_tracked is an integer and cannot require a gradient")
    return Attach(
        _one_of(name, BUFFERS + PARAMETERS, "buffer or parameter"),
        _one_of(kind, ATTACH_KINDS, "kind"),
    )


def _forwards_step(arguments: Sequence[str]) -> Step:
    series, count = arguments
    if not count.isdecimal() or not 1 <= int(count) <= 9999:
        raise CaseError(f"a series has 1 to 9999 batches, not {count!r}")
    return Forwards(series, int(count))


def _count_step(arguments: Sequence[str]) -> Step:
    try:
        return Count(int(arguments[0]))
    except ValueError:
        raise CaseError(f"the counter is a whole number, not {arguments[0]!r}") from None


_PARSERS: Dict[str, Tuple[int, Callable[[Sequence[str]], Step]]] = {
    "forward": (1, lambda words: Forward(words[0])),
    "forwards": (2, _forwards_step),
    "no_grad": (1, lambda words: Forward(words[0], "no_grad")),
    "input_grad": (1, lambda words: Forward(words[0], "input_grad")),
    "set": (2, _attribute_step),
    "drop": (1, lambda words: Drop(_one_of(words[0], BUFFERS + PARAMETERS, "buffer or parameter"))),
    "attach": (2, _attach_step),
    "count": (1, _count_step),
    "load": (1, lambda words: LoadStateDict(_one_of(words[0], STATE_DICTS, "state dict"))),
    "show": (1, lambda words: Show(_one_of(words[0], SHOWN, "thing to show"))),
}


def parse_step(text: str) -> Step:
    """The step that ``text`` spells; raises CaseError for anything ``token`` does not write."""
    if text in _PLAIN:
        return _PLAIN[text]
    verb, *arguments = text.split(":")
    if verb not in _PARSERS:
        verbs = sorted(_PLAIN) + [f"{verb}:..." for verb in sorted(_PARSERS)]
        raise CaseError(f"unknown step {text!r}; accepted: {', '.join(verbs)}")
    count, parser = _PARSERS[verb]
    if len(arguments) != count:
        raise CaseError(f"step {text!r} has {len(arguments)} arguments; {verb!r} takes {count}")
    step = parser(arguments)
    if token(step) != text:
        raise CaseError(f"step {text!r} is spelled {token(step)!r}")
    return step


@lru_cache(maxsize=64)
def forwards(step: Step) -> Tuple[Forward, ...]:
    """The forwards that a step performs."""
    if isinstance(step, Forwards):
        return tuple(Forward(f"{step.series}{number}") for number in range(step.count))
    return (step,) if isinstance(step, Forward) else ()


def spell(steps: Sequence[Step]) -> str:
    """A whole program in one line, as it stands in the id of a spelled-out case."""
    return ",".join(token(step) for step in steps)


def parse_program(text: str) -> Tuple[Step, ...]:
    """The inverse of ``spell``."""
    return tuple(parse_step(part) for part in text.split(","))
