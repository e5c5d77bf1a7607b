"""Judges an array that a subject returned against the values and budgets that the oracle expects.

The last judgement against an expectation is remembered: cases share inputs, so most arrays come
back bit for bit as they were judged before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from oracle.bounds import Rounding
from oracle.normalisation import EVERYWHERE, LARGE, ExpectedOutput, Where, foresee
from oracle.quantity import Quantity
from tests.subject.observation import other_bytes

BUDGETED = ("output", "running_mean", "running_var")
"""The quantities that have budgets."""
SMALL_OUTPUTS, LARGE_OUTPUTS = 1024, 4
"""Expected outputs of up to LARGE elements, and larger ones, whose last judgement is remembered."""

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
    budget and, where that was asked for, in units in the last place. ``detectable``: the smallest
    relative error of the whole array that its budget detects, infinite where every finite element is
    0. ``exact``: no element had a budget.
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
    """The smallest and the largest; NaN when there is one among them."""
    return float(np.minimum.reduce(values, axis=None)), float(np.maximum.reduce(values, axis=None))


def _finite_extremes(values: np.ndarray) -> Extremes:
    finite = values[np.isfinite(values)]
    return _extremes(finite) if finite.size else ZERO


_EXPONENT = np.int64(0x7FF << 52)
"""The bits of a float64 that make the power of two at or below it."""


def _ulp(want: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The unit in the last place of each finite value, in ``dtype``; float64."""
    rounding = Rounding.of(dtype)
    eps = 2 * rounding.unit
    power = (want.view(np.int64) & _EXPONENT).view(np.float64)
    return np.asarray(np.maximum(power * eps, eps * rounding.tiny))


def judge(
    quantity: str,
    got: np.ndarray,
    want: np.ndarray,
    budget: np.ndarray,
    in_ulps: bool,
    detectable: Optional[float] = None,
) -> Judgement:
    """Compares element by element. NaN equals NaN, and an infinity itself, only where expected.

    ``got``: the subject's array in its own dtype; ``want``, ``budget``: float64, same shape.
    ``in_ulps``: also tell the error in units in the last place. ``detectable``: what ``_detectable``
    says, where that is known already.
    """
    if not want.size:
        return Judgement(None, detectable=math.inf, exact=True)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        if detectable is None and not np.logical_or.reduce(budget, axis=None) and (got == want).all():
            return Judgement(None, detectable=math.inf, exact=True)
        error = got - want
        share = _extremes(error / budget)
        # Of finite numbers with budgets this says all; where there are others it is NaN.
        if share[0] > -1.0 and share[1] < 1.0:
            if detectable is None:
                (detectable,) = _detectable(want[None], budget[None], [got.dtype])
            if detectable is not None:
                ulps = _extremes(error / _ulp(want, got.dtype)) if in_ulps else ZERO
                return Judgement(None, share, ulps, detectable)
        return _judge_each(quantity, got, want, budget, in_ulps)


@np.errstate(divide="ignore", invalid="ignore", over="ignore")
def _detectable(
    want: np.ndarray, budget: np.ndarray, dtypes: Sequence[np.dtype]
) -> List[Optional[float]]:
    """Of each of K arrays: the smallest relative error that its budgets detect; None where a number is
    beyond the dtype's range or not finite."""
    elements = tuple(range(1, want.ndim))
    size = np.abs(want)
    largest = np.array([Rounding.of(each).largest for each in dtypes])
    within = np.maximum.reduce(size, axis=elements) <= largest
    found = np.minimum.reduce(budget / size, axis=elements)
    return [each if there else None for each, there in zip(found.tolist(), within.tolist())]


def _judge_each(
    quantity: str,
    got: np.ndarray,
    want: np.ndarray,
    budget: np.ndarray,
    in_ulps: bool,
) -> Judgement:
    """Where a number may be infinite or NaN, have no budget or the wrong value."""
    size = np.abs(want)
    beyond = size > Rounding.of(got.dtype).largest
    # Beyond the dtype's range the correctly rounded value is an infinity, compared for equality.
    want = np.where(beyond, np.copysign(np.inf, want), want)
    error = got - want
    within = (np.abs(error) <= budget) & ~np.isinf(want)
    wrong = ~within & ~((got == want) | (np.isnan(got) & np.isnan(want)))
    if wrong.any():
        return Judgement(_worst(quantity, got, want, budget, error, wrong))
    if not budget.any():
        return Judgement(None, detectable=math.inf, exact=True)
    # An error within a zero budget is zero; 0/0 is left out.
    share = _finite_extremes(error / budget)
    measured = in_ulps and share != ZERO
    ulps = _finite_extremes(error / _ulp(want, got.dtype)) if measured else ZERO
    relative = budget / size
    relative[~(size > 0) | np.isnan(budget)] = np.inf
    return Judgement(None, share, ulps, float(relative.min()))


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


def _blocks(shape: Tuple[int, ...]) -> Iterator[Where]:
    """Parts of an array (N, C, H, W), each of up to LARGE elements or of one row."""
    n, c, h, w = shape
    samples, channels, rows = (max(1, LARGE // size) for size in (c * h * w, h * w, w))
    for sample in range(0, n, samples):
        for channel in range(0, c, channels):
            for row in range(0, h, rows):
                starts = ((sample, samples), (channel, channels), (row, rows))
                yield tuple(slice(start, start + size) for start, size in starts)


def _judge_part(expected: ExpectedOutput, got: np.ndarray, in_ulps: bool, where: Where) -> Judgement:
    want, budget, undetermined = expected.numbers(where)
    if undetermined.any():
        want = np.where(undetermined[:, None, None], got[where], want)
    return judge("output", got[where], want, budget, in_ulps)


def _judge_output(
    expected: ExpectedOutput, got: np.ndarray, in_ulps: bool, detectable: Optional[float]
) -> Judgement:
    """Part by part when it is large: temporary arrays that the allocator must fetch anew from the
    system, or that leave the cache, cost the most."""
    if detectable is not None and got.dtype.name == expected.dtype:
        return judge("output", got, *expected.numbers()[:2], in_ulps, detectable)
    if got.size > LARGE:
        parts = [_judge_part(expected, got, in_ulps, where) for where in _blocks(got.shape)]
        if all(part.mismatch is None for part in parts):
            return Judgement(
                None,
                hull(part.share for part in parts),
                hull(part.ulps for part in parts),
                min(part.detectable for part in parts),
                all(part.exact for part in parts),
            )
    return _judge_part(expected, got, in_ulps, EVERYWHERE)


@dataclass
class _Last:
    """The last output that was judged against an expectation, and how.

    ``detectable``: what is known of the expectation beforehand, as in ``judge``.
    """

    output: Optional[np.ndarray] = None
    in_ulps: bool = False
    judgement: Optional[Judgement] = None
    detectable: Optional[float] = None

    def tells_of(self, output: np.ndarray, in_ulps: bool) -> bool:
        """Whether it is this output, bit for bit."""
        last = self.output
        if last is None or last.dtype != output.dtype or self.in_ulps is not in_ulps:
            return False
        return not other_bytes(output, last)


@lru_cache(maxsize=SMALL_OUTPUTS)
def _last_small(expected: ExpectedOutput) -> _Last:
    return _Last()


@lru_cache(maxsize=LARGE_OUTPUTS)
def _last_large(expected: ExpectedOutput) -> _Last:
    return _Last()


def judge_output(expected: ExpectedOutput, got: np.ndarray, in_ulps: bool) -> Judgement:
    """An output of the expected shape, of any floating dtype; not to be written to any more."""
    last = _last_small(expected) if got.size <= LARGE else _last_large(expected)
    if last.judgement is None or not last.tells_of(got, in_ulps):
        last.output, last.in_ulps = got, in_ulps
        last.judgement = _judge_output(expected, got, in_ulps, last.detectable)
        expected.forget()
    return last.judgement


def prepare(outputs: Iterable[ExpectedOutput]) -> None:
    """Has the numbers of outputs that will be judged computed together, apart from those that were."""
    small = (each for each in outputs if each.batch.values.size <= LARGE)
    unjudged = dict.fromkeys(each for each in small if _last_small(each).judgement is None)
    for together, (values, budget, undetermined) in foresee(unjudged):
        detectable = _detectable(values, budget, [each.batch.values.dtype for each in together])
        for each, smallest, anything in zip(together, detectable, np.any(undetermined, 1).tolist()):
            _last_small(each).detectable = None if anything else smallest


@lru_cache(maxsize=4096)
def judge_vector(
    quantity: str, expected: Quantity, got: bytes, dtype: str, in_ulps: bool
) -> Judgement:
    """A buffer or parameter of the expected length, as bytes; ``dtype``: NumPy's character."""
    values, (value, budget) = np.frombuffer(got, dtype=dtype), expected.settled()
    want = np.where(np.isinf(budget), values, value.high)
    return judge(quantity, values, want, budget, in_ulps)
