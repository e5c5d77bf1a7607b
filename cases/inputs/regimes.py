"""The values of one channel in each numerical regime of ``cases.variants.REGIMES``."""

from __future__ import annotations

from typing import Callable, Dict

import numpy as np

Regime = Callable[[np.ndarray, int, float], np.ndarray]
"""A function from bell-shaped values, shape (n,), the batch's number and the dtype's smallest normal
number to the channel's values, shape (n,), float64."""


def _outlier(z: np.ndarray, k: int, tiny: float) -> np.ndarray:
    values = 0.01 * z
    values[(7 * k + 3) % len(values)] = 100.0
    return values


def _alternating(z: np.ndarray, k: int, tiny: float) -> np.ndarray:
    sign = 1.0 - 2.0 * (np.arange(len(z)) % 2)
    return np.asarray(sign * (1.0 + np.abs(z) / 4 + 0.25 * k))


def _signed_zeros(z: np.ndarray, k: int, tiny: float) -> np.ndarray:
    return np.where((np.arange(len(z)) + k) % 2 == 0, 0.0, -0.0)


VALUES: Dict[str, Regime] = {
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
"""Maps a regime to the function that makes its values."""
