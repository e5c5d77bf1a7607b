"""The batches and tensors that steps name, as NumPy arrays.

Every number comes from Philox's raw 64-bit stream (NumPy guarantees the streams of its bit
generators) and from exactly rounded operations, so it is the same on every machine, Python and C
library. Nothing depends on torch's random numbers.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt
from typing import Callable, Dict, List, Optional, Tuple

import numpy as np

from cases.errors import CaseError
from cases.variants import INF_CHANNEL, LAYOUTS, NAN_CHANNEL, REMAINDER, SHAPES, Variant, regimes


@dataclass(frozen=True, eq=False)
class Batch:
    """One input: its numbers and how they lie in memory. Compared and cached by identity.

    ``values``: the array, read-only; ``dtype``: the name of its dtype. ``layout``: one of LAYOUTS.
    ``exact``: the numbers are meant to have exactly representable statistics (the oracle proves it
    anew). ``regimes``: a word for each channel, for messages.
    """

    name: str
    values: np.ndarray
    dtype: str
    layout: str
    exact: bool
    regimes: Tuple[str, ...]


def _stream(variant: Variant, name: str) -> np.random.Philox:
    words = f"{variant.lane} {variant.shape} {name}"
    return np.random.Philox(key=[variant.seed, zlib.crc32(words.encode("ascii"))])


def _uniform(stream: np.random.Philox, count: int) -> np.ndarray:
    """Uniform on [-1, 1), on a grid of 2**-52."""
    raw = stream.random_raw(count) >> np.uint64(11)
    return np.asarray(raw.astype(np.float64) * 2.0**-52 - 1.0)


def _bell(stream: np.random.Philox, count: int) -> np.ndarray:
    """Mean 0, variance 1, within +-3.5: the scaled sum of four uniforms. No libm in it."""
    four = _uniform(stream, 4 * count).reshape(4, count)
    return np.asarray(four.sum(axis=0) * np.sqrt(0.75))


def _outlier(z: np.ndarray, k: int, tiny: float) -> np.ndarray:
    values = 0.01 * z
    values[(7 * k + 3) % len(values)] = 100.0
    return values


def _alternating(z: np.ndarray, k: int, tiny: float) -> np.ndarray:
    sign = 1.0 - 2.0 * (np.arange(len(z)) % 2)
    return np.asarray(sign * (1.0 + np.abs(z) / 4 + 0.25 * k))


def _signed_zeros(z: np.ndarray, k: int, tiny: float) -> np.ndarray:
    return np.where((np.arange(len(z)) + k) % 2 == 0, 0.0, -0.0)


_REGIME_VALUES: Dict[str, Callable[[np.ndarray, int, float], np.ndarray]] = {
    "normal": lambda z, k, tiny: (1.0 + 0.25 * k) * z + (k - 1.0),
    "offset_1e3": lambda z, k, tiny: 1e3 + 3.0 * k + z,
    "offset_1e6": lambda z, k, tiny: 1e6 + 16.0 * k + z,
    "small": lambda z, k, tiny: 1e-3 * ((1 + k) * z + 2.0),
    "tiny": lambda z, k, tiny: 1e-18 * ((1 + k) * z + 1.0),
    "huge": lambda z, k, tiny: 1e12 * ((1 + k) * z + 0.5),
    "constant": lambda z, k, tiny: np.full_like(z, 100.1 + k),
    "outlier": _outlier,
    "alternating": _alternating,
    "subnormal": lambda z, k, tiny: tiny / 8 * z,
    "signed_zeros": _signed_zeros,
}
"""Regime to its values from bell-shaped numbers, the batch's number and the smallest normal."""


def _four_squares(total: int) -> List[int]:
    """Four integers whose squares sum to ``total``; Lagrange: they exist."""
    for a in range(isqrt(total), -1, -1):
        for b in range(isqrt(total - a * a), -1, -1):
            for c in range(isqrt(total - a * a - b * b), -1, -1):
                d = isqrt(total - a * a - b * b - c * c)
                if a * a + b * b + c * c + d * d == total:
                    return [a, b, c, d]
    raise AssertionError("unreachable: every natural number is a sum of four squares")


def _deviations(raw: np.ndarray, count: int) -> np.ndarray:
    """``count`` integers around 0, in pairs +-d, with a sum of squares divisible by n(n-1).

    So the mean is 0, and biased and unbiased variance are integers.
    """
    pairs = count // 2
    if pairs < 4:
        half = [1 + int(r % 7) for r in raw[:pairs]]
    else:
        half = [1 + int(r % 15) for r in raw[: pairs - 4]]
        used = sum(d * d for d in half)
        quantum = count * (count - 1) // 2
        target = (used // quantum + 1 + int(raw[-1] % 2)) * quantum
        half += _four_squares(target - used)
    return np.array(half + [-d for d in half], dtype=np.float64)


def _dyadic_channel(stream: np.random.Philox, count: int, channel: int, k: int) -> np.ndarray:
    raw = stream.random_raw(count + 1)
    values = _deviations(raw, count)[np.argsort(raw[:count], kind="stable")]
    offset = (0, 5, -64, 3, 1000, -7, 2, 16, -333, 1, 40)[channel % 11] + k
    return np.asarray((values + offset) * 2.0 ** ((channel * 5) % 7 - 3))


def _plain_batch(variant: Variant, k: int) -> np.ndarray:
    """Batch number ``k`` of the variant's stream, shape (N, C, H, W)."""
    shape = SHAPES[variant.shape]
    n, c, h, w = REMAINDER.get(variant.shape, shape) if k else shape
    count = n * h * w
    tiny = float(np.finfo(variant.dtype).tiny)
    channels = []
    for channel, regime in enumerate(regimes(variant)):
        stream = _stream(variant, f"b{k} {channel}")
        if regime == "dyadic":
            channels.append(_dyadic_channel(stream, count, channel, k))
        else:
            channels.append(_REGIME_VALUES[regime](_bell(stream, count), k, tiny))
    stacked = np.stack(channels).reshape(c, n, h, w).transpose(1, 0, 2, 3)
    values = np.ascontiguousarray(stacked).astype(variant.dtype)
    if variant.lane == "nonfinite" and k % 2:
        values[0, NAN_CHANNEL[c], 0, 0] = np.nan
        values[-1, INF_CHANNEL[c], -1, -1] = np.inf
    return values


_RANDOM_PART = 500


@lru_cache(maxsize=2)
def _random_part(variant: Variant, part: int) -> np.ndarray:
    """Batches 20x3x1x1 of bell-shaped numbers, many from one stream: to set one up takes longer."""
    values = _bell(_stream(variant, f"random {part}"), _RANDOM_PART * 60)
    return values.reshape(_RANDOM_PART, 20, 3, 1, 1).astype(variant.dtype)


def _special_shapes(variant: Variant) -> Dict[str, Tuple[int, ...]]:
    n, c, h, w = SHAPES[variant.shape]
    return {
        "one_value": (1, c, 1, 1),
        "no_batch": (0, c, h, w),
        "no_height": (n, c, 0, w),
        "no_width": (n, c, h, 0),
        "no_channels": (n, 0, h, w),
        "wrong_channels": (n, c + 1, h, w),
        "empty_wrong_channels": (0, c + 1, h, w),
        "two_dims": (n, c),
        "three_dims": (n, c, h),
        "five_dims": (n, c, h, w, 1),
    }


def _filled(shape: Tuple[int, ...], dtype: str) -> np.ndarray:
    count = int(np.prod(shape))
    return ((np.arange(count, dtype=np.float64) * 7 % 16) / 4 - 1.5).reshape(shape).astype(dtype)


def _planes(rows: List[List[float]], dtype: str) -> np.ndarray:
    """2x2 planes, each of one value: the notebook's inputs. rows[n][c] is the value."""
    return np.repeat(np.array(rows, dtype=dtype), 4).reshape(len(rows), len(rows[0]), 2, 2)


_CONSTANTS = {"constant": 100.1, "three_tenths": 0.3}


def _named(variant: Variant, name: str) -> Optional[np.ndarray]:
    n, c, h, w = SHAPES[variant.shape]
    first = (0, 0, 0, 0)
    if name in _special_shapes(variant):
        return _filled(_special_shapes(variant)[name], variant.dtype)
    if name.startswith("b") and name[1:].isdecimal() and str(int(name[1:])) == name[1:]:
        return _plain_batch(variant, int(name[1:]))
    if name in ("nan", "inf"):
        values = _filled((n, c, h, w), variant.dtype)
        values[first] = np.nan if name == "nan" else np.inf
        return values
    if name == "overflowing":
        large = np.array(1e30, dtype=variant.dtype)
        return np.asarray(_filled((n, c, h, w), variant.dtype) * large)
    if name in _CONSTANTS:
        return np.full((n, c, h, w), _CONSTANTS[name], dtype=variant.dtype)
    if name in ("wrong_float", "integers"):
        other = {"float32": "float64", "float64": "float32"}[variant.dtype]
        return _filled((n, c, h, w), "int64" if name == "integers" else other)
    if name == "notebook":
        return _planes([[1.0, 1.0], [2.0, 3.0]], variant.dtype)
    if name == "notebook_eval":
        return _planes([[1.0, 2.0]], variant.dtype)
    shapes = {"ivan": (2, 10, 2, 2), "feature_map": (4, 3, 2, 2)}
    if name in shapes:
        count = int(np.prod(shapes[name]))
        values = _uniform(_stream(variant, name), count)
        return ((values + 1) / 2).reshape(shapes[name]).astype(variant.dtype)
    if name.startswith("random") and name[6:].isdecimal() and str(int(name[6:])) == name[6:]:
        part, place = divmod(int(name[6:]), _RANDOM_PART)
        return np.array(_random_part(variant, part)[place])
    return None


def _names(variant: Variant) -> str:
    words = sorted(_special_shapes(variant)) + [
        "nan",
        "inf",
        "overflowing",
        *_CONSTANTS,
        "wrong_float",
        "integers",
        "notebook",
        "notebook_eval",
        "ivan",
        "feature_map",
        "random0, random1, ...",
    ]
    return ", ".join(["b0, b1, ..."] + words)


@lru_cache(maxsize=512)
def batch(variant: Variant, name: str) -> Batch:
    """The batch that ``name`` names under ``variant``; the same object every time.

    ``name`` may end in a layout, as in ``b0.channels_last``. Raises CaseError for another name.
    """
    plain, _, layout = name.partition(".")
    values = _named(variant, plain)
    if values is None:
        raise CaseError(f"unknown batch {plain!r}; accepted: {_names(variant)}")
    if "." in name and layout not in LAYOUTS:
        raise CaseError(f"unknown layout {layout!r}; accepted: {', '.join(LAYOUTS)}")
    if layout == "expanded":
        values = np.ascontiguousarray(np.broadcast_to(values[:1], values.shape))
    values.setflags(write=False)
    return Batch(
        name=name,
        values=values,
        dtype=str(values.dtype),
        layout=layout or "contiguous",
        exact=variant.lane == "exact",
        regimes=regimes(variant) if plain == name and name.startswith("b") else (),
    )


_PRESETS: Dict[str, Tuple[float, ...]] = {
    "weight": (1.5, -2.0, 0.5, 0.75, -1.25, 3.0, -0.5, 1.75, 0.25, -3.5, 2.5),
    "bias": (0.25, 1.0, -3.0, 0.5, -0.75, 2.0, -1.5, 0.125, 4.0, -0.25, 1.25),
    "running_mean": (0.5, -2.0, 3.0, -0.25, 1.5, -1.0, 8.0, 0.75, -4.0, 0.25, 2.0),
    "running_var": (4.0, 0.5, 9.0, 2.0, 0.25, 16.0, 1.5, 0.75, 25.0, 3.0, 6.0),
}
_ATTACHED: Dict[str, Tuple[float, ...]] = {
    "weight": (0.75, 2.5, -1.5, 1.25, -0.5, 0.25, 2.0, -3.0, 1.75, 0.5, -2.5),
    "bias": (-1.0, 0.75, 2.25, -0.5, 1.5, -2.0, 0.25, 3.0, -0.125, 1.0, -4.0),
    "running_mean": (-0.75, 1.0, -2.5, 0.5, 4.0, -1.25, 2.0, -3.0, 0.25, 1.5, -0.5),
    "running_var": (2.0, 6.0, 0.75, 1.25, 9.0, 0.5, 3.0, 12.0, 1.75, 0.25, 5.0),
}


def _cycled(values: Tuple[float, ...], channels: int) -> np.ndarray:
    array = np.array([values[i % len(values)] for i in range(channels)], dtype=np.float64)
    array.setflags(write=False)
    return array


@lru_cache(maxsize=None)
def preset(name: str, channels: int) -> np.ndarray:
    """What ``Preset`` writes into ``name``: float64, shape (channels,), exact in any float dtype."""
    return _cycled(_PRESETS[name], channels)


@lru_cache(maxsize=None)
def attached(name: str, channels: int) -> np.ndarray:
    """What ``Attach`` attaches as ``name``: float64, shape (channels,), exact in any float dtype."""
    return _cycled(_ATTACHED[name], channels)
