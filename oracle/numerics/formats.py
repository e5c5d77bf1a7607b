"""The floating-point formats that tensors are stored and computed in."""

from __future__ import annotations

from typing import Dict, NamedTuple

import numpy as np


class Format(NamedTuple):
    """A binary floating-point format.

    ``unit``: unit roundoff, half the distance from 1 to the next number. ``bits``: the bits of the
    significand, including the implicit one. ``tiny``: the smallest normal number. ``largest``: the
    largest finite number. ``observed``: the NumPy dtype in which values of the format are observed.
    """

    dtype: str
    unit: float
    bits: int
    tiny: float
    largest: float
    observed: str

    @property
    def arithmetic(self) -> Format:
        """The format of the arithmetic: float32 for narrower formats, which only store values."""
        return self if self.bits >= FORMATS["float32"].bits else FORMATS["float32"]


def _of(dtype: str) -> Format:
    info = np.finfo(dtype)
    unit, bits = float(info.eps) / 2, info.nmant + 1
    return Format(dtype, unit, bits, float(info.tiny), float(info.max), dtype)


FORMATS: Dict[str, Format] = {
    **{name: _of(name) for name in ("float16", "float32", "float64")},
    "bfloat16": Format("bfloat16", 2.0**-8, 8, 2.0**-126, (2.0 - 2.0**-7) * 2.0**127, "float64"),
}
"""Maps the name of a dtype to its format."""

FLOAT64 = FORMATS["float64"]
"""The format of the oracle's own arithmetic."""


def promoted(one: str, other: str) -> str:
    """Return the dtype of the product of two floating-point tensors that have dimensions."""
    if {one, other} == {"float16", "bfloat16"}:
        return "float32"  # neither holds the numbers of the other
    return max(one, other, key=lambda name: FORMATS[name].bits)
