"""Pseudo-random values that are the same everywhere.

They come from Philox's raw 64-bit stream, which NumPy guarantees, and from exactly rounded operations, so
that they are the same on every machine, Python and C library. torch's random numbers are not used.
"""

from __future__ import annotations

import zlib

import numpy as np

from cases.variants import Variant


def stream(variant: Variant, name: str) -> np.random.Philox:
    """Return the stream of an input, keyed by the seed, the lane, the shape word and the input's name."""
    words = f"{variant.lane} {variant.shape} {name}"
    key = np.array([variant.seed, zlib.crc32(words.encode("ascii"))], dtype=np.uint64)
    return np.random.Philox(key=key)


def uniform(source: np.random.Philox, count: int) -> np.ndarray:
    """Return ``count`` float64 values, uniform on [-1, 1), on a grid of 2**-52."""
    raw = source.random_raw(count) >> np.uint64(11)
    return np.asarray(raw.astype(np.float64) * 2.0**-52 - 1.0)


def bell(source: np.random.Philox, count: int) -> np.ndarray:
    """Return ``count`` float64 values with mean 0 and variance 1, within +-3.5.

    Each is the scaled sum of four uniform values, which needs no function of the C library.
    """
    four = uniform(source, 4 * count).reshape(4, count)
    return np.asarray(four.sum(axis=0) * np.sqrt(0.75))
