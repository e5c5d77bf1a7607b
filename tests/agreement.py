"""Whether a whole case is as expected, as nearly all are; told column by column, not step by step.

Says no more than yes or no: what differs, and where, is found step by step by ``tests.compare``.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import Dict, Optional, Sequence, Tuple, Union

from oracle.state import Counter, Expected, Slot
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
from tests.subject.observation import TENSORS, Observation, ObservedTensor

_STEP = EXCEPTION + STEP
_OUTPUT = {strides: names + OUTPUT_VALUES for strides, names in OUTPUT.items()}
_NO_SLOTS: Tuple[Union[None, Slot, Counter], ...] = (None,) * len(TENSORS)
_NOTHING_SEEN: Tuple[Optional[ObservedTensor], ...] = (None,) * len(TENSORS)
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
        if not raised_as_expected(expected.error, got.raised):
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
    before, seen_before = _NO_SLOTS, _NOTHING_SEEN
    there: Tuple[bool, ...] = (False,) * len(TENSORS)
    for expected, got in zip(expectations, observations):
        slots, seen = expected.state.tensors(), got.tensors
        if slots != before or seen != seen_before or got.same_objects != _ALL_THE_SAME:
            tensors = zip(TENSORS, slots, before, seen, seen_before, got.same_objects)
            for name, slot, earlier, tensor, seen_earlier, same in tensors:
                if slot is None or tensor is None:
                    if slot is not None or tensor is not None:
                        return False
                elif same is not kept(earlier, slot) or not (
                    (slot == earlier and tensor == seen_earlier)
                    or _tensor_agrees(name, slot, tensor, expected.state.dtype, tally)
                ):
                    return False
            before, seen_before = slots, seen
            there = tuple([slot is not None for slot in slots])
        counts[there] = counts.get(there, 0) + 1
    for present, count in counts.items():
        tally.count(_names_of(present), count)
    return True


def _tensor_agrees(
    name: str, slot: Union[Slot, Counter], tensor: ObservedTensor, dtype: str, tally: Tally
) -> bool:
    if tensor.facts is not expected_facts(slot, dtype):
        return False
    if isinstance(slot, Counter):
        return bool(tensor.values.tolist() == slot.value)
    judgement = judge_vector(name, slot.quantity, tensor.data, tensor.kind, tally.in_ulps)
    tally.judged(name, judgement)
    return judgement.mismatch is None


@lru_cache(maxsize=None)
def _names_of(there: Tuple[bool, ...]) -> Names:
    """All quantities of the tensors, given which are there."""
    names: Names = ()
    for place, present in enumerate(there):
        names += VALUES[place] + FACTS[place] if present else ABSENT[place]
    return names
