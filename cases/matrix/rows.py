"""The rows of the matrix, one word of every axis: which of them are cases, and the case of each."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple

from cases import suffixes
from cases.case import Case
from cases.construction import config
from cases.errors import CaseError, one_of
from cases.matrix.axes import AXES, NEVER, NO_MUTATION, Row
from cases.matrix.mutations import MUTATIONS, steps_of
from cases.matrix.schedules import SCHEDULES, moment
from cases.steps import EVAL, PRESET, TRAIN, Forward, Step
from cases.variants import Variant

FAMILY = "matrix"

TIERS = Path(__file__).parent / "tiers"
"""The folder with the ids of smoke and gate, one file a tier, one id a line."""


@lru_cache(maxsize=None)
def _program_is_meaningless(schedule: str, mutation: str, when: str) -> Optional[str]:
    if (mutation == NO_MUTATION) != (when == NEVER):
        return "a mutation needs a moment, and a moment a mutation"
    if mutation != NO_MUTATION and moment(schedule, when) is None:
        return f"schedule {schedule} has no moment {when}"
    return None


@lru_cache(maxsize=None)
def _mutation_is_meaningless(affine: str, track: str, momentum: str, mutation: str) -> Optional[str]:
    if mutation == NO_MUTATION:
        return None
    return MUTATIONS[mutation].meaningless((affine, track, momentum))


def meaningless(row: Row) -> Optional[str]:
    """Why the combination is left out of the matrix; None when it is a case."""
    affine, track, momentum, schedule, mutation, when, lane, shape, _ = row
    if lane == "exact" and shape == "n102400":
        return "n(n-1) exceeds the significand of float32: no sum of squares is exact"
    return _program_is_meaningless(schedule, mutation, when) or _mutation_is_meaningless(
        affine, track, momentum, mutation
    )


def full() -> Iterator[Row]:
    """The whole product, without the meaningless combinations, in the order of the axes."""
    return (row for row in product(*AXES.values()) if meaningless(row) is None)


def ids(tier: str) -> Iterator[str]:
    """The ids of a tier: those in the tier's file, or the whole product for ``full``."""
    if tier == "full":
        return map(identify, full())
    return iter((TIERS / f"{tier}.txt").read_text(encoding="ascii").splitlines())


@lru_cache(maxsize=None)
def program(schedule: str, mutation: str, when: str) -> Tuple[Step, ...]:
    """The steps that a schedule, a mutation and its moment make."""
    modes = SCHEDULES[schedule]
    place = None if mutation == NO_MUTATION else moment(schedule, when)
    steps: List[Step] = [] if schedule == "untrained_eval" else [PRESET]
    current = "T"
    for number, mode in enumerate(modes):
        if number == 0 and mode != current:
            steps.append(EVAL)
            current = mode
        if number == place:
            steps.extend(steps_of(mutation, current))
        if mode != current:
            steps.append(TRAIN if mode == "T" else EVAL)
            current = mode
        steps.append(Forward(f"b{number}"))
    return tuple(steps)


def identify(row: Row) -> str:
    """The id of a row, without suffix words."""
    return "-".join((FAMILY,) + row)


def case(row: Row, **values: Any) -> Case:
    """The case of a row. ``values``: the fields of Variant that have a suffix word, such as seed."""
    affine, track, momentum, schedule, mutation, when, lane, shape, dtype = row
    variant = Variant(lane, shape, dtype, **values)
    return Case(
        id=identify(row) + suffixes.write(variant),
        behaviour=mutation if mutation != NO_MUTATION else schedule,
        config=config(affine, track, momentum, variant.channels),
        steps=program(schedule, mutation, when),
        variant=variant,
    )


def parse(words: Tuple[str, ...]) -> Row:
    """The row that the words of an id name; raises CaseError and says what is accepted."""
    if len(words) != len(AXES):
        raise CaseError(
            f"a matrix id has {len(AXES)} words ({'-'.join(AXES)}); this one has {len(words)}"
        )
    for word, (axis, accepted) in zip(words, AXES.items()):
        one_of(word, accepted, axis)
    reason = meaningless(words)
    if reason is not None:
        raise CaseError(f"the combination is not in the matrix: {reason}")
    return words


def find(case_id: str) -> Case:
    """The case with this id; raises CaseError."""
    plain, values = suffixes.split(case_id)
    return case(parse(tuple(plain.split("-")[1:])), **values)
