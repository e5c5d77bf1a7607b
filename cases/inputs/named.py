"""The inputs with a name of their own: odd shapes, odd values, other dtypes, inputs of public texts."""

from __future__ import annotations

from typing import Callable, Dict, List, Tuple

import numpy as np

from cases.inputs.storage import numpy_dtype, stored
from cases.inputs.streams import stream, uniform
from cases.variants import SHAPES, Shape, Variant

Input = Callable[[Variant], np.ndarray]
"""A function from the variant to the values of the input."""


def _filled(shape: Tuple[int, ...], dtype: str) -> np.ndarray:
    """Return multiples of 1/4 from -1.5 to 2.25, without a pattern in any dimension."""
    count = int(np.prod(shape))
    values = (np.arange(count, dtype=np.float64) * 7 % 16) / 4 - 1.5
    return values.reshape(shape).astype(numpy_dtype(dtype))


def _shaped(shape: Callable[[Shape], Tuple[int, ...]]) -> Input:
    """Return an input whose shape is made from the variant's (N, C, H, W)."""
    return lambda variant: _filled(shape(SHAPES[variant.shape]), variant.input_dtype)


def _with_one(value: float, place: int = 0) -> Input:
    """Return an input of which one value is replaced, by default the first. ``place``: in every axis."""

    def make(variant: Variant) -> np.ndarray:
        values = _filled(SHAPES[variant.shape], variant.input_dtype)
        values[(place,) * 4] = value
        return values

    return make


def _constant(value: float) -> Input:
    return lambda variant: stored(np.full(SHAPES[variant.shape], value), variant.input_dtype)


def _overflowing(variant: Variant) -> np.ndarray:
    """Return values of about 1e30, whose squares exceed float32."""
    filled = _filled(SHAPES[variant.shape], variant.input_dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        return stored(filled * np.array(1e30, dtype=filled.dtype), variant.input_dtype)


def _wrong_float(variant: Variant) -> np.ndarray:
    """Return float32 values for a float64 module and float64 values for any other."""
    other = "float32" if variant.module_dtype == "float64" else "float64"
    return _filled(SHAPES[variant.shape], other)


def _of(dtype: str) -> Input:
    return lambda variant: _filled(SHAPES[variant.shape], dtype)


def _planes(rows: List[List[float]]) -> Input:
    """Return 2x2 planes of one value each, as in the notebook; rows[n][c] is the value."""

    def make(variant: Variant) -> np.ndarray:
        planes = np.repeat(np.array(rows, dtype=numpy_dtype(variant.input_dtype)), 4)
        return planes.reshape(len(rows), len(rows[0]), 2, 2)

    return make


def _unit_interval(name: str, shape: Shape) -> Input:
    """Return uniform values on [0, 1)."""

    def make(variant: Variant) -> np.ndarray:
        values = uniform(stream(variant, name), int(np.prod(shape)))
        return stored(((values + 1) / 2).reshape(shape), variant.input_dtype)

    return make


NAMED: Dict[str, Input] = {
    "one_value": _shaped(lambda s: (1, s[1], 1, 1)),
    "no_batch": _shaped(lambda s: (0, s[1], s[2], s[3])),
    "no_height": _shaped(lambda s: (s[0], s[1], 0, s[3])),
    "no_width": _shaped(lambda s: (s[0], s[1], s[2], 0)),
    "no_channels": _shaped(lambda s: (s[0], 0, s[2], s[3])),
    "last_batch": _shaped(lambda s: (max(s[0] - 1, 1), *s[1:])),
    "other_size": _shaped(lambda s: (*s[:2], s[2] + 1, s[3] + 2)),
    "wrong_channels": _shaped(lambda s: (s[0], s[1] + 1, s[2], s[3])),
    "empty_wrong_channels": _shaped(lambda s: (0, s[1] + 1, s[2], s[3])),
    "two_dims": _shaped(lambda s: s[:2]),
    "three_dims": _shaped(lambda s: s[:3]),
    "five_dims": _shaped(lambda s: (*s, 1)),
    "nan": _with_one(np.nan),
    "inf": _with_one(np.inf),
    "nan_last": _with_one(np.nan, -1),
    "inf_last": _with_one(np.inf, -1),
    "overflowing": _overflowing,
    "constant": _constant(100.1),
    "three_tenths": _constant(0.3),
    "wrong_float": _wrong_float,
    "narrow_float": _of("float16"),
    "integers": _of("int64"),
    "bytes": _of("uint8"),
    "booleans": _of("bool"),
    "notebook": _planes([[1.0, 1.0], [2.0, 3.0]]),
    "notebook_eval": _planes([[1.0, 2.0]]),
    "ivan": _unit_interval("ivan", (2, 10, 2, 2)),
    "feature_map": _unit_interval("feature_map", (4, 3, 2, 2)),
}
"""Maps the name of an input to its values."""

OTHER_DTYPES = ("wrong_float", "narrow_float", "integers", "bytes", "booleans")
"""The inputs whose dtype is not the variant's."""
