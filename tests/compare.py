"""Finds where an observation disagrees with what the oracle expects. Raises nothing.

Numbers are judged against their budget; everything else must be equal.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import is_
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, Union

from oracle.normalisation import ExpectedOutput
from oracle.state import FLAGS, Counter, Expected, ExpectedError, Slot, State
from tests.arrays import judge_output, judge_vector
from tests.judgement import Judgement, Mismatch
from tests.subject.foreign import shown
from tests.subject.observation import (
    TENSORS,
    Observation,
    ObservedOutput,
    ObservedTensor,
    Raised,
    TensorFacts,
    tensor_facts,
)

Names = Tuple[str, ...]

FLOATING_KINDS = "efdg"
"""NumPy's characters of the dtypes whose values are judged."""

EXCEPTION: Names = ("exception",)
STEP: Names = ("input_changed", "output present", *FLAGS)
SHOWN: Names = ("shown",)
COPY: Names = ("memory shared with the original",)
OUTPUT: Dict[str, Names] = {
    strides: (
        "output_dtype",
        "output_shape",
        f"output_strides {strides}",
        "output_shares_input",
        "output_requires_grad",
        "earlier_output_changed",
    )
    for strides in ("contiguous", "channels_last")
}
FACTS: Sequence[Names] = [
    (
        f"{name} dtype",
        f"{name} shape",
        f"{name} requires_grad",
        f"{name} has a grad_fn",
        f"{name} is the same object",
    )
    for name in TENSORS
]
VALUES: Sequence[Names] = [(name,) for name in TENSORS]
ABSENT: Sequence[Names] = [(f"{name} present",) for name in TENSORS]
"""The quantities that are compared: of every step, of those that show or copy something, of outputs,
and of each tensor that is there or is not."""


def alike(got: Sequence[object], expected: Sequence[object]) -> bool:
    """Whether all are equal and of one type, one by one: of two lists, or of two tuples."""
    if all(map(is_, got, expected)):
        return True
    return got == expected and all(map(is_, map(type, got), map(type, expected)))


class Tally:
    """What one case compared and found, summed up when asked.

    ``in_ulps``: judgements also tell errors in units in the last place.
    """

    def __init__(self, in_ulps: bool = False) -> None:
        self.in_ulps = in_ulps
        self.mismatches: List[Mismatch] = []
        self._groups: Dict[Names, int] = {}
        self._judged: Dict[str, List[Judgement]] = {}

    def count(self, quantities: Names, times: int = 1) -> None:
        """These have been compared so many times more."""
        if times:
            self._groups[quantities] = self._groups.get(quantities, 0) + times

    def same(
        self, quantities: Names, got: Sequence[object], expected: Sequence[object], times: int = 1
    ) -> bool:
        """Compares what must be equal and of one type, and counts that; whether it all is so.

        ``got`` and ``expected``: of all ``quantities``, so many times, in one order.
        """
        self.count(quantities, times)
        return alike(got, expected)

    def equal(self, quantities: Names, got: Sequence[object], expected: Sequence[object]) -> None:
        """The same, and each that differs is named."""
        if self.same(quantities, got, expected):
            return
        for quantity, a, b in zip(quantities, got, expected):
            if type(a) is not type(b) or not (a == b or a != a != b):
                self.mismatches.append(Mismatch(quantity, (), shown(a), repr(b)))

    def judged(self, quantity: str, judgements: Sequence[Judgement], times: int) -> bool:
        """Takes what was found of arrays that were compared so often; whether there is no mismatch."""
        self.count((quantity,), times)
        self._judged.setdefault(quantity, []).extend(judgements)
        wrong = [each.mismatch for each in judgements if each.mismatch is not None]
        self.mismatches += wrong
        return not wrong

    def raised(self, expected: Optional[ExpectedError], raised: Optional[Raised]) -> bool:
        """Compares and counts an exception, or that there is none; whether it is as expected."""
        return self.all_raised((expected,), (raised,))

    def all_raised(
        self, expected: Sequence[Optional[ExpectedError]], raised: Sequence[Optional[Raised]]
    ) -> bool:
        """The same of many steps."""
        self.count(EXCEPTION, len(expected))
        return not (any(expected) or any(raised)) or all(map(_as_expected, expected, raised))

    @property
    def compared(self) -> Mapping[str, int]:
        """How often each quantity was compared."""
        return _summed(tuple(self._groups.items()))

    def agreeing(self) -> Dict[str, List[Judgement]]:
        """The judgements without a mismatch, each once."""
        agreeing = {}
        for name, judgements in self._judged.items():
            each_once = {id(each): each for each in judgements if each.mismatch is None}
            if each_once:
                agreeing[name] = list(each_once.values())
        return agreeing


def _as_expected(expected: Optional[ExpectedError], raised: Optional[Raised]) -> bool:
    if expected is None or raised is None:
        return expected is None and raised is None
    return raised.kind == expected.kind and _matches(expected.pattern, raised.message)


@lru_cache(maxsize=1024)
def _matches(pattern: str, message: str) -> bool:
    return re.search(pattern, message) is not None


@lru_cache(maxsize=4096)
def _summed(groups: Tuple[Tuple[Names, int], ...]) -> Mapping[str, int]:
    """Few programs differ in what is compared of them."""
    counts: Dict[str, int] = {}
    for names, count in groups:
        for name in names:
            counts[name] = counts.get(name, 0) + count
    return counts


Facts = Tuple[object, ...]


def output_facts(expected: ExpectedOutput, requires_grad: bool, seen: ObservedOutput) -> Facts:
    """What must be of an output, and what is seen of it, apart from its numbers."""
    wanted = expected.batch
    return (
        (expected.strides, wanted.dtype, wanted.values.shape, requires_grad)
        + (seen.values.shape,)
        + seen[1:]
    )


@lru_cache(maxsize=1024, typed=True)
def output_facts_agree(*facts: object) -> bool:
    """Whether all that is as it must be; ``facts``: as ``output_facts`` has them."""
    return alike(*_both_sides(*facts))


def _both_sides(
    strides: object,
    dtype: object,
    shape: object,
    requires_grad: object,
    seen_shape: object,
    seen_dtype: object,
    contiguous: object,
    channels_last: object,
    seen_requires_grad: object,
    shares_input: object,
) -> Tuple[Facts, Facts]:
    """Seen and wanted, in the order of OUTPUT."""
    as_expected = channels_last if strides == "channels_last" else contiguous
    return (
        (seen_dtype, seen_shape, as_expected, shares_input, seen_requires_grad),
        (dtype, shape, True, False, requires_grad),
    )


def expected_facts(expected: Union[Slot, Counter], dtype: str) -> TensorFacts:
    """What a tensor must be, apart from its numbers; ``dtype``: of the floating-point ones."""
    if isinstance(expected, Counter):
        return _COUNTER_FACTS
    return _slot_facts(dtype, expected.quantity.channels, expected.requires_grad)


_COUNTER_FACTS = tensor_facts("int64", (), False, False)


@lru_cache(maxsize=1024)
def _slot_facts(dtype: str, channels: int, requires_grad: bool) -> TensorFacts:
    return tensor_facts(dtype, (channels,), requires_grad, False)


def kept(before: Union[None, Slot, Counter], expected: Union[Slot, Counter]) -> bool:
    """Whether the tensor must be the same object as before the step."""
    return before is not None and before.identity is expected.identity


def compare_error(expected: Expected, got: Observation, tally: Tally) -> None:
    """Compares the exception, or that there is none."""
    wanted, raised = expected.error, got.raised
    if tally.raised(wanted, raised):
        return
    seen = "no exception" if raised is None else f"{raised.kind}: {raised.message.strip()}"
    expectation = "no exception" if wanted is None else f"{wanted.kind} matching {wanted.pattern!r}"
    tally.mismatches.append(Mismatch("exception", (), seen, expectation))


def _compare_output(
    expected: Expected, output: ExpectedOutput, got: Observation, tally: Tally
) -> None:
    assert got.output is not None
    seen, wanted = _both_sides(*output_facts(output, expected.requires_grad, got.output))
    tally.equal(OUTPUT[output.strides], (*seen, got.earlier_output_changed), (*wanted, False))
    values = got.output.values
    if values.shape == output.shape and values.dtype.kind == "f":
        tally.judged("output", [judge_output(output, values, tally.in_ulps)], 1)


def _compare_tensor(
    place: int,
    before: Union[None, Slot, Counter],
    expected: Union[None, Slot, Counter],
    got: Optional[ObservedTensor],
    same: bool,
    dtype: str,
    tally: Tally,
) -> None:
    """``same``: it is the same object as before the step."""
    if expected is None or got is None:
        tally.equal(ABSENT[place], (got is not None,), (expected is not None,))
        return
    facts = expected_facts(expected, dtype)
    tally.equal(FACTS[place], (*got.facts, same), (*facts, kept(before, expected)))
    if isinstance(expected, Counter):
        tally.equal(VALUES[place], (got.values.tolist(),), (expected.value,))
    elif got.facts.shape == facts.shape and got.kind in FLOATING_KINDS:
        name, quantity = TENSORS[place], expected.quantity
        tally.judged(name, [judge_vector(name, quantity, got.data, got.kind, tally.in_ulps)], 1)


def compare(before: Optional[State], expected: Expected, got: Observation, tally: Tally) -> None:
    """Compares one step's observation in full; ``before`` is the state before the step."""
    output, state = expected.output, expected.state
    compare_error(expected, got, tally)
    tally.equal(
        STEP,
        (got.input_changed, got.output is not None, *got.flags),
        (False, output is not None, *state.flags()),
    )
    if output is not None and got.output is not None:
        _compare_output(expected, output, got, tally)
    slots = state.tensors()
    earlier = (None,) * len(slots) if before is None else before.tensors()
    for place, tensor in enumerate(got.tensors):
        same = got.same_objects[place]
        _compare_tensor(place, earlier[place], slots[place], tensor, same, state.dtype, tally)
    if expected.shown is not None:
        tally.equal(SHOWN, (got.shown,), (expected.shown,))
    if expected.copied:
        tally.equal(COPY, (got.shared,), ((),))
