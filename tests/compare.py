"""Finds where an observation disagrees with what the oracle expects. Raises nothing.

Numbers are judged against their budget; everything else must be equal. The judgement of the
same bytes against the same expectation is remembered: cases share inputs, so most outputs come
back bit for bit as they were judged before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, List, NamedTuple, Optional, Tuple, Union

import numpy as np

from oracle.normalisation import ExpectedOutput
from oracle.state import FLAGS, Counter, Expected, Slot, State
from oracle.statistics import Quantity
from tests.subject.observation import TENSORS, Observation, ObservedOutput, ObservedTensor

BUDGETED = ("output", "running_mean", "running_var")
REMEMBERED_BYTES = 1 << 16
"""Arrays up to this size have their judgements remembered."""

_DTYPES = {name: np.dtype(name) for name in ("float32", "float64")}

Extremes = Tuple[float, float]
ZERO: Extremes = (0.0, 0.0)


@dataclass(frozen=True)
class Mismatch:
    """One disagreement: what was compared, where, and by how much.

    ``index`` is empty for a quantity that is not an array. ``error``, ``budget`` (absolute) and
    ``ulps`` (of the expected value in the subject's dtype) are None where there is no number.
    """

    quantity: str
    index: Tuple[int, ...]
    got: str
    expected: str
    error: Optional[float] = None
    budget: Optional[float] = None
    ulps: Optional[float] = None
    count: int = 1


class Judgement(NamedTuple):
    """An array against its expectation: a mismatch, or how close it came.

    ``share`` and ``ulps``: smallest and largest signed error over all elements, as a part of the
    budget and in units in the last place. ``detectable``: the smallest relative error of the whole
    array that its budget detects, infinite where every finite element is 0. ``exact``: no element had a
    budget.
    """

    mismatch: Optional[Mismatch]
    share: Extremes = ZERO
    ulps: Extremes = ZERO
    detectable: float = 0.0
    exact: bool = False


def _extremes(values: np.ndarray) -> Extremes:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else ZERO


def judge(quantity: str, got: np.ndarray, want: np.ndarray, budget: np.ndarray) -> Judgement:
    """Compares element by element. NaN equals NaN, and an infinity itself, only where expected.

    ``got``: the subject's array in its own dtype; ``want``, ``budget``: float64, same shape.
    """
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        largest = np.finfo(got.dtype).max
        if (np.abs(want) > largest).any():
            # Beyond the dtype's range the correctly rounded value is an infinity.
            want = np.where(np.abs(want) > largest, np.copysign(np.inf, want), want)
        error = got.astype(np.float64) - want
        # An infinity has an infinite budget: it is compared for equality.
        wrong = ~(np.abs(error) <= budget) | np.isinf(want)
        if wrong.any():
            wrong &= ~((got == want) | (np.isnan(got) & np.isnan(want)))
        ulps = error / np.spacing(np.abs(want).astype(got.dtype)).astype(np.float64)
        # An error within a zero budget is zero; 0/0 is left out by _extremes.
        share = error / budget
        if wrong.any():
            return Judgement(_worst(quantity, got, want, budget, error, ulps, wrong))
        relative = budget / np.abs(want)
        finite = relative[np.isfinite(relative)]
        detectable = float(finite.min()) if finite.size else np.inf
        return Judgement(
            None, _extremes(share), _extremes(ulps), detectable, not budget.any()
        )


def _worst(
    quantity: str,
    got: np.ndarray,
    want: np.ndarray,
    budget: np.ndarray,
    error: np.ndarray,
    ulps: np.ndarray,
    wrong: np.ndarray,
) -> Mismatch:
    excess = np.where(wrong, np.abs(error) / np.maximum(budget, np.finfo(np.float64).tiny), -1.0)
    excess[wrong & ~np.isfinite(excess)] = np.inf
    index = np.unravel_index(int(np.argmax(excess)), excess.shape)
    return Mismatch(
        quantity,
        tuple(int(i) for i in index),
        repr(got[index].item()),
        repr(float(want[index])),
        float(error[index]),
        float(budget[index]),
        float(ulps[index]),
        int(wrong.sum()),
    )


def _judge_output(expected: ExpectedOutput, got: np.ndarray) -> Judgement:
    want = expected.values()
    if expected.undetermined.any():
        want = np.where(expected.undetermined[:, None, None], got, want)
    return judge("output", got, want, expected.budget(want))


@lru_cache(maxsize=2048)
def _remembered_output(expected: ExpectedOutput, got: bytes, dtype: str) -> Judgement:
    return _judge_output(expected, np.frombuffer(got, dtype=dtype).reshape(expected.shape))


@lru_cache(maxsize=16384)
def _remembered_vector(quantity: str, expected: Quantity, got: bytes, dtype: str) -> Judgement:
    values = np.frombuffer(got, dtype=dtype)
    want = np.where(np.isinf(expected.budget), values, expected.value.high)
    return judge(quantity, values, want, expected.budget)


class Tally:
    """What one case compared and found; filled in step by step.

    ``compared``: how often each quantity was. ``share``, ``ulps``, ``detectable``: of each budgeted
    quantity, over all its comparisons. ``exact``: arrays that had to be and were bit-equal.
    """

    def __init__(self) -> None:
        self.compared: Dict[str, int] = {}
        self.share: Dict[str, Extremes] = {}
        self.ulps: Dict[str, Extremes] = {}
        self.detectable: Dict[str, float] = {}
        self.exact = 0
        self.mismatches: List[Mismatch] = []

    def equal(self, quantity: str, got: object, expected: object) -> None:
        """Counts a comparison of values that must be equal, and of one type."""
        self.compared[quantity] = self.compared.get(quantity, 0) + 1
        if type(got) is not type(expected) or not (got == expected or got != got != expected):
            self.mismatches.append(Mismatch(quantity, (), repr(got), repr(expected)))

    def judged(self, quantity: str, judgement: Judgement) -> None:
        """Counts the comparison of an array."""
        self.compared[quantity] = self.compared.get(quantity, 0) + 1
        if judgement.mismatch is not None:
            self.mismatches.append(judgement.mismatch)
            return
        self.exact += judgement.exact
        self._widen(self.share, quantity, judgement.share)
        self._widen(self.ulps, quantity, judgement.ulps)
        if not judgement.exact and judgement.detectable < np.inf:
            known = self.detectable.get(quantity, np.inf)
            self.detectable[quantity] = min(known, judgement.detectable)

    @staticmethod
    def _widen(table: Dict[str, Extremes], quantity: str, extremes: Extremes) -> None:
        low, high = table.get(quantity, ZERO)
        if extremes[0] < low or extremes[1] > high or quantity not in table:
            table[quantity] = (min(low, extremes[0]), max(high, extremes[1]))


def _compare_output(expected: ExpectedOutput, got: ObservedOutput, tally: Tally) -> None:
    tally.equal("output_dtype", str(got.values.dtype), expected.dtype)
    tally.equal("output_shape", got.values.shape, expected.shape)
    strides = got.channels_last if expected.strides == "channels_last" else got.contiguous
    tally.equal(f"output_strides {expected.strides}", strides, True)
    tally.equal("output_shares_input", got.shares_input, False)
    if got.values.shape != expected.shape or got.values.dtype.kind != "f":
        return
    if got.values.nbytes <= REMEMBERED_BYTES:
        data = got.values.tobytes()
        judgement = _remembered_output(expected, data, str(got.values.dtype))
    else:
        judgement = _judge_output(expected, got.values)
    tally.judged("output", judgement)


def _compare_tensor(
    name: str,
    expected: Union[None, Slot, Counter],
    before: Union[None, Slot, Counter],
    got: Optional[ObservedTensor],
    dtype: str,
    tally: Tally,
) -> None:
    if expected is None or got is None:
        tally.equal(f"{name} present", got is not None, expected is not None)
        return
    same = before is not None and before.identity is expected.identity
    tally.equal(f"{name} is the same object", got.same_object, same)
    tally.equal(f"{name} has a grad_fn", got.has_grad_fn, False)
    if isinstance(expected, Counter):
        tally.equal(f"{name} requires_grad", got.requires_grad, False)
        tally.equal(f"{name} dtype", str(got.values.dtype), "int64")
        tally.equal(name, got.values.tolist(), expected.value)
        return
    tally.equal(f"{name} requires_grad", got.requires_grad, expected.requires_grad)
    found = got.values.dtype
    # Named only when it is another: to name a dtype takes longer than all the rest.
    tally.equal(f"{name} dtype", dtype if found == _DTYPES[dtype] else str(found), dtype)
    if got.values.shape != expected.quantity.budget.shape or found.kind != "f":
        tally.equal(f"{name} shape", got.values.shape, expected.quantity.budget.shape)
        return
    tally.judged(
        name, _remembered_vector(name, expected.quantity, got.values.tobytes(), found.char)
    )


def compare_error(expected: Expected, got: Observation, tally: Tally) -> None:
    """Compares the exception, or that there is none."""
    tally.compared["exception"] = tally.compared.get("exception", 0) + 1
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
    compare_error(expected, got, tally)
    tally.equal("input_changed", got.input_changed, False)
    if expected.output is not None and got.output is not None:
        _compare_output(expected.output, got.output, tally)
        tally.equal("output_requires_grad", got.output.requires_grad, expected.requires_grad)
        tally.equal("earlier_output_changed", got.earlier_output_changed, False)
    elif expected.output is not None or got.output is not None:
        tally.equal("output present", got.output is not None, expected.output is not None)
    state = expected.state
    for name, tensor in zip(TENSORS, got.tensors):
        previous = None if before is None else before.tensor(name)
        _compare_tensor(name, state.tensor(name), previous, tensor, state.dtype, tally)
    for name, flag in zip(FLAGS, got.flags):
        tally.equal(name, flag, getattr(state, name))
    if expected.shown is not None:
        tally.equal("shown", got.shown, expected.shown)
    if expected.copied:
        tally.equal("memory shared with the original", got.shared, ())
