"""The upstream gradients that backward steps name: the gradient of a loss with respect to an output."""

from __future__ import annotations

from functools import lru_cache
from typing import Callable, Dict

import numpy as np

from cases.errors import one_of
from cases.inputs.batches import Batch, check_dimensions, laid_out
from cases.inputs.storage import stored
from cases.inputs.streams import bell, stream
from cases.variants import EVERY_LAYOUT, Variant

Values = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""A function from bell-shaped values and the input, both flat and float64, to the gradient's values."""


def _outlier(z: np.ndarray, x: np.ndarray) -> np.ndarray:
    values = 0.01 * z
    values[len(values) // 3 :: 101] = 100.0
    return values


def _alternating(z: np.ndarray, x: np.ndarray) -> np.ndarray:
    sign = 1.0 - 2.0 * (np.arange(len(z)) % 2)
    return np.asarray(sign * (1.0 + np.abs(z) / 4))


def _one(value: float) -> Values:
    """Return a function to ordinary values of which the first is replaced by ``value``."""

    def values(z: np.ndarray, x: np.ndarray) -> np.ndarray:
        found = z.copy()
        found[:1] = value
        return found

    return values


UPSTREAM: Dict[str, Values] = {
    "ordinary": lambda z, x: z,
    "offset": lambda z, x: 1e3 + z,
    "outlier": _outlier,
    "alternating": _alternating,
    "constant": lambda z, x: np.full_like(z, 0.3),
    "ones": lambda z, x: np.ones_like(z),
    "like_input": lambda z, x: np.where(np.isfinite(x), x, 1.0),
    "tiny": lambda z, x: 1e-12 * z,
}
"""Maps the name of an upstream gradient to its values. ``output.sum().backward()`` gives
``ones.scalar``."""


EXTREME: Dict[str, Values] = {"nan": _one(np.nan), "inf": _one(np.inf), "huge": _one(1e25)}
"""Maps a name to ordinary values with one extreme number, as a loss that is scaled for mixed precision
gives. EXTREME, RECTIFIED and ZEROS are for edges and spelled-out programs; the matrix has UPSTREAM."""

RECTIFIED: Dict[str, Values] = {"rectified": lambda z, x: np.maximum(z, 0.0)}
"""Maps a name to values half of which are zeros, as behind a ReLU."""

ZEROS: Dict[str, Values] = {"zeros": lambda z, x: np.zeros_like(z)}
"""Maps a name to the gradient of a loss that does not depend on the output."""

_EVERY = {**UPSTREAM, **EXTREME, **RECTIFIED, **ZEROS}


@lru_cache(maxsize=256)
def upstream(variant: Variant, given: Batch, name: str) -> Batch:
    """Return the gradient that ``name`` names for the output of the input ``given``: its shape and dtype.

    ``name`` may end in one of EVERY_LAYOUT, as in ``ordinary.channels_last``. Raises CaseError for
    another name.
    """
    plain, _, layout = name.partition(".")
    one_of(plain, tuple(_EVERY), "upstream gradient")
    if "." in name:
        one_of(layout, EVERY_LAYOUT, "layout of a gradient")
    shape = given.values.shape
    check_dimensions(name, layout, len(shape), f"gradient of a tensor of shape {shape}")
    z = bell(stream(variant, f"upstream {plain}"), int(np.prod(shape)))
    values = _EVERY[plain](z, given.values.astype(np.float64).reshape(-1))
    values = laid_out(stored(values.reshape(shape), given.dtype), layout)
    values.setflags(write=False)
    return Batch(name, values, given.dtype, layout or "contiguous", False, ())
