"""Judges an array that a subject returned against the values and budgets that the oracle expects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from oracle.bounds import Rounding

BUDGETED = ("output", "running_mean", "running_var")
"""The quantities that have budgets."""

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


EXACT = Judgement(None, detectable=math.inf, exact=True)
"""Nothing has a budget, or there is nothing."""


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


def _known_extremes(values: np.ndarray) -> Extremes:
    """The same of all but NaN, and of 0."""
    low = np.fmin.reduce(values, axis=None, initial=0.0)
    return float(low), float(np.fmax.reduce(values, axis=None, initial=0.0))


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


class Sensitivity(NamedTuple):
    """What there is to say of an expectation before anything is judged against it.

    ``detectable`` and ``exact``: as in a Judgement. ``within_range``: the dtype has all its numbers,
    NaN aside.
    """

    detectable: float
    exact: bool
    within_range: bool


@np.errstate(divide="ignore", invalid="ignore", over="ignore")
def sensitivity(
    want: np.ndarray, budget: np.ndarray, dtypes: Sequence[np.dtype]
) -> List[Sensitivity]:
    """Of each of K arrays that are to be compared with arrays of these dtypes."""
    elements = tuple(range(1, want.ndim))
    size = np.abs(want)
    largest = np.array([Rounding.of(each).largest for each in dtypes])
    within_range = np.fmax.reduce(size, axis=elements, initial=0.0) <= largest
    detectable = np.fmin.reduce(budget / size, axis=elements, initial=np.inf).tolist()
    return [
        Sensitivity(smallest, smallest in (0.0, math.inf) and not budget[k].any(), within)
        for k, (smallest, within) in enumerate(zip(detectable, within_range.tolist()))
    ]


@np.errstate(divide="ignore", invalid="ignore", over="ignore")
def judge(
    quantity: str,
    got: np.ndarray,
    want: np.ndarray,
    budget: np.ndarray,
    in_ulps: bool,
    known: Optional[Sensitivity] = None,
) -> Judgement:
    """Compares element by element. NaN equals NaN, and an infinity itself, only where expected.

    ``got``: the subject's array in its own dtype; ``want``, ``budget``: float64, same shape.
    ``in_ulps``: also tell the error in units in the last place. ``known``: what ``sensitivity`` says,
    where that was asked already.
    """
    if not want.size:
        return EXACT
    if known is None:
        (known,) = sensitivity(want[None], budget[None], [got.dtype])
    error = got.astype(np.float64)
    error -= want
    shares = error / budget
    share = _extremes(shares)
    if math.isnan(share[0]):  # as where NaN is expected, or there is no budget and no error
        nothing = (error == 0) | (np.isnan(got) & np.isnan(want))
        if nothing[np.isnan(shares)].all():
            share = _known_extremes(shares)
    if share[0] > -1.0 and share[1] < 1.0 and known.within_range:
        if known.exact:
            return EXACT
        measured = in_ulps and share != ZERO
        ulps = _finite_extremes(error / _ulp(want, got.dtype)) if measured else ZERO
        return Judgement(None, share, ulps, known.detectable)
    return _judge_each(quantity, got, want, budget, in_ulps)


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
        return EXACT
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


def judge_few(
    got: Sequence[float], want: Sequence[float], budget: Sequence[float]
) -> Optional[Judgement]:
    """What ``judge`` says where all agrees, number by number; None where it may not.

    NumPy costs more than a dozen numbers. All three are of one length, and what is wanted is in the
    range of the dtype or infinite.
    """
    low = high = 0.0
    detectable, exact = math.inf, True
    for value, number, allowed in zip(got, want, budget):
        if allowed:
            exact = False
            share = (value - number) / allowed
            if not -1.0 < share < 1.0 and (value == value or number == number):
                return None
            if share < low:
                low = share
            elif share > high:
                high = share
        elif value != number:
            return None
        if number and allowed < detectable * abs(number):
            detectable = allowed / abs(number)
    return EXACT if exact else Judgement(None, (low, high), ZERO, detectable)
