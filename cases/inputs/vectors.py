"""The values that ``Preset`` and ``Attach`` write: multiples of 1/8, exact in any float dtype."""

from __future__ import annotations

from functools import lru_cache
from typing import Dict, Tuple

import numpy as np

_PRESET: Dict[str, Tuple[float, ...]] = {
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
    """Return the values that ``Preset`` writes into ``name``: float64, shape (channels,), read-only."""
    return _cycled(_PRESET[name], channels)


@lru_cache(maxsize=None)
def attached(name: str, channels: int) -> np.ndarray:
    """Return the values that ``Attach`` attaches as ``name``: float64, shape (channels,), read-only."""
    return _cycled(_ATTACHED[name], channels)
