"""Cases whose program stands in the id, step by step: what random exploration finds.

``steps-<affine>-<track>-<momentum>-<lane>-<shape>-<dtype>-<step>,<step>,...``
"""

from __future__ import annotations

import sys
from typing import Tuple

from cases.case import Case
from cases.construction import AFFINE, MOMENTUM, TRACK, config
from cases.errors import CaseError
from cases.steps import Count, SetAttribute, Step, forwards, parse_program, spell, token
from cases.variants import DTYPES, LANES, SHAPES, Variant

FAMILY = "steps"

_WORDS = (
    ("affine", tuple(AFFINE)),
    ("track", tuple(TRACK)),
    ("momentum", tuple(MOMENTUM)),
    ("lane", LANES),
    ("shape", tuple(SHAPES)),
    ("dtype", DTYPES),
)

Construction = Tuple[str, str, str]

LARGEST_COUNT = 2**63 - 1
"""Of an int64, as num_batches_tracked is one."""


def case(construction: Construction, variant: Variant, steps: Tuple[Step, ...]) -> Case:
    """The case that performs ``steps`` on a module constructed as the three words say."""
    words = (FAMILY,) + construction + (variant.lane, variant.shape, variant.dtype)
    affine, track, momentum = construction
    return Case(
        id="-".join(words + (spell(steps),)),
        behaviour="spelled_out",
        config=config(affine, track, momentum, variant.channels),
        steps=steps,
        variant=variant,
    )


def find(case_id: str) -> Case:
    """The case with this id; raises CaseError and says what is accepted."""
    parts = case_id.split("-", len(_WORDS) + 1)[1:]
    if len(parts) != len(_WORDS) + 1:
        shape = "-".join(axis for axis, _ in _WORDS)
        raise CaseError(f"a spelled-out id reads {FAMILY}-{shape}-<step>,<step>,...")
    for word, (axis, accepted) in zip(parts, _WORDS):
        if word not in accepted:
            raise CaseError(f"{word!r} is no {axis}; accepted: {', '.join(accepted)}")
    affine, track, momentum, lane, shape, dtype, program = parts
    found = case((affine, track, momentum), Variant(lane, shape, dtype), parse_program(program))
    _check_numbers(found)
    _check_batches(found)
    return found


def _check_numbers(case: Case) -> None:
    """Raises CaseError for a whole number that no float64, or no counter, can be."""
    for step in case.steps:
        value = step.value if isinstance(step, (SetAttribute, Count)) else None
        largest = LARGEST_COUNT if isinstance(step, Count) else int(sys.float_info.max)
        if isinstance(value, int) and not -largest - 1 <= value <= largest:
            verb = token(step).rpartition(":")[0]
            raise CaseError(f"{verb!r} takes whole numbers of up to {float(largest):.3g}")


def _check_batches(case: Case) -> None:
    """Raises CaseError for a batch that there is not; of a series, the first stands for all."""
    from cases.inputs import batch  # NumPy takes its time, and other ids do without

    for step in case.steps:
        for each in forwards(step)[:1]:
            batch(case.variant, each.batch)
