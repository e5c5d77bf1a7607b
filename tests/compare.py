"""Finds where an observation disagrees with what the oracle expects. Raises nothing.

Numbers are judged against their budget; everything else must be equal.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import is_
from typing import Dict, Iterable, List, Optional, Tuple, Union

from oracle.normalisation import ExpectedOutput
from oracle.state import FLAGS, Counter, Expected, Slot, State
from tests.judgement import (
    Judgement,
    Mismatch,
    judge_output,
    judge_vector,
)
from tests.subject.observation import TENSORS, Observation, ObservedOutput, ObservedTensor

Names = Tuple[str, ...]
Slots = Tuple[Union[None, Slot, Counter], ...]

FLOATING_KINDS = "efdg"
"""NumPy's characters of the dtypes whose values are judged."""


class Tally:
    """What one case compared and found; filled in step by step, summed up when asked.

    ``in_ulps``: judgements also tell errors in units in the last place.
    """

    def __init__(self, in_ulps: bool = True) -> None:
        self.in_ulps = in_ulps
        self.mismatches: List[Mismatch] = []
        self._groups: Dict[Names, int] = {}
        self._judged: List[Tuple[str, Judgement]] = []
        self._last: Tuple[Slots, Tuple[Optional[ObservedTensor], ...]] = ((), ())

    def equal(self, quantities: Names, got: Tuple[object, ...], expected: Tuple[object, ...]) -> None:
        """Counts a comparison of values that must be equal, and of one type, in the order of
        ``quantities``; each that is not is named."""
        self._count(quantities)
        if all(map(is_, got, expected)):
            return
        if got == expected and list(map(type, got)) == list(map(type, expected)):
            return
        for quantity, a, b in zip(quantities, got, expected):
            if type(a) is not type(b) or not (a == b or a != a != b):
                self.mismatches.append(Mismatch(quantity, (), repr(a), repr(b)))

    def judged(self, quantity: str, judgement: Judgement) -> None:
        """Counts the comparison of an array."""
        self._judged.append((quantity, judgement))
        if judgement.mismatch is not None:
            self.mismatches.append(judgement.mismatch)

    def disagreeing(
        self, expected: Slots, got: Tuple[Optional[ObservedTensor], ...], same: Tuple[bool, ...]
    ) -> Iterable[int]:
        """The places of the tensors that may not agree. The others are expected and seen just as
        they were when last compared: so they agree now, too, and are counted. Most steps leave
        most tensors alone.

        ``same``: each is the same object as before, as it must be when the oracle's is.
        """
        wanted, seen = self._last
        self._last = (expected, got)
        if same == _ALL and got == seen and all(map(is_, expected, wanted)):
            self._count(_names_of(tuple([each is not None for each in expected])))
            return ()
        if not wanted:
            return range(len(TENSORS))
        places = []
        for place, slot in enumerate(expected):
            if same[place] and slot is wanted[place] and got[place] == seen[place]:
                self._count(_WHOLE[place] if slot is not None else _ABSENT[place])
            else:
                places.append(place)
        return places

    def _count(self, names: Names) -> None:
        self._groups[names] = self._groups.get(names, 0) + 1

    @property
    def compared(self) -> Dict[str, int]:
        """How often each quantity was compared."""
        counts: Dict[str, int] = {}
        for names, count in self._groups.items():
            for name in names:
                counts[name] = counts.get(name, 0) + count
        for name, _ in self._judged:
            counts[name] = counts.get(name, 0) + 1
        return counts

    def agreeing(self) -> Dict[str, List[Judgement]]:
        """The judgements without a mismatch, each once."""
        found: Dict[str, Dict[int, Judgement]] = {}
        for name, judgement in self._judged:
            if judgement.mismatch is None:
                found.setdefault(name, {})[id(judgement)] = judgement
        return {name: list(each.values()) for name, each in found.items()}


_OUTPUT: Dict[str, Names] = {
    strides: (
        "output_dtype",
        "output_shape",
        f"output_strides {strides}",
        "output_shares_input",
        "output_requires_grad",
    )
    for strides in ("contiguous", "channels_last")
}
_TENSOR: Dict[str, Names] = {
    name: (
        f"{name} dtype",
        f"{name} shape",
        f"{name} requires_grad",
        f"{name} has a grad_fn",
        f"{name} is the same object",
    )
    for name in TENSORS
}
_PRESENT: Dict[str, Names] = {name: (f"{name} present",) for name in TENSORS}
_VALUE: Dict[str, Names] = {name: (name,) for name in TENSORS}
_STEP = ("input_changed", "output present", *FLAGS)
_PLAIN_STEP = ("exception", *_STEP)
_ALL = (True,) * len(TENSORS)


_ABSENT = [_PRESENT[name] for name in TENSORS]
_WHOLE = [(name, *_TENSOR[name]) for name in TENSORS]


@lru_cache(maxsize=None)
def _names_of(present: Tuple[bool, ...]) -> Names:
    """All quantities of the tensors, given which are there."""
    return sum((_WHOLE[n] if there else _ABSENT[n] for n, there in enumerate(present)), ())


_EARLIER = ("earlier_output_changed",)
_SHOWN = ("shown",)
_COPY = ("memory shared with the original",)


def _compare_output(
    expected: Expected, output: ExpectedOutput, got: ObservedOutput, tally: Tally
) -> None:
    shape, strides = output.shape, output.strides
    tally.equal(
        _OUTPUT[strides],
        (
            got.dtype,
            got.values.shape,
            got.channels_last if strides == "channels_last" else got.contiguous,
            got.shares_input,
            got.requires_grad,
        ),
        (output.dtype, shape, True, False, expected.requires_grad),
    )
    if got.values.shape != shape or got.values.dtype.kind != "f":
        return
    tally.judged("output", judge_output(output, got.values, tally.in_ulps))


def _compare_tensor(
    name: str,
    expected: Union[None, Slot, Counter],
    before: Union[None, Slot, Counter],
    got: Optional[ObservedTensor],
    same: bool,
    dtype: str,
    tally: Tally,
) -> None:
    if expected is None or got is None:
        tally.equal(_PRESENT[name], (got is not None,), (expected is not None,))
        return
    facts = (got.dtype, got.shape, got.requires_grad, got.has_grad_fn, same)
    kept = before is not None and before.identity is expected.identity
    if isinstance(expected, Counter):
        tally.equal(_TENSOR[name], facts, ("int64", (), False, False, kept))
        tally.equal(_VALUE[name], (got.values.tolist(),), (expected.value,))
        return
    shape = (expected.quantity.channels,)
    tally.equal(_TENSOR[name], facts, (dtype, shape, expected.requires_grad, False, kept))
    if got.shape == shape and got.kind in FLOATING_KINDS:
        quantity, in_ulps = expected.quantity, tally.in_ulps
        tally.judged(name, judge_vector(name, quantity, got.data, got.kind, in_ulps))


_EXCEPTION = ("exception",)
_JUDGED_HERE = ((True,), (True,))


def compare_error(expected: Expected, got: Observation, tally: Tally) -> None:
    """Compares the exception, or that there is none."""
    tally.equal(_EXCEPTION, *_JUDGED_HERE)
    wanted, raised = expected.error, got.raised
    if wanted is None and raised is None:
        return
    shown = "no exception" if raised is None else f"{raised.kind}: {raised.message.strip()}"
    if wanted is None:
        tally.mismatches.append(Mismatch("exception", (), shown, "no exception"))
    elif (
        raised is None
        or raised.kind != wanted.kind
        or not re.search(wanted.pattern, raised.message)
    ):
        expectation = f"{wanted.kind} matching {wanted.pattern!r}"
        tally.mismatches.append(Mismatch("exception", (), shown, expectation))


def compare(before: Optional[State], expected: Expected, got: Observation, tally: Tally) -> None:
    """Compares one step's observation in full; ``before`` is the state before the step."""
    output, state = expected.output, expected.state
    seen = (got.input_changed, got.output is not None, *got.flags)
    wanted = (False, output is not None, *state.flags())
    if expected.error is None and got.raised is None:
        tally.equal(_PLAIN_STEP, (None, *seen), (None, *wanted))
    else:
        compare_error(expected, got, tally)
        tally.equal(_STEP, seen, wanted)
    if output is not None and got.output is not None:
        _compare_output(expected, output, got.output, tally)
        tally.equal(_EARLIER, (got.earlier_output_changed,), (False,))
    slots = state.tensors()
    for place in tally.disagreeing(slots, got.tensors, got.same_objects):
        previous = None if before is None else before.tensor(TENSORS[place])
        tensor, same = got.tensors[place], got.same_objects[place]
        _compare_tensor(TENSORS[place], slots[place], previous, tensor, same, state.dtype, tally)
    if expected.shown is not None:
        tally.equal(_SHOWN, (got.shown,), (expected.shown,))
    if expected.copied:
        tally.equal(_COPY, (got.shared,), ((),))
