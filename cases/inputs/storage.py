"""The NumPy arrays that hold the values of each dtype. NumPy has no bfloat16."""

from __future__ import annotations

from typing import Dict

import numpy as np

NUMPY: Dict[str, str] = {"bfloat16": "float32"}
"""Maps a dtype to the NumPy dtype of its arrays, where the two differ."""


def numpy_dtype(dtype: str) -> str:
    """Return the NumPy dtype of the arrays that hold values of a dtype."""
    return NUMPY.get(dtype, dtype)


def stored(values: np.ndarray, dtype: str) -> np.ndarray:
    """Round the values to the nearest value of the dtype, ties to even, in the dtype's NumPy arrays."""
    with np.errstate(over="ignore"):
        rounded = values.astype(numpy_dtype(dtype))
    if dtype != "bfloat16":
        return np.asarray(rounded)
    # A bfloat16 is the upper half of a float32. Rounding from float64 by way of float32 would round
    # twice, so the float32 is rounded to odd first: a value that is not exact gets an odd last bit.
    exact = rounded.astype(np.float64) == values
    bits = rounded.view(np.uint32)
    beyond = np.abs(rounded.astype(np.float64)) > np.abs(values)
    bits = np.where(exact | ~np.isfinite(values), bits, (bits - beyond) | 1)
    upper = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    result = upper.astype(np.uint32).view(np.float32)
    return np.asarray(np.where(np.isfinite(values), result, rounded))
