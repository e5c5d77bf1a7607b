"""Cases whose program is written out in the id, step by step.

An id is ``steps-<affine>-<track>-<momentum>-<lane>-<shape>-<dtype>-<step>,<step>,...`` and suffix words.
"""

from __future__ import annotations

import dataclasses
from typing import Iterator, Optional, Sequence, Tuple

from cases import suffixes
from cases.case import Case
from cases.construction import AFFINE, MOMENTUM, TRACK, Construction, config
from cases.derivatives import CALLING, DIFFERENTIATING, Nested, Triple
from cases.errors import CaseError, one_of
from cases.inputs import OWN, Batch, batch, upstream
from cases.spelling import parse_program, spell, token
from cases.steps import Step, forwards
from cases.variants import DTYPES, LANES, NARROW, SHAPES, WIDE, Given, Variant

FAMILY = "steps"

OF_WIDE_DTYPES = (Triple, Nested)
"""The types of the steps that are specified for the wide dtypes alone."""

GRADIENTS_OF_A_STEP = ("upstream", "direction", "along", "tangent")
"""The fields of steps that name an upstream gradient."""

_WORDS = (
    ("affine", tuple(AFFINE)),
    ("track", tuple(TRACK)),
    ("momentum", tuple(MOMENTUM)),
    ("lane", LANES),
    ("shape", tuple(SHAPES)),
    ("dtype", DTYPES),
)
"""The axes before the program, each with its words."""


def case(construction: Construction, variant: Variant, steps: Tuple[Step, ...]) -> Case:
    """Return the case that performs ``steps`` on a module constructed as the three words say."""
    words = (FAMILY,) + construction + (variant.lane, variant.shape, variant.dtype, spell(steps))
    affine, track, momentum = construction
    return Case(
        id="-".join(words) + suffixes.write(variant),
        behaviour="spelled_out",
        config=config(affine, track, momentum, variant.channels),
        steps=steps,
        variant=variant,
    )


def ids(tier: str) -> Iterator[str]:
    """Return no id for any tier: spelled-out cases run only when they are asked for."""
    return iter(())


def find(case_id: str) -> Case:
    """Return the case with this id; raises CaseError and says what is accepted."""
    plain, values = suffixes.split(case_id)
    parts = plain.split("-", len(_WORDS) + 1)[1:]
    if len(parts) != len(_WORDS) + 1:
        shape = "-".join(f"<{axis}>" for axis, _ in _WORDS)
        raise CaseError(f"a spelled-out id reads {FAMILY}-{shape}-<step>,<step>,...")
    for word, (axis, accepted) in zip(parts, _WORDS):
        one_of(word, accepted, axis)
    affine, track, momentum, lane, shape, dtype, program = parts
    variant = Variant(lane, shape, dtype, **values)
    found = case((affine, track, momentum), variant, parse_program(program))
    _check_batches(found)
    return found


def names_own(case: Case) -> bool:
    """Whether the program names the batch of a user's file."""
    steps = [each for step in case.steps for each in forwards(step)]
    return any(each.batch.partition(".")[0] == OWN for each in steps)


def with_own(case: Case, own: Given) -> Case:
    """Return the case with the batch of a user's file, on a module with as many channels."""
    return dataclasses.replace(
        case,
        config=dataclasses.replace(case.config, num_features=own.shape[1]),
        variant=case.variant._replace(given=(own,)),
    )


def differentiable(steps: Sequence[Step], dtype: str) -> Iterator[Step]:
    """Return the steps without those that differentiate before the first forward.

    Derivatives that are specified for wide dtypes alone are kept only for those.
    """
    called = False
    for step in steps:
        called = called or (bool(forwards(step)) and not isinstance(step, CALLING))
        if isinstance(step, OF_WIDE_DTYPES) and dtype not in WIDE:
            continue
        if called or not isinstance(step, DIFFERENTIATING):
            yield step


def _check_batches(case: Case) -> None:
    """Raise CaseError for an unknown batch or gradient, and for a backward before the first forward.

    Of a series, only the first batch is checked.
    """
    given: Optional[Batch] = None
    variant = case.variant
    if names_own(case):  # the file is named on the command line, not in the id
        channels = variant.channels
        stand_in = Given(OWN, (1, channels, 1, 1), "float32", bytes(4 * channels))
        variant = with_own(case, stand_in).variant
    for step in case.steps:
        called = given
        for each in forwards(step)[:1]:
            called = batch(variant, each.batch)
            if not isinstance(step, CALLING):  # a forward of other than four dimensions has no output
                given = called if called.values.ndim == 4 else given or batch(variant, "b0")
        if isinstance(step, DIFFERENTIATING) and given is None:
            raise CaseError(f"{token(step)!r} needs a forward before it")
        narrow = variant.dtype not in WIDE or (called is not None and called.dtype in NARROW)
        if isinstance(step, OF_WIDE_DTYPES) and narrow:
            raise CaseError(f"{token(step)!r} needs one of the dtypes {', '.join(WIDE)}")
        for field in GRADIENTS_OF_A_STEP:
            if called is not None and hasattr(step, field):
                upstream(variant, called, getattr(step, field))
