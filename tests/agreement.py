"""Whether a whole case is as expected, as nearly all are.

Says no more than yes or no: what differs, and where, is found step by step by ``tests.compare``. What
is equal in every step is compared in one go, and what no step has touched is not compared again.
"""

from __future__ import annotations

import sys
from itertools import chain
from operator import is_
from typing import Optional, Sequence, Tuple, Union

from oracle.state import Counter, Expected, Slot
from tests.compare import (
    ABSENT,
    COPY,
    EXCEPTION,
    FACTS,
    FLOATING_KINDS,
    OUTPUT,
    SHOWN,
    STEP,
    VALUES,
    Names,
    Tally,
    expected_facts,
    kept,
    output_facts,
)
from tests.judgement import judge_output, judge_vector
from tests.subject.observation import TENSORS, Observation, ObservedTensor

_NO_SLOTS: Tuple[Union[None, Slot, Counter], ...] = (None,) * len(TENSORS)
_NOTHING_SEEN: Tuple[Optional[ObservedTensor], ...] = (None,) * len(TENSORS)
_ALL_THE_SAME = (True,) * len(TENSORS)
_WHOLE: Sequence[Names] = [value + facts for value, facts in zip(VALUES, FACTS)]
"""All that is compared of each tensor that is there."""


def agreed(
    expectations: Sequence[Expected], observations: Sequence[Observation], in_ulps: bool
) -> Optional[Tally]:
    """What was compared, if all of it agrees; else None."""
    tally = Tally(in_ulps)
    agrees = (
        len(expectations) == len(observations)
        and _exceptions_agree(expectations, observations, tally)
        and _flags_agree(expectations, observations, tally)
        and _outputs_agree(expectations, observations, tally)
        and _tensors_agree(expectations, observations, tally)
    )
    return tally if agrees else None


def _exceptions_agree(
    expectations: Sequence[Expected], observations: Sequence[Observation], tally: Tally
) -> bool:
    """Exceptions of all steps, and what only a few steps show."""
    wanted = [expected.error for expected in expectations]
    raised = [got.raised for got in observations]
    if not any(wanted):
        if not tally.same(EXCEPTION, raised, wanted, len(wanted)):
            return False
    elif not all(map(tally.raised, wanted, raised)):
        return False
    for expected, got in zip(expectations, observations):
        if expected.copied and not tally.same(COPY, (got.shared,), ((),)):
            return False
        if expected.shown is not None and not tally.same(SHOWN, (got.shown,), (expected.shown,)):
            return False
    return True


def _flags_agree(
    expectations: Sequence[Expected], observations: Sequence[Observation], tally: Tally
) -> bool:
    """All flags of all steps."""
    seen = [(got.input_changed, got.output is not None, *got.flags) for got in observations]
    wanted = [(False, each.output is not None, *each.state.flags()) for each in expectations]
    return tally.same(
        STEP, list(chain.from_iterable(seen)), list(chain.from_iterable(wanted)), len(observations)
    )


def _outputs_agree(
    expectations: Sequence[Expected], observations: Sequence[Observation], tally: Tally
) -> bool:
    for expected, got in zip(expectations, observations):
        output = expected.output
        if output is None or got.output is None:
            continue
        values = got.output.values
        if not tally.same(OUTPUT[output.strides], *output_facts(expected, output, got)):
            return False
        if values.dtype.kind != "f":
            return False
        if not tally.judged("output", judge_output(output, values, tally.in_ulps)):
            return False
    return True


def _tensors_agree(
    expectations: Sequence[Expected], observations: Sequence[Observation], tally: Tally
) -> bool:
    """Most steps leave most tensors alone: what is expected and seen as before agrees as before."""
    before, seen_before = _NO_SLOTS, _NOTHING_SEEN
    untouched = 0
    as_before = [0] * len(TENSORS)
    for step, (expected, got) in enumerate(zip(expectations, observations)):
        slots, seen = expected.state.tensors(), got.tensors
        as_were = slots == before and all(map(is_, seen, seen_before))
        if step and as_were and got.same_objects == _ALL_THE_SAME:
            untouched += 1
            continue
        _count_untouched(before, untouched, tally)
        untouched = 0
        for place, slot in enumerate(slots):
            tensor, same = seen[place], got.same_objects[place]
            if slot is None or tensor is None:
                if not tally.same(ABSENT[place], (tensor is not None,), (slot is not None,)):
                    return False
            elif same and tensor is seen_before[place] and slot == before[place]:
                as_before[place] += 1
            elif not _tensor_agrees(
                place, before[place], slot, tensor, same, expected.state.dtype, tally
            ):
                return False
        before, seen_before = slots, seen
    _count_untouched(before, untouched, tally)
    for place, times in enumerate(as_before):
        if times:
            tally.count(_WHOLE[place], times)
    return True


def _count_untouched(slots: Sequence[Union[None, Slot, Counter]], steps: int, tally: Tally) -> None:
    """So many steps that have touched no tensor."""
    if steps:
        for place, slot in enumerate(slots):
            tally.count(ABSENT[place] if slot is None else _WHOLE[place], steps)


def _tensor_agrees(
    place: int,
    before: Union[None, Slot, Counter],
    slot: Union[Slot, Counter],
    tensor: ObservedTensor,
    same: bool,
    dtype: str,
    tally: Tally,
) -> bool:
    facts = expected_facts(slot, dtype)
    if not tally.same(FACTS[place], (*tensor.facts, same), (*facts, kept(before, slot))):
        return False
    if isinstance(slot, Counter):
        value = int.from_bytes(tensor.data, sys.byteorder, signed=True)
        return tally.same(VALUES[place], (value,), (slot.value,))
    if tensor.kind not in FLOATING_KINDS:
        return False
    name = TENSORS[place]
    judgement = judge_vector(name, slot.quantity, tensor.data, tensor.kind, tally.in_ulps)
    return tally.judged(name, judgement)
