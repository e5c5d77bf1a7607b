"""The types of an answer: a question, sentences with their proofs, and a script to paste."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from oracle.answers.checks import Check


@dataclass(frozen=True)
class Proof:
    """A case of the gate, and what the oracle expects of it.

    Where the case passes, the module did what the oracle expects. A claim needs no checks: it has its
    own, which look at the module itself.
    """

    case: str
    checks: Tuple[Check, ...] = ()


@dataclass(frozen=True)
class Sentence:
    """A statement, in Markdown, and the cases that prove it.

    It holds on the releases on which every check holds and every case passes. ``past``: it is a statement
    about earlier releases; any other must hold on the newest.
    """

    text: str
    proofs: Tuple[Proof, ...]
    past: bool = False


@dataclass(frozen=True)
class Answer:
    """A question as people ask it.

    ``name``: the anchor, words with hyphens. ``words``: what people search for, in addition to the words
    of the question and the sentences. ``script``: at most five lines of Python. ``prints``: what it
    prints on the newest release. ``sources``: links to discussions.
    """

    name: str
    question: str
    words: Tuple[str, ...]
    sentences: Tuple[Sentence, ...]
    script: str
    prints: str
    sources: Tuple[str, ...] = ()


def proved(case: str, *checks: Check) -> Tuple[Proof, ...]:
    """Return the proofs of a sentence that one case proves."""
    return (Proof(case, checks),)
