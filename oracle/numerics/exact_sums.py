"""Sums and averages that are rounded once, of values whose sum may exceed float64."""

from __future__ import annotations

import math

import numpy as np

SPARE = 64
"""Values whose sum overflows are divided by 2 to this power, which leaves room for 2**64 of them."""


def _numbers(values: np.ndarray) -> memoryview:
    """The values as Python floats, which are read faster from a memoryview."""
    return np.ascontiguousarray(values).data


def total(values: np.ndarray) -> float:
    """The sum of finite float64 values of shape (n,), rounded once; infinite where it exceeds float64."""
    try:
        return math.fsum(_numbers(values))
    except OverflowError:  # of a partial sum, too, which others may bring back
        with np.errstate(over="ignore"):
            return float(np.ldexp(math.fsum(_numbers(np.ldexp(values, -SPARE))), SPARE))


def average(values: np.ndarray) -> float:
    """The mean of finite float64 values of shape (n,), n at least 1, whose sum is rounded once."""
    try:
        return math.fsum(_numbers(values)) / len(values)
    except OverflowError:
        return math.ldexp(math.fsum(_numbers(np.ldexp(values, -SPARE))) / len(values), SPARE)
