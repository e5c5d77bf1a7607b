"""Runs subjects on the tiers of the suite and tells which cases catch them."""

from __future__ import annotations

import re
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import FrozenSet, Iterable, Iterator, Optional, Tuple

from cases import catalogue
from cases.case import Case
from oracle.semantics import RELEASES, Semantics, semantics
from reports.rows import FINDING
from tests.meta.liars.registry import Liar
from tests.subject.module import Factory, eager
from tests.verdict.verdict import adjudicate

NEWEST: Semantics = semantics(RELEASES[-1])
"""The semantics that the honest rendition, and so every liar, follows on every installed torch."""

PATIENCE_S = 20.0
"""The seconds after which a case hangs."""


class Hang(BaseException):
    """A subject did not return. It is no Exception, so that nobody takes it for the subject's answer."""


@dataclass(frozen=True)
class Catch:
    """A case that caught a subject, and the quantities of its first step with a finding."""

    case_id: str
    quantities: Tuple[str, ...]
    shown: str


@lru_cache(maxsize=None)
def ids(tier: str) -> Tuple[str, ...]:
    """Return the ids of every family in the tier."""
    return tuple(each for family in catalogue.FAMILIES for each in catalogue.ids(family, tier))


@lru_cache(maxsize=None)
def cheapest_first(tier: str) -> Tuple[str, ...]:
    """Return the ids of the tier, the edges before the others and large inputs last."""

    def cost(case_id: str) -> Tuple[bool, bool]:
        return "n102400" in case_id, not case_id.startswith("edge-")

    return tuple(sorted(ids(tier), key=cost))


@lru_cache(maxsize=None)
def words(case_id: str) -> FrozenSet[str]:
    """Return the words of an id."""
    return frozenset(re.split(r"[-,]", case_id))


def with_words(tier: str, wanted: Iterable[str]) -> Tuple[str, ...]:
    """Return the ids of the tier that have all of the words."""
    needed = frozenset(wanted)
    return tuple(each for each in ids(tier) if needed <= words(each))


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Raise Hang in the block after this many seconds; needs the main thread and SIGALRM."""

    def give_up(number: int, frame: object) -> None:
        raise Hang(f"no answer within {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@lru_cache(maxsize=None)
def case(case_id: str) -> Case:
    """Return the case of an id; it is kept, because a tier is run many times."""
    return catalogue.find(case_id)


def catch(
    factory: Factory, case_id: str, rules: Semantics = NEWEST, known_defects: bool = False
) -> Optional[Catch]:
    """Return the catch of the case on the subject: None when the case finds nothing.

    ``known_defects``: whether the subject computes with torch's own kernel, and so shares its defects. A
    subject whose state the comparison cannot even read (a counter that is no tensor) is caught as well,
    through the quantity ``unreadable``; one that contradicts nothing but a claim, through ``claim``.
    """
    try:
        with patience(PATIENCE_S):
            decided = adjudicate(case(case_id), eager(factory), rules, strict_defects=known_defects)
    except Hang as hang:
        return Catch(case_id, ("hang",), str(hang))
    except Exception as error:  # the subject broke the observation, not just a step
        return Catch(case_id, ("unreadable",), f"{type(error).__name__}: {error}")
    if decided.outcome != FINDING:
        return None
    findings = decided.result.findings
    quantities = dict.fromkeys(finding.mismatch.quantity for finding in findings)
    return Catch(case_id, tuple(quantities) or ("claim",), decided.explanation)


def first_catch(
    factory: Factory,
    case_ids: Iterable[str],
    rules: Semantics = NEWEST,
    known_defects: bool = False,
) -> Optional[Catch]:
    """Return the first of the cases that catches the subject."""
    found = (catch(factory, case_id, rules, known_defects) for case_id in case_ids)
    return next((each for each in found if each is not None), None)


def all_catches(factory: Factory, case_ids: Iterable[str]) -> Tuple[Catch, ...]:
    """Return every case that catches the subject."""
    found = (catch(factory, case_id) for case_id in case_ids)
    return tuple(each for each in found if each is not None)


def telling_catch(liar: Liar) -> Optional[Catch]:
    """Return the first gate case that has the liar's words and finds wrong what it lies about."""
    caught = (catch(liar.factory, case_id) for case_id in with_words("gate", liar.seen_in))
    return next((each for each in caught if each and liar.through in each.quantities), None)
