"""The inputs with a number in their name: b0, b1, ... and random0, random1, ..."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Callable, Dict, Optional

import numpy as np

from cases.inputs.dyadic import dyadic
from cases.inputs.regimes import VALUES
from cases.inputs.storage import numpy_dtype, stored
from cases.inputs.streams import bell, stream
from cases.variants import REMAINDER, SHAPES, Variant, inf_channel, nan_channel, regimes

LAST = 9999
"""The largest number in the name of a batch. No program is longer."""

_PART = 500
"""The number of batches named ``random<k>`` that come from one stream."""


def _within_range(values: np.ndarray) -> np.ndarray:
    """Scale the values of one channel by a power of two so that float16 holds them, up to 2**12."""
    excess = np.frexp(np.abs(values).max())[1] - 12
    return np.asarray(np.ldexp(values, -max(int(excess), 0)))


def _numbered(variant: Variant, k: int) -> np.ndarray:
    """Return b<k>: a batch of the variant's lane, shape (N, C, H, W)."""
    shape = SHAPES[variant.shape]
    n, c, h, w = REMAINDER.get(variant.shape, shape) if k else shape
    count = n * h * w
    dtype = variant.input_dtype
    tiny = float(np.finfo(numpy_dtype(dtype)).tiny)
    channels = []
    for channel, regime in enumerate(regimes(variant)):
        source = stream(variant, f"b{k} {channel}")
        if regime == "dyadic":
            channels.append(dyadic(source, count, channel, k))
        else:
            values = VALUES[regime](bell(source, count), k, tiny)
            channels.append(_within_range(values) if dtype == "float16" else values)
    stacked = np.stack(channels).reshape(c, n, h, w).transpose(1, 0, 2, 3)
    values = stored(np.ascontiguousarray(stacked), dtype)
    if variant.lane == "nonfinite" and k % 2:
        values[0, nan_channel(c), 0, 0] = np.nan
        values[-1, inf_channel(c), -1, -1] = np.inf
    return values


@lru_cache(maxsize=2)
def _random_part(variant: Variant, part: int) -> np.ndarray:
    """Return _PART batches of bell-shaped values from one stream, shape (_PART, 20, 3, 1, 1)."""
    values = bell(stream(variant, f"random {part}"), _PART * 60)
    return stored(values.reshape(_PART, 20, 3, 1, 1), variant.input_dtype)


def _random(variant: Variant, k: int) -> np.ndarray:
    """Return random<k>: bell-shaped values, shape (20, 3, 1, 1), in every lane and shape."""
    part, place = divmod(k, _PART)
    return np.array(_random_part(variant, part)[place])


_SERIES: Dict[str, Callable[[Variant, int], np.ndarray]] = {"b": _numbered, "random": _random}
"""Maps the beginning of a name to the function that makes the batch with a given number."""

NAMES = tuple(f"{series}0 to {series}{LAST}" for series in _SERIES)
"""The accepted names, for a message."""


def values(variant: Variant, name: str) -> Optional[np.ndarray]:
    """Return the values of a batch of a series, None if no batch has the name."""
    found = re.fullmatch("([a-z]+)(0|[1-9][0-9]{0,3})", name)
    if found is None or found.group(1) not in _SERIES:
        return None
    return _SERIES[found.group(1)](variant, int(found.group(2)))
