"""Judges an array that a subject returned against the values and budgets that the oracle expects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Iterable, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from oracle.numerics.budgeted import Budgeted
from oracle.numerics.formats import FORMATS
from oracle.numerics.normalisation import ExpectedOutput, output_values

BUDGETED = ("output", "running_mean", "running_var")
"""The quantities that have budgets."""

Extremes = Tuple[float, float]
ZERO: Extremes = (0.0, 0.0)


@dataclass(frozen=True)
class Mismatch:
    """One disagreement: what was compared, where, and by how much.

    ``index`` is empty for a quantity that is not an array. ``error``, ``budget`` (absolute) and
    ``ulps`` (of the expected value in the subject's dtype) are None where there is no number.
    ``count``: the elements beyond their budget.
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
    array that its budget detects, infinite where every finite element is 0. ``exact``: no element had
    a budget.
    """

    mismatch: Optional[Mismatch]
    share: Extremes = ZERO
    ulps: Extremes = ZERO
    detectable: float = math.inf
    exact: bool = True


class Margins(NamedTuple):
    """How close a quantity came to its budgets over many arrays; the fields are a Judgement's."""

    share: Extremes
    ulps: Extremes
    detectable: float


def hull(pairs: Iterable[Extremes]) -> Extremes:
    """From the smallest to the largest of them all, and of 0."""
    lows, highs = zip(ZERO, *pairs)
    return min(lows), max(highs)


def margins(judgements: Sequence[Judgement]) -> Margins:
    """The margins over arrays that agree; those without a budget do not count as detecting anything."""
    return Margins(
        hull(each.share for each in judgements),
        hull(each.ulps for each in judgements),
        min((each.detectable for each in judgements if not each.exact), default=math.inf),
    )


def unit_in_last_place(want: np.ndarray, dtype: str) -> np.ndarray:
    """The unit in the last place of each finite value, in ``dtype``; float64."""
    fmt = FORMATS[dtype]
    power = np.ldexp(1.0, np.frexp(want)[1] - fmt.bits)
    return np.maximum(power, 2 * fmt.unit * fmt.tiny)


def judge(quantity: str, got: np.ndarray, want: np.ndarray, budget: np.ndarray) -> Judgement:
    """Compare element by element. NaN equals NaN, and an infinity itself, only where expected.

    ``got``: the subject's array in its own floating dtype. ``want``, ``budget``: float64, same shape;
    an infinite budget lets any value conform. One mask decides and describes.
    """
    dtype = str(got.dtype)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # Beyond the dtype's range the correctly rounded value is an infinity.
        want = np.where(np.abs(want) > FORMATS[dtype].largest, np.copysign(np.inf, want), want)
        error = got - want
        conforms = (np.abs(error) <= budget) & np.isfinite(want)
        conforms |= (got == want) | (np.isnan(got) & np.isnan(want)) | np.isinf(budget)
        if not conforms.all():
            return Judgement(_worst(quantity, got, want, budget, error, ~conforms))
        measured = (budget > 0) & np.isfinite(error) & np.isfinite(budget)
        if not measured.any():
            return Judgement(None, exact=not (budget > 0).any())
        error, budget, want = error[measured], budget[measured], want[measured]
        share = error / budget
        ulps = error / unit_in_last_place(want, dtype)
        relative = budget[want != 0] / np.abs(want[want != 0])
    return Judgement(
        None,
        (float(share.min()), float(share.max())),
        (float(ulps.min()), float(ulps.max())),
        float(relative.min(initial=np.inf)),
        exact=False,
    )


def _worst(
    quantity: str,
    got: np.ndarray,
    want: np.ndarray,
    budget: np.ndarray,
    error: np.ndarray,
    wrong: np.ndarray,
) -> Mismatch:
    """The wrong element that is farthest beyond its budget."""
    excess = np.where(wrong, np.abs(error) / np.maximum(budget, np.finfo(np.float64).tiny), -1.0)
    excess[wrong & ~np.isfinite(excess)] = np.inf
    index = np.unravel_index(int(np.argmax(excess)), excess.shape)
    finite = bool(np.isfinite(want[index]))
    return Mismatch(
        quantity,
        tuple(int(i) for i in index),
        repr(got[index].item()),
        repr(float(want[index])),
        float(error[index]),
        float(budget[index]),
        float(error[index] / unit_in_last_place(want[index], str(got.dtype))) if finite else math.nan,
        int(wrong.sum()),
    )


def judge_output(expected: ExpectedOutput, got: np.ndarray) -> Judgement:
    """Judge an output of the expected shape, of any floating dtype."""
    want, budget, undetermined = output_values(expected)
    if undetermined.any():
        budget = np.where(undetermined[:, None, None], np.inf, budget)
    return judge("output", got, want, budget)


@lru_cache(maxsize=8192)
def judge_tensor(quantity: str, expected: Budgeted, data: bytes, dtype: str) -> Judgement:
    """Judge a buffer or parameter of the expected length, given as bytes in a NumPy dtype.

    Remembered: the same bytes against the same expectation are the same judgement.
    """
    return judge(quantity, np.frombuffer(data, dtype=dtype), expected.values, expected.budget)
