"""The values of one channel in the exact lane: their statistics have no rounding error.

The values are small integers times a power of two, placed so that mean, biased variance and unbiased
variance are exact in float32 in any order of summation.
"""

from __future__ import annotations

from math import isqrt
from typing import List

import numpy as np

_OFFSETS = (0, 5, -64, 3, 1000, -7, 2, 16, -333, 1, 40)
"""The mean of each channel of batch 0, before scaling. Further channels repeat the list."""


def _four_squares(total: int) -> List[int]:
    """Return four integers whose squares sum to ``total``. They exist, by Lagrange's theorem."""
    for a in range(isqrt(total), -1, -1):
        for b in range(isqrt(total - a * a), -1, -1):
            for c in range(isqrt(total - a * a - b * b), -1, -1):
                d = isqrt(total - a * a - b * b - c * c)
                if a * a + b * b + c * c + d * d == total:
                    return [a, b, c, d]
    raise AssertionError("unreachable: every natural number is a sum of four squares")


def _deviations(raw: np.ndarray, count: int) -> np.ndarray:
    """Return ``count`` integers in pairs +-d, with a sum of squares divisible by n(n-1); n is ``count``.

    Their mean is 0, and their biased and unbiased variances are integers. An odd count adds a 0.
    """
    pairs = count // 2
    if pairs < 4:
        half = [1 + int(r) % 7 for r in raw[:pairs]]
    else:
        half = [1 + int(r) % 15 for r in raw[: pairs - 4]]
        used = sum(d * d for d in half)
        quantum = count * (count - 1) // 2
        target = (used // quantum + 1 + int(raw[-1]) % 2) * quantum
        half += _four_squares(target - used)
    return np.array(half + [-d for d in half] + [0] * (count % 2), dtype=np.float64)


def dyadic(source: np.random.Philox, count: int, channel: int, k: int) -> np.ndarray:
    """Return the values of a channel of batch number ``k``: float64, shape (count,)."""
    raw = source.random_raw(count + 1)
    values = _deviations(raw, count)[np.argsort(raw[:count], kind="stable")]
    offset = _OFFSETS[channel % len(_OFFSETS)] + k
    return np.asarray((values + offset) * 2.0 ** ((channel * 5) % 7 - 3))
