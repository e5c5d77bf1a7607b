"""The outputs, buffers and parameters that a subject returns, each judged once.

The last judgement against an expectation is remembered: cases share inputs, so most arrays come
back bit for bit as they were judged before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Iterable, Iterator, Optional, Tuple, Union

import numpy as np

from oracle.normalisation import EVERYWHERE, LARGE, ExpectedOutput, Where, foresee
from oracle.quantity import Quantity
from tests.judgement import Judgement, Sensitivity, hull, judge, judge_few, sensitivity
from tests.subject.observation import other_bytes

SMALL_OUTPUTS, LARGE_OUTPUTS, VECTORS = 1024, 4, 4096
"""Expected outputs of up to LARGE elements, larger ones, and quantities of every channel, whose last
judgement is remembered."""


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


def _judge_parts(expected: ExpectedOutput, got: np.ndarray, in_ulps: bool) -> Optional[Judgement]:
    """Of a large output part by part, None if not all agrees.

    What costs the most is temporary arrays that the allocator must fetch anew from the system, or that
    leave the cache.
    """
    parts = [_judge_part(expected, got, in_ulps, where) for where in _blocks(got.shape)]
    if any(part.mismatch is not None for part in parts):
        return None
    return Judgement(
        None,
        hull(part.share for part in parts),
        hull(part.ulps for part in parts),
        min(part.detectable for part in parts),
        all(part.exact for part in parts),
    )


def _judge_output(
    expected: ExpectedOutput, got: np.ndarray, in_ulps: bool, known: Optional[Sensitivity]
) -> Judgement:
    if known is not None and got.dtype == expected.batch.values.dtype:
        return judge("output", got, *expected.numbers()[:2], in_ulps, known)
    agreeing = _judge_parts(expected, got, in_ulps) if got.size > LARGE else None
    return agreeing or _judge_part(expected, got, in_ulps, EVERYWHERE)


@dataclass
class _Last:
    """The last array that was judged against an expectation, and how.

    ``known``: what is known of the expectation beforehand, as in ``judge``.
    """

    judgement: Optional[Judgement] = None
    got: Union[None, np.ndarray, bytes] = None
    dtype: Union[None, np.dtype, str] = None
    in_ulps: bool = False
    known: Optional[Sensitivity] = None

    def becomes(
        self,
        judgement: Judgement,
        got: Union[np.ndarray, bytes],
        dtype: Union[np.dtype, str],
        in_ulps: bool,
    ) -> Judgement:
        """Remembers this one; returns it."""
        self.judgement, self.got, self.dtype, self.in_ulps = judgement, got, dtype, in_ulps
        return judgement


@lru_cache(maxsize=SMALL_OUTPUTS)
def _last_small(expected: ExpectedOutput) -> _Last:
    return _Last()


@lru_cache(maxsize=LARGE_OUTPUTS)
def _last_large(expected: ExpectedOutput) -> _Last:
    return _Last()


@lru_cache(maxsize=VECTORS)
def _last_vector(quantity: str, expected: Quantity) -> _Last:
    return _Last()


def judge_output(expected: ExpectedOutput, got: np.ndarray, in_ulps: bool) -> Judgement:
    """An output of the expected shape, of any floating dtype; not to be written to any more."""
    if got.size > LARGE:
        return _judge_large(expected, got, in_ulps)
    last, data = _last_small(expected), got.tobytes()
    if last.got == data and last.dtype == got.dtype and last.in_ulps is in_ulps:
        assert last.judgement is not None
        return last.judgement
    judgement = _judge_output(expected, got, in_ulps, last.known)
    expected.forget()
    return last.becomes(judgement, data, got.dtype, in_ulps)


def _judge_large(expected: ExpectedOutput, got: np.ndarray, in_ulps: bool) -> Judgement:
    last = _last_large(expected)
    as_before = last.dtype == got.dtype and last.in_ulps is in_ulps
    known = last.judgement
    if known and as_before and isinstance(last.got, np.ndarray) and not other_bytes(got, last.got):
        return known
    return last.becomes(_judge_output(expected, got, in_ulps, None), got, got.dtype, in_ulps)


def prepare(outputs: Iterable[ExpectedOutput]) -> None:
    """Has the numbers of outputs that will be judged computed together, apart from those that were."""
    small = [each for each in dict.fromkeys(outputs) if each.batch.values.size <= LARGE]
    unjudged = [each for each in small if _last_small(each).judgement is None]
    for together, (values, budget, undetermined) in foresee(unjudged):
        known = sensitivity(values, budget, [each.batch.values.dtype for each in together])
        for each, its, anything in zip(together, known, np.any(undetermined, 1).tolist()):
            _last_small(each).known = None if anything else its


def judge_vector(
    quantity: str, expected: Quantity, got: bytes, dtype: str, in_ulps: bool
) -> Judgement:
    """A buffer or parameter of the expected length, as bytes; ``dtype``: NumPy's character."""
    last = _last_vector(quantity, expected)
    if last.got == got and last.dtype == dtype and last.in_ulps is in_ulps:
        assert last.judgement is not None
        return last.judgement
    values, (value, budget) = np.frombuffer(got, dtype=dtype), expected.settled()
    judgement = None
    if not in_ulps:
        judgement = judge_few(values.tolist(), value.high.tolist(), budget.tolist())
    if judgement is None:
        want = np.where(np.isinf(budget), values, value.high)  # where anything conforms
        judgement = judge(quantity, values, want, budget, in_ulps)
    return last.becomes(judgement, got, dtype, in_ulps)
