"""Whether a whole case is as expected, as nearly all are.

Says no more than yes or no: what differs, and where, is found step by step by ``tests.compare``. Here
each thing is compared in all steps at once, and a tensor only where a step has touched it.
"""

from __future__ import annotations

import sys
from itertools import chain, compress, count
from operator import and_, is_, not_
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Union

from cases.steps import Value
from oracle.normalisation import ExpectedOutput
from oracle.state import Counter, Expected, ExpectedError, Slot
from tests.arrays import judge_output, judge_vector
from tests.compare import (
    ABSENT,
    COPY,
    FACTS,
    FLOATING_KINDS,
    OUTPUT,
    SHOWN,
    STEP,
    VALUES,
    Names,
    Tally,
    alike,
    expected_facts,
    kept,
    output_facts,
    output_facts_agree,
)
from tests.judgement import Judgement
from tests.subject.observation import TENSORS, Observation, ObservedOutput, ObservedTensor

_FLOATING = tuple(place for place, name in enumerate(TENSORS) if name != "num_batches_tracked")
"""Of TENSORS those with numbers to judge."""

Column = Sequence[Any]
"""One thing after construction and after every step."""


class Columns(NamedTuple):
    """What must be shown, thing by thing: the fields of Expected, and of its State.

    ``flags`` and ``slots``: the columns of all FLAGS and of all TENSORS, end to end. ``absent``: of each
    of TENSORS, after how many steps there is none.
    """

    outputs: Sequence[Optional[ExpectedOutput]]
    errors: Sequence[Optional[ExpectedError]]
    requires_grad: Sequence[bool]
    copied: Sequence[bool]
    switches: Sequence[Tuple[str, ...]]
    shown: Sequence[Optional[str]]
    dtype: str
    flags: Sequence[Value]
    slots: Sequence[Union[None, Slot, Counter]]
    absent: Tuple[int, ...]

    @classmethod
    def of(cls, expectations: Sequence[Expected]) -> Columns:
        """Of construction and all steps."""
        states, outputs, errors, requires_grad, copied, switches, shown = zip(*expectations)
        # config, dtype, FLAGS, TENSORS, parameters
        _, (dtype, *_), *fields, _ = zip(*states)
        flags, slots = fields[: -len(TENSORS)], fields[-len(TENSORS) :]
        return cls(
            outputs,
            errors,
            requires_grad,
            copied,
            switches,
            shown,
            dtype,
            _end_to_end(flags),
            _end_to_end(slots),
            tuple([column.count(None) for column in slots]),
        )


def _end_to_end(columns: Iterable[Column]) -> List[Any]:
    return list(chain.from_iterable(columns))


def agreed(expected: Columns, observations: Sequence[Observation], in_ulps: bool) -> Optional[Tally]:
    """What was compared, if all of it agrees; else None."""
    steps = len(expected.outputs)
    if steps != len(observations):
        return None
    outputs, raised, tensors, same, flags, changed, shared, overwritten, shown = zip(*observations)
    tally = Tally(in_ulps)
    agrees = (
        tally.all_raised(expected.errors, raised)
        and not any(changed)
        and _present(outputs) == _present(expected.outputs)
        and tally.same(STEP, _end_to_end(zip(*flags)), expected.flags, steps)
        and _asked_agree(COPY, expected.copied, ((),) * steps, shared, tally)
        and _asked_agree(SHOWN, _present(expected.shown), expected.shown, shown, tally)
        and _outputs_agree(expected, outputs, overwritten, tally)
        and _tensors_agree(expected, _end_to_end(zip(*tensors)), _end_to_end(zip(*same)), tally)
    )
    return tally if agrees else None


def _present(column: Column) -> Sequence[bool]:
    return [each is not None for each in column]


def _asked_agree(
    quantities: Names, asked: Sequence[bool], wanted: Column, got: Column, tally: Tally
) -> bool:
    """What only a few steps ask for."""
    if True not in asked:
        return True
    pairs = list(compress(got, asked)), list(compress(wanted, asked))
    return tally.same(quantities, *pairs, asked.count(True))


def _outputs_agree(
    expected: Columns,
    seen_outputs: Sequence[Optional[ObservedOutput]],
    overwritten: Sequence[bool],
    tally: Tally,
) -> bool:
    """Outputs where both are: that there are as many has been compared."""
    judgements: List[Judgement] = []
    rows = zip(expected.outputs, expected.requires_grad, seen_outputs, overwritten)
    for output, requires_grad, seen, earlier_changed in rows:
        if output is None or seen is None:
            continue
        if earlier_changed or not output_facts_agree(*output_facts(output, requires_grad, seen)):
            return False
        tally.count(OUTPUT[output.strides])
        judgements.append(judge_output(output, seen.values, tally.in_ulps))
    return tally.judged("output", judgements, len(judgements))


def _tensors_agree(
    expected: Columns,
    tensors: Sequence[Optional[ObservedTensor]],
    same: Sequence[bool],
    tally: Tally,
) -> bool:
    """Columns end to end. What is expected and seen as in the step before agrees as it did there."""
    steps, slots = len(expected.outputs), expected.slots
    left_alone = _left_alone(slots, tensors, same)
    there, missing = [0] * len(TENSORS), [0] * len(TENSORS)
    judgements: Dict[int, List[Judgement]] = {place: [] for place in _FLOATING}
    for index in compress(count(), map(not_, left_alone)):
        slot, tensor = slots[index], tensors[index]
        place, step = divmod(index, steps)
        if slot is None or tensor is None:
            if slot is not None or tensor is not None:
                return False
            missing[place] += 1
            continue
        facts = expected_facts(slot, expected.dtype)
        if tensor.facts is not facts and not alike(tensor.facts, facts):
            return False
        if same[index] is not kept(slots[index - 1] if step else None, slot):
            return False
        if isinstance(slot, Counter):
            if int.from_bytes(tensor.data, sys.byteorder, signed=True) != slot.value:
                return False
        elif tensor.kind not in FLOATING_KINDS:
            return False
        else:
            quantity, in_ulps = slot.quantity, tally.in_ulps
            judged = judge_vector(TENSORS[place], quantity, tensor.data, tensor.kind, in_ulps)
            judgements[place].append(judged)
        there[place] += 1
    for place, absent in enumerate(expected.absent):
        as_before = left_alone[place * steps : (place + 1) * steps].count(True)
        compared = there[place] + as_before - (absent - missing[place])
        tally.count(ABSENT[place], absent)
        tally.count(FACTS[place], compared)
        if place not in judgements:
            tally.count(VALUES[place], compared)
        elif not tally.judged(TENSORS[place], judgements[place], compared):
            return False
    return True


def _left_alone(slots: Column, tensors: Column, same: Column) -> List[bool]:
    """Where a tensor is, and is to be, what is one place before; nothing is before the first.

    At the border of two columns only None is identical, and where both are None that agrees as well.
    """
    identical = map(and_, map(is_, slots[1:], slots), map(is_, tensors[1:], tensors))
    return [False, *map(and_, identical, same[1:])]
