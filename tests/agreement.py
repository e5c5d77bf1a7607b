"""Whether a whole case is as expected, as nearly all are; told column by column, not step by step.

Says no more than yes or no: what differs, and where, is found step by step by ``tests.compare``.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import Dict, Optional, Sequence, Tuple

from oracle.state import Counter, Expected
from tests.compare import (
    ABSENT,
    COPY,
    EXCEPTION,
    FACTS,
    OUTPUT,
    OUTPUT_VALUES,
    SHOWN,
    STEP,
    VALUES,
    Names,
    Tally,
    expected_facts,
    kept,
    output_facts,
    raised_as_expected,
    same_values,
)
from tests.judgement import judge_output, judge_vector
from tests.subject.observation import TENSORS, Observation

_STEP = EXCEPTION + STEP
_OUTPUT = {strides: names + OUTPUT_VALUES for strides, names in OUTPUT.items()}
_NONE = (None,) * len(TENSORS)
_ALL_THE_SAME = (True,) * len(TENSORS)


def agreed(
    expectations: Sequence[Expected], observations: Sequence[Observation], in_ulps: bool
) -> Optional[Tally]:
    """What was compared, if all of it agrees; else None."""
    tally = Tally(in_ulps)
    agrees = (
        len(expectations) == len(observations)
        and _steps_agree(expectations, observations, tally)
        and _outputs_agree(expectations, observations, tally)
        and _tensors_agree(expectations, observations, tally)
    )
    return tally if agrees else None


def _steps_agree(
    expectations: Sequence[Expected], observations: Sequence[Observation], tally: Tally
) -> bool:
    """Exceptions, flags, and what only a few steps have."""
    for expected, got in zip(expectations, observations):
        if expected.error is not got.raised and not raised_as_expected(expected.error, got.raised):
            return False
        if got.input_changed or (expected.output is None) is not (got.output is None):
            return False
        if expected.copied:
            tally.count(COPY)
            if got.shared:
                return False
        if expected.shown is not None:
            tally.count(SHOWN)
            if got.shown != expected.shown:
                return False
    tally.count(_STEP, len(observations))
    return same_values(
        list(chain.from_iterable([got.flags for got in observations])),
        list(chain.from_iterable([expected.state.flags() for expected in expectations])),
    )


def _outputs_agree(
    expectations: Sequence[Expected], observations: Sequence[Observation], tally: Tally
) -> bool:
    for expected, got in zip(expectations, observations):
        output = expected.output
        if output is None or got.output is None:
            continue
        seen, wanted = output_facts(expected, output, got)
        if not same_values(seen, wanted):
            return False
        judgement = judge_output(output, got.output.values, tally.in_ulps)
        if judgement.mismatch is not None:
            return False
        tally.count(_OUTPUT[output.strides])
        tally.judged("output", judgement)
    return True


def _tensors_agree(
    expectations: Sequence[Expected], observations: Sequence[Observation], tally: Tally
) -> bool:
    """Most steps leave most tensors alone: what is expected and seen as before agrees as before."""
    counts: Dict[Tuple[bool, ...], int] = {}
    before, seen_before = _NONE, _NONE
    for expected, got in zip(expectations, observations):
        slots, seen, same = expected.state.tensors(), got.tensors, got.same_objects
        if slots != before or seen != seen_before or same != _ALL_THE_SAME:
            for place, slot in enumerate(slots):
                tensor = seen[place]
                if slot is None or tensor is None:
                    if slot is not tensor:
                        return False
                    continue
                if same[place] is not kept(before[place], slot):
                    return False
                if slot == before[place] and tensor == seen_before[place]:
                    continue
                if tensor.facts is not expected_facts(slot, expected.state.dtype):
                    return False
                if isinstance(slot, Counter):
                    if tensor.values.tolist() != slot.value:
                        return False
                    continue
                name = TENSORS[place]
                judgement = judge_vector(name, slot.quantity, tensor.data, tensor.kind, tally.in_ulps)
                if judgement.mismatch is not None:
                    return False
                tally.judged(name, judgement)
            before, seen_before = slots, seen
        there = tuple([slot is not None for slot in slots])
        counts[there] = counts.get(there, 0) + 1
    for there, count in counts.items():
        tally.count(_names_of(there), count)
    return True


@lru_cache(maxsize=None)
def _names_of(there: Tuple[bool, ...]) -> Names:
    """All quantities of the tensors, given which are there."""
    names: Names = ()
    for place, present in enumerate(there):
        names += VALUES[place] + FACTS[place] if present else ABSENT[place]
    return names
