"""The values that ``Preset`` and ``Attach`` write, and those that some state dicts hold.

``Preset`` and ``Attach`` write multiples of 1/8, exact in any float dtype.
"""

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

_NAN, _INF = float("nan"), float("inf")

LOADED: Dict[str, Dict[str, Tuple[float, ...]]] = {
    "uneven": {
        name: tuple(value * 1.1 + 0.001 / (place + 3) for place, value in enumerate(values))
        for name, values in _PRESET.items()
    },
    "zeros": {
        "weight": (0.0, -0.0, 0.0, 1.5, 0.0, 0.0, -2.0, 0.0, 0.0, -0.0, 1.0),
        "bias": (0.25, 1.0, -0.0, 0.0, -0.75, 2.0, 0.0, 0.0, 4.0, -0.25, -0.0),
        "running_mean": (0.0, -2.0, 3.0, -0.25, 0.0, -0.0, 8.0, 0.75, -4.0, 0.0, 2.0),
        "running_var": (4.0, 0.0, 9.0, 0.0, 0.25, 0.0, 1.5, 0.75, 0.0, 3.0, 0.0),
    },
    "nonfinite": {
        "weight": (_NAN, -2.0, 0.5, 0.75, -1.25, 3.0, 0.0, 1.75, 0.25, -3.5, _NAN),
        "bias": (0.25, _NAN, -3.0, 0.5, _INF, 2.0, -1.5, 0.125, 4.0, -_INF, 1.25),
        "running_mean": (0.5, -2.0, _NAN, -0.25, 1.5, _INF, 8.0, 0.75, -4.0, 0.25, 2.0),
        "running_var": (4.0, 0.5, 9.0, 2.0, 0.25, 16.0, _INF, _NAN, 25.0, 3.0, 6.0),
    },
    "negative": {
        "weight": _PRESET["weight"],
        "bias": _PRESET["bias"],
        "running_mean": _PRESET["running_mean"],
        "running_var": (4.0, -0.5, 9.0, -2.0, 0.25, -16.0, -0.0, 0.75, -25.0, -_INF, 6.0),
    },
    "extreme": {
        "weight": (1e18, -2.0, 1e-20, 1e15, -1.25, 3.0, -1e-30, 1e10, 0.25, -1e12, 2.5),
        "bias": (0.25, 1e12, -3.0, 0.5, -1e20, 2.0, -1.5, 1e-20, 4.0, -1e-12, 1e18),
        "running_mean": (0.5, -2.0, 1e6, -0.25, 1e10, -1e12, 8.0, 0.75, 1e-15, 0.25, 2.0),
        "running_var": (1e20, 1e-10, 9.0, 1e-20, 1e12, 16.0, 1e-30, 0.75, 25.0, 1e-7, 1e15),
    },
}
"""Maps a word to the values that a state dict holds under each name. uneven: numbers that no binary
format holds. zeros: many of them 0. nonfinite: NaN and infinities. No weight is infinite, because torch
does not say whether it subtracts the mean before or after it multiplies by the weight. negative:
variances below 0. extreme: very large and very small numbers."""

_ATTACHED.update(
    {f"{name} {word}": values for word, found in LOADED.items() for name, values in found.items()}
)


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
    """Return the values that ``Attach`` attaches as ``name``: float64, shape (channels,), read-only.

    ``name`` may end in a word of LOADED, as in ``weight zeros``: the values that a state dict holds.
    """
    return _cycled(_ATTACHED[name], channels)
