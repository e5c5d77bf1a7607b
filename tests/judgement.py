"""Judges an array that a subject returned against the values and budgets that the oracle expects.

The judgement of the same bytes against the same expectation is remembered: cases share inputs, so
most arrays come back bit for bit as they were judged before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, Iterable, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from oracle.normalisation import ExpectedOutput
from oracle.statistics import Quantity

BUDGETED = ("output", "running_mean", "running_var")
"""The quantities that have budgets."""
LARGE = 1 << 16
"""Bytes from which an output is judged in parts, and remembered by a hash of its bytes."""
REMEMBERED = 2048
"""Outputs of either kind whose judgement is remembered."""

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


def hull(pairs: Iterable[Extremes]) -> Extremes:
    """From the smallest to the largest of them all."""
    lows, highs = zip(*pairs)
    return min(lows), max(highs)


class Margins(NamedTuple):
    """How close a quantity came to its budgets: over all arrays, what a Judgement says of one."""

    share: Extremes
    ulps: Extremes
    detectable: float


def margins(judgements: Sequence[Judgement]) -> Margins:
    """Of arrays that agree; those without a budget do not count as detecting anything."""
    return Margins(
        hull([ZERO, *(each.share for each in judgements)]),
        hull([ZERO, *(each.ulps for each in judgements)]),
        min((each.detectable for each in judgements if not each.exact), default=math.inf),
    )


def _extremes(values: np.ndarray) -> Extremes:
    low, high = (float(values.min()), float(values.max())) if values.size else ZERO
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    return _extremes(values[np.isfinite(values)])


def _ulp(want: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The unit in the last place of each finite value, in ``dtype``; float64."""
    info = np.finfo(dtype)
    exponent = np.frexp(np.abs(want))[1]
    return np.asarray(np.ldexp(float(info.eps), np.maximum(exponent - 1, info.minexp)))


def judge(quantity: str, got: np.ndarray, want: np.ndarray, budget: np.ndarray) -> Judgement:
    """Compares element by element. NaN equals NaN, and an infinity itself, only where expected.

    ``got``: the subject's array in its own dtype; ``want``, ``budget``: float64, same shape.
    """
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        size = np.abs(want)
        largest = np.finfo(got.dtype).max
        finite = bool((size <= largest).all())
        if not finite:
            # Beyond the dtype's range the correctly rounded value is an infinity.
            want = np.where(size > largest, np.copysign(np.inf, want), want)
        error = got - want
        within = np.abs(error) <= budget
        if not finite:
            # An infinity has an infinite budget: it is compared for equality.
            within &= ~np.isinf(want)
        if not within.all():
            wrong = ~within & ~((got == want) | (np.isnan(got) & np.isnan(want)))
            if wrong.any():
                return Judgement(_worst(quantity, got, want, budget, error, wrong))
        # An error within a zero budget is zero; 0/0 is left out by _extremes.
        share = _extremes(error / budget)
        ulps = ZERO if share == ZERO else _extremes(error / _ulp(want, got.dtype))
        relative = budget / size
        relative[~(size > 0) | np.isnan(budget)] = np.inf
        return Judgement(None, share, ulps, float(relative.min(initial=np.inf)), not budget.any())


def _worst(
    quantity: str,
    got: np.ndarray,
    want: np.ndarray,
    budget: np.ndarray,
    error: np.ndarray,
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
        float(error[index] / _ulp(want[index], got.dtype)) if np.isfinite(want[index]) else math.nan,
        int(wrong.sum()),
    )


def _judge_samples(expected: ExpectedOutput, got: np.ndarray, samples: slice) -> Judgement:
    want = expected.values(samples)
    if expected.undetermined.any():
        want = np.where(expected.undetermined[:, None, None], got[samples], want)
    return judge("output", got[samples], want, expected.budget(want, samples))


def _judge_output(expected: ExpectedOutput, got: np.ndarray) -> Judgement:
    """Sample by sample when it is large: temporary arrays that leave the cache cost the most."""
    if got.nbytes > LARGE:
        parts = [_judge_samples(expected, got, slice(n, n + 1)) for n in range(len(got))]
        if all(part.mismatch is None for part in parts):
            return Judgement(
                None,
                hull(part.share for part in parts),
                hull(part.ulps for part in parts),
                min(part.detectable for part in parts),
                all(part.exact for part in parts),
            )
    return _judge_samples(expected, got, slice(None))


_LARGE_OUTPUTS: Dict[Tuple[ExpectedOutput, int], Judgement] = {}


def _remembered_large_output(expected: ExpectedOutput, got: np.ndarray) -> Judgement:
    """Python's 64-bit keyed hash stands for the bytes, which would be too many to keep."""
    key = (expected, hash(got.tobytes()))
    if key not in _LARGE_OUTPUTS:
        if len(_LARGE_OUTPUTS) >= REMEMBERED:
            _LARGE_OUTPUTS.clear()
        _LARGE_OUTPUTS[key] = _judge_output(expected, got)
    return _LARGE_OUTPUTS[key]


@lru_cache(maxsize=REMEMBERED)
def _remembered_output(expected: ExpectedOutput, got: bytes, dtype: str) -> Judgement:
    return _judge_output(expected, np.frombuffer(got, dtype=dtype).reshape(expected.shape))


@lru_cache(maxsize=16384)
def judge_vector(quantity: str, expected: Quantity, got: bytes, dtype: str) -> Judgement:
    """A buffer or parameter of the expected length, as bytes; ``dtype``: NumPy's character."""
    values = np.frombuffer(got, dtype=dtype)
    want = np.where(np.isinf(expected.budget), values, expected.value.high)
    return judge(quantity, values, want, expected.budget)


def judge_output(expected: ExpectedOutput, got: np.ndarray) -> Judgement:
    """An output of the expected shape, of any floating dtype."""
    if got.nbytes > LARGE:
        return _remembered_large_output(expected, got)
    return _remembered_output(expected, got.tobytes(), got.dtype.char)
