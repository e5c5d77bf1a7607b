"""The floating-point formats that tensors are stored and computed in."""

from __future__ import annotations

from typing import Dict, NamedTuple

import numpy as np


class Format(NamedTuple):
    """A binary floating-point format.

    ``dtype``: its name in NumPy. ``unit``: unit roundoff, half the distance from 1 to the next number. ``bits``: of the significand,
    the implicit one included. ``tiny``: the smallest normal number. ``largest``: the largest finite one.
    """

    dtype: str
    unit: float
    bits: int
    tiny: float
    largest: float


def _of(dtype: str) -> Format:
    info = np.finfo(dtype)
    return Format(dtype, float(info.eps) / 2, info.nmant + 1, float(info.tiny), float(info.max))


FORMATS: Dict[str, Format] = {name: _of(name) for name in ("float16", "float32", "float64")}
"""Name of a dtype to its format."""

FLOAT64 = FORMATS["float64"]
"""The arithmetic of the oracle itself."""
