"""Symptoms: findings without the numbers in them.

A symptom is a pure function of one finding. Findings of one fault differ in their numbers,
their indices and their inputs; they agree in what was compared and in the step after which it
was wrong, and exceptions also in their class and in the words of their message.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Tuple

from reports.rows import Found
from reports.visible import one_line

EXCEPTION = "exception"
"""The quantity of a finding that is about an exception."""

NOTHING_RAISED = "no exception"
"""The text on the side of such a finding that raised nothing."""

UNTOLD = "explanation"
"""The quantity of a case that is a finding without a Found. The case's one-line text replaces it."""

TEXT = "text"
"""The quantity of a text that a step shows. Only the step says which text it is."""

_NAMED_BY_TWO_WORDS = ("set", "load", "attach", "drop", "show")
"""The verbs that say what a step does only together with their first argument."""

Theme = Tuple[str, str]

_LONGEST = 200
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_QUOTED = re.compile(r"(?<!attribute )(?<!argument )('[^']*'|\"[^\"]*\"|`[^`]*`|‘[^’]*’|“[^”]*”)")
_NUMBER = re.compile(r"(?<![A-Za-z0-9_#])[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")
_SIZES = re.compile(r"#(?:\s*[,x]\s*#)+,?")

_FACTS = (
    *(" is the same object", " has a grad_fn", " requires_grad", " shape", " strides", " dtype"),
    *(" present", " shares memory", "_dtype", "_shape", "_requires_grad", "_shares_input"),
)


def about_numbers(quantity: str) -> bool:
    """Whether a quantity consists of numbers, and is no fact about them, such as a dtype."""
    return not quantity.endswith(_FACTS)


class Symptom(NamedTuple):
    """The quantity and the verb of the step, and for an exception what was seen and expected.

    ``got`` and ``expected`` are empty for everything but exceptions; for a case that is a finding without
    a Found, ``got`` is the case's text.
    """

    quantity: str
    verb: str
    got: str = ""
    expected: str = ""

    @property
    def themes(self) -> Tuple[Theme, ...]:
        """The parts of a symptom that may occur at other steps, too.

        An exception has two parts: what was raised, and what should have been raised. The text that a
        step shows belongs to that step alone.
        """
        if self.quantity == EXCEPTION:
            sides = (("raised", self.got), ("unraised", self.expected))
            return tuple(side for side in sides if side[1] != NOTHING_RAISED) or sides[:1]
        if self.quantity == TEXT:
            return ((self.quantity, self.verb),)
        return ((self.quantity, self.got),)


def symptom(found: Found) -> Symptom:
    """Return the symptom of a finding."""
    if found.quantity == UNTOLD:
        return Symptom(UNTOLD, verb(found.token), generalised(found.got))
    if found.quantity != EXCEPTION:
        return Symptom(found.quantity, verb(found.token))
    return Symptom(EXCEPTION, verb(found.token), generalised(found.got), _general(found.expected))


def verb(token: str) -> str:
    """Return what a step does, without its numbers and batches: "forward", "set:eps", "eval"."""
    words = re.split(r"[:.]", token)
    return ":".join(words[:2]) if words[0] in _NAMED_BY_TWO_WORDS else words[0]


def generalised(message: str) -> str:
    """Return a message with addresses, quoted names, numbers and sizes replaced by marks.

    The name of an attribute or argument that is missing stays: each is a fault of its own.
    """
    return _general(_QUOTED.sub("'...'", message[: 4 * _LONGEST]))


def _general(message: str) -> str:
    text = _NUMBER.sub("#", _ADDRESS.sub("#", one_line(message[: 4 * _LONGEST])))
    return _SIZES.sub("#", text)[:_LONGEST]
