"""Runs mutants against the suite until the first finding."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from typing import Iterable, Iterator, List, Optional, Tuple

import torch

from oracle.semantics import Semantics, parse_release, semantics
from tests.meta.liars import hunt
from tests.meta.liars.hunt import Catch
from tests.meta.mutants.equivalent import TABLE
from tests.meta.mutants.generate import Mutant
from tests.meta.mutants.sources import SOURCES, Source


@dataclass(frozen=True)
class Outcome:
    """A mutant and the case that caught it; None for a survivor."""

    source: str
    mutant: Mutant
    caught: Optional[Catch]


@lru_cache(maxsize=None)
def ordered_ids(tier: str) -> Tuple[str, ...]:
    """Return the ids: smoke first, because it kills nearly all; then the edges; the slow claims last."""
    smoke = hunt.ids("smoke")
    known = frozenset(smoke)
    rest = [each for each in hunt.ids(tier) if each not in known]

    def slowness(case_id: str) -> int:
        family = case_id.partition("-")[0]
        if case_id.startswith("claim-group_norm"):
            return 4
        return {"edge": 0, "claim": 1, "state": 2}.get(family, 3)

    return smoke + tuple(sorted(rest, key=slowness))


def rules_for(source: Source) -> Semantics:
    """Return the rules for the source's subjects: the installed release's, or the newest semantics."""
    if source.on_torch_kernel:
        return semantics(parse_release(torch.__version__))
    return hunt.NEWEST


def outcome(source: Source, mutant: Mutant, case_ids: Iterable[str]) -> Outcome:
    """Build the mutant and run the cases; a mutant that cannot be built counts as caught."""
    try:
        with hunt.patience(hunt.PATIENCE_S):
            subject = source.build(mutant.code)
    except (Exception, hunt.Hang) as error:  # a mutated class body may raise anything
        shown = f"{type(error).__name__}: {error}"
        return Outcome(source.name, mutant, Catch("no case", ("definition",), shown))
    caught = hunt.first_catch(subject, case_ids, rules_for(source), source.on_torch_kernel)
    return Outcome(source.name, mutant, caught)


@lru_cache(maxsize=None)
def confirming_ids() -> Tuple[str, ...]:
    """Return the cases on which a mutant is run that is listed as impossible to kill.

    These are all but the large part of the matrix and the many pairs of layouts and sizes, which take
    long and add nothing to the reason.
    """
    smoke = frozenset(hunt.ids("smoke"))
    return tuple(
        each
        for each in ordered_ids("gate")
        if not each.startswith(("claim-group_norm", "edge-backward_layout", "edge-extent"))
        and (each in smoke or not each.startswith("matrix"))
    )


def _numbered(place: Tuple[str, int, bool]) -> Outcome:
    """Return the outcome of a source's mutant by its number; this is the task of a worker process."""
    name, number, thorough = place
    torch.set_num_threads(1)
    source = next(each for each in SOURCES if each.name == name)
    mutant = _mutants_of(name)[number]
    listed = any((each.source, each.key) == (name, mutant.key) for each in TABLE)
    confirmed = listed and not thorough
    return outcome(source, mutant, confirming_ids() if confirmed else ordered_ids("gate"))


@lru_cache(maxsize=None)
def _mutants_of(name: str) -> List[Mutant]:
    return next(each for each in SOURCES if each.name == name).mutants()


def run_all(jobs: int = 1, thorough: bool = False, every: int = 1) -> Iterator[Outcome]:
    """Return the outcome of every mutant of every source on the gate tier, in order.

    ``jobs``: the number of processes. ``thorough``: run the listed survivors on the whole tier too.
    ``every``: run every so many-th mutant of a source alone.
    """
    places = [
        (source.name, number, thorough)
        for source in SOURCES
        for number in range(0, len(_mutants_of(source.name)), every)
    ]
    if jobs == 1:
        yield from map(_numbered, places)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_numbered, places)
