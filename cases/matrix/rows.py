"""The rows of the matrix, one word of every axis: which rows are cases, and the case of each."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, product
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple

from cases import suffixes
from cases.case import Case
from cases.construction import config
from cases.derivatives import Backward
from cases.errors import CaseError, one_of
from cases.matrix.axes import LEADING, NEVER, NO_MUTATION, Row
from cases.matrix.mutations import MUTATIONS, steps_of
from cases.matrix.schedules import SCHEDULES, moment
from cases.steps import EVAL, PRESET, TRAIN, Forward, Step
from cases.suffixes import NO_BACKWARD
from cases.variants import Variant

FAMILY = "matrix"

TIERS = Path(__file__).parent / "tiers"
"""The folder with the ids of smoke and gate, one file a tier, one id a line."""

PLAIN: Row = tuple(words[0] for words in suffixes.PROGRAM.values())
"""The tail of a row whose id has no word of a suffix axis."""

FIXED = (("affine", "track", "momentum_0.1"), ("no_affine", "no_track", "momentum_0.1"))
"""The constructions that full combines with every tail. A mutation that does nothing to the first of them
is combined with the second."""

FIXED_VALUES = ("bounded", "n8", "float32")
"""The lane, shape and dtype that full combines with every tail."""


@lru_cache(maxsize=None)
def _reason_against_program(schedule: str, mutation: str, when: str) -> Optional[str]:
    if (mutation == NO_MUTATION) != (when == NEVER):
        return "a mutation needs a moment, and a moment a mutation"
    if mutation != NO_MUTATION and moment(schedule, when) is None:
        return f"schedule {schedule} has no moment {when}"
    return None


@lru_cache(maxsize=None)
def _reason_against_mutation(affine: str, track: str, momentum: str, mutation: str) -> Optional[str]:
    if mutation == NO_MUTATION:
        return None
    return MUTATIONS[mutation].meaningless((affine, track, momentum))


def _reason_against_head(head: Row) -> Optional[str]:
    affine, track, momentum, schedule, mutation, when, lane, shape, _ = head
    if lane == "exact" and shape == "n102400":
        return "n(n-1) exceeds the significand of float32: no sum of squares is exact"
    return _reason_against_program(schedule, mutation, when) or _reason_against_mutation(
        affine, track, momentum, mutation
    )


def _reason_against_tail(tail: Row) -> Optional[str]:
    _, upstream, layout = tail
    if upstream == NO_BACKWARD and layout != PLAIN[-1]:
        return "the layout of a gradient needs an upstream gradient"
    return None


def meaningless(row: Row) -> Optional[str]:
    """Return why the combination is left out of the matrix, None when it is a case.

    The reason lies in the head alone or in the tail alone, so every head that is kept goes with every
    tail that is kept.
    """
    return _reason_against_head(row[: len(LEADING)]) or _reason_against_tail(row[len(LEADING) :])


def heads() -> Iterator[Row]:
    """Return the product of the leading axes, in their order, without the heads that are left out."""
    return (row for row in product(*LEADING.values()) if _reason_against_head(row) is None)


def tails() -> Iterator[Row]:
    """Return the product of the suffix axes, in their order, without the tails that are left out."""
    return (row for row in product(*suffixes.PROGRAM.values()) if _reason_against_tail(row) is None)


def fixed_heads() -> Iterator[Row]:
    """Return a head for every program, with the first fixed construction on which it is a case."""
    programs = product(*(LEADING[axis] for axis in ("schedule", "mutation", "moment")))
    for words in programs:
        possible = (construction + words + FIXED_VALUES for construction in FIXED)
        head = next((each for each in possible if _reason_against_head(each) is None), None)
        if head is not None:
            yield head


def full() -> Iterator[Row]:
    """Return the rows of the full tier.

    They are: every head with the plain tail; every other tail with every program, on a fixed
    construction, lane, shape and dtype; and the rows of gate and smoke that are neither.
    """
    plain = (head + PLAIN for head in heads())
    others = [tail for tail in tails() if tail != PLAIN]
    fixed = set(fixed_heads())
    varied = (head + tail for head in fixed_heads() for tail in others)
    stored = dict.fromkeys(chain(ids("gate"), ids("smoke")))
    rows = (parse(tuple(case_id.split("-")[1:])) for case_id in stored)
    count = len(LEADING)
    further = (row for row in rows if row[count:] != PLAIN and row[:count] not in fixed)
    return chain(plain, varied, further)


def ids(tier: str) -> Iterator[str]:
    """Return the ids of a tier: those in the tier's file, or those of all rows for ``full``."""
    if tier == "full":
        return map(identify, full())
    return iter((TIERS / f"{tier}.txt").read_text(encoding="ascii").splitlines())


@lru_cache(maxsize=None)
def program(
    schedule: str, mutation: str, when: str, layout: str, upstream: str, gradient_layout: str
) -> Tuple[Step, ...]:
    """Return the steps that a schedule, a mutation, its moment and the words of a tail make."""
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
        steps.extend(_pass(number, layout, upstream, gradient_layout))
    return tuple(steps)


def _pass(number: int, layout: str, upstream: str, gradient_layout: str) -> Iterator[Step]:
    """Return the forward of a batch, and the backward after it if there is one."""
    batch = f"b{number}" + _suffix(layout)
    if upstream == NO_BACKWARD:
        yield Forward(batch)
    else:
        yield Forward(batch, "input_grad")
        yield Backward(upstream.partition("_")[2] + _suffix(gradient_layout))


def _suffix(word: str) -> str:
    """Return the end of the name of a batch or gradient, for a word of an axis of layouts."""
    return "" if word in PLAIN else "." + word.partition("_")[2]


def identify(row: Row) -> str:
    """Return the id of a row, without the words of the axes of values."""
    count = len(LEADING)
    return "-".join((FAMILY, *row[:count], *suffixes.write_program(row[count:])))


def case(row: Row, **values: Any) -> Case:
    """Return the case of a row. ``values``: the fields of Variant that have a suffix word."""
    affine, track, momentum, schedule, mutation, when, lane, shape, dtype, *tail = row
    variant = Variant(lane, shape, dtype, **values)
    return Case(
        id=identify(row) + suffixes.write(variant),
        behaviour=mutation if mutation != NO_MUTATION else schedule,
        config=config(affine, track, momentum, variant.channels),
        steps=program(schedule, mutation, when, *tail),
        variant=variant,
    )


def parse(words: Tuple[str, ...]) -> Row:
    """Return the row that the words of an id name; raises CaseError and says what is accepted."""
    count = len(LEADING)
    if len(words) < count:
        raise CaseError(
            f"a matrix id has {count} words ({'-'.join(LEADING)}) before the optional ones; "
            f"this one has {len(words)}"
        )
    for word, (axis, accepted) in zip(words, LEADING.items()):
        one_of(word, accepted, axis)
    row = words[:count] + suffixes.read_program(words[count:])
    reason = meaningless(row)
    if reason is not None:
        raise CaseError(f"the combination is not in the matrix: {reason}")
    return row


def find(case_id: str) -> Case:
    """Return the case with this id; raises CaseError."""
    plain, values = suffixes.split(case_id)
    return case(parse(tuple(plain.split("-")[1:])), **values)
