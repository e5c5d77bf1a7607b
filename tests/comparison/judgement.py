"""Judges an array that a subject returned against the values and budgets that the oracle expects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Iterable, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from oracle.expected_derivatives import DERIVATIVES
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.formats import Format
from oracle.numerics.normalisation import OutputValues, plane
from reports.rows import Extremes

BUDGETED = (
    "output",
    "running_mean",
    "running_var",
    "input gradient",
    "weight gradient",
    "bias gradient",
    "input.grad",
    "weight.grad",
    "bias.grad",
    "running_mean.grad",
    "running_var.grad",
    *DERIVATIVES,
)
"""The quantities that have budgets."""

ZERO: Extremes = (0.0, 0.0)


@dataclass(frozen=True)
class Mismatch:
    """A disagreement: what was compared, where, and by how much.

    ``index`` is empty for a quantity that is not an array. ``error``, ``budget`` (absolute) and ``ulps``
    (of the expected value in the subject's dtype) are None where there is no number. ``count``: the
    number of elements beyond their budget.
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
    """The result of judging an array: a mismatch, or how close the array came to its budget.

    ``share``: smallest and largest signed error over all elements, as a part of the budget. ``ulps``: the
    errors of these two elements in units in the last place. ``detectable``: the smallest relative error
    of the whole array that its budget detects, infinite where every finite element is 0. ``exact``: no
    element had a budget.
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
    """Return the range from the smallest to the largest of all extremes and 0."""
    lows, highs = zip(ZERO, *pairs)
    return min(lows), max(highs)


def margins(judgements: Sequence[Judgement]) -> Margins:
    """Return the margins over arrays that agree; those without a budget do not affect ``detectable``."""
    return Margins(
        hull(each.share for each in judgements),
        hull(each.ulps for each in judgements),
        min((each.detectable for each in judgements if not each.exact), default=math.inf),
    )


def in_ulps(error: float, want: float, fmt: Format) -> float:
    """Return the error of a finite value in units in the last place of the value in a format."""
    smallest = 2 * fmt.unit * fmt.tiny  # this is the distance between subnormal numbers
    unit = max(math.ldexp(1.0, math.frexp(want)[1] - fmt.bits), smallest) if want else smallest
    return error / unit


@np.errstate(divide="ignore", invalid="ignore", over="ignore")
def judge(quantity: str, got: np.ndarray, want: np.ndarray, budget: np.ndarray, fmt: Format) -> Judgement:
    """Compare element by element. NaN and an infinity conform only where they are expected.

    ``got``: the subject's array, whose dtype has the format ``fmt``. ``want``, ``budget``: float64, same
    shape; an infinite budget lets any value conform. One mask decides on the verdict and the mismatch.
    """
    size, unrounded = np.abs(want), want
    if (size > fmt.largest).any():  # the correctly rounded value is an infinity
        want = np.where(size > fmt.largest, np.copysign(np.inf, want), want)
    error = got - want
    share = error / budget
    conforms = np.abs(share) <= 1.0
    # An element of an infinite budget is whatever memory held before, so nothing may be measured on it.
    if not conforms.all() or np.isinf(budget).any():
        # Other elements conform if they equal the expected value, are NaN as expected, or have no bound.
        conforms &= np.isfinite(want)
        conforms |= (got == want) | (np.isnan(got) & np.isnan(want)) | np.isinf(budget)
        # A value within the budget may be beyond the largest number and is then stored as an infinity.
        conforms |= np.isinf(got) & (np.copysign(1.0, got) * want + budget > fmt.largest)
        # One beyond the largest number may have a finite value within its budget.
        conforms |= np.isfinite(got) & np.isfinite(unrounded) & (np.abs(got - unrounded) <= budget)
        if not conforms.all():
            return Judgement(_worst(quantity, got, want, budget, error, ~conforms, fmt))
        measured = np.isfinite(share) & np.isfinite(budget)
        if not measured.any():
            return Judgement(None, exact=not (budget > 0).any())
        error, share, want, size, budget = (each[measured] for each in (error, share, want, size, budget))
    elif not share.size:
        return Judgement(None)
    extremes = np.unravel_index([share.argmin(), share.argmax()], share.shape)
    low, high = zip(share[extremes].tolist(), error[extremes].tolist(), want[extremes].tolist())
    return Judgement(
        None,
        (low[0], high[0]),
        (in_ulps(*low[1:], fmt), in_ulps(*high[1:], fmt)),
        float(np.fmin.reduce(budget / size, axis=None, initial=np.inf)),
        exact=False,
    )


def _worst(
    quantity: str,
    got: np.ndarray,
    want: np.ndarray,
    budget: np.ndarray,
    error: np.ndarray,
    wrong: np.ndarray,
    fmt: Format,
) -> Mismatch:
    """Return the wrong element that is farthest beyond its budget."""
    excess = np.where(wrong, np.abs(error) / np.maximum(budget, np.finfo(np.float64).tiny), -1.0)
    excess[wrong & ~np.isfinite(excess)] = np.inf
    index = np.unravel_index(int(np.argmax(excess)), excess.shape)
    finite = bool(np.isfinite(want[index]))
    allowed = float(budget[index])
    return Mismatch(
        quantity,
        tuple(int(i) for i in index),
        repr(got[index].item()),
        repr(float(want[index])),
        float(error[index]),
        0.0 if math.isnan(allowed) else allowed,  # inf * 0: only the expected value itself conforms
        in_ulps(float(error[index]), float(want[index]), fmt) if finite else math.nan,
        int(wrong.sum()),
    )


def judge_values(quantity: str, expected: OutputValues, got: np.ndarray, fmt: Format) -> Judgement:
    """Judge values of shape (C,), also as (1, C), or (N, C, H, W) in the channels that are determined.

    ``got``: of the expected shape; its dtype has the format ``fmt``.
    """
    want, budget, undetermined = expected
    if undetermined.any():
        where = plane(undetermined) if want.ndim == 4 else undetermined
        budget = np.where(where, np.inf, budget)
    return judge(quantity, got.reshape(want.shape), want, budget, fmt)


@lru_cache(maxsize=8192)
def judge_tensor(quantity: str, expected: Budgeted, data: bytes, fmt: Format) -> Judgement:
    """Judge a buffer or parameter of the expected length, given as the bytes of its observation.

    The judgement is remembered for the same bytes against the same expectation.
    """
    got = np.frombuffer(data, dtype=fmt.observed)
    return judge(quantity, got, expected.values, expected.budget, fmt)
