"""Sums that are rounded once, and averages, whose sum and quotient are each rounded once.

The sum of the values may exceed float64.
"""

from __future__ import annotations

import math

import numpy as np

SPARE = 64
"""Values whose sum overflows are divided by 2 to this power, so that 2**64 of them can be added."""


def _numbers(values: np.ndarray) -> memoryview:
    """Return the values as Python floats, which are read faster from a memoryview."""
    return np.ascontiguousarray(values).data


def total(values: np.ndarray) -> float:
    """Return the sum of float64 values, shape (n,): rounded once if finite; infinite beyond float64."""
    if not np.isfinite(values).all():
        return float(values.sum())
    try:
        return math.fsum(_numbers(values))
    except OverflowError:  # a partial sum overflows, too, and later terms may bring it back into range
        with np.errstate(over="ignore"):
            return float(np.ldexp(math.fsum(_numbers(np.ldexp(values, -SPARE))), SPARE))


def average(values: np.ndarray) -> float:
    """Return the mean of finite float64 values of shape (n,), n at least 1, whose sum is rounded once."""
    try:
        return math.fsum(_numbers(values)) / len(values)
    except OverflowError:
        return math.ldexp(math.fsum(_numbers(np.ldexp(values, -SPARE))) / len(values), SPARE)
