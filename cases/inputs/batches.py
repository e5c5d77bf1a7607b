"""The batches that forwards name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Tuple

import numpy as np

from cases.errors import CaseError, listed, one_of, quoted
from cases.inputs import series
from cases.inputs.layouts import (
    REPEATED,
    memory_format,
    strides,
    strides_of_view,
    suggested_format,
    suggests_channels_last,
)
from cases.inputs.named import NAMED, OTHER_DTYPES
from cases.inputs.own import OWN
from cases.variants import EVERY_LAYOUT, GRADIENT_LAYOUTS, Variant, regimes

OF_FOUR_DIMENSIONS = ("channels_last", "permuted", *EVERY_LAYOUT[len(GRADIENT_LAYOUTS) :])
"""The layouts that only tensors of four dimensions have."""


def laid_out(values: np.ndarray, layout: str) -> np.ndarray:
    """Return the values that a tensor of this layout has: those that it repeats are equal."""
    if layout == "scalar" and values.size:
        return np.full(values.shape, values.flat[0])
    if layout == "windows" and values.size:
        return _windows(values)
    if layout not in REPEATED:
        return values
    once = tuple(slice(1 if each in REPEATED[layout] else None) for each in range(values.ndim))
    return np.ascontiguousarray(np.broadcast_to(values[once], values.shape))


def _windows(values: np.ndarray) -> np.ndarray:
    """Return images whose rows are windows of one long row: the first row, then the last column."""
    height, width = values.shape[2:]
    long = np.concatenate([values[:, :, 0], values[:, :, 1:, -1]], axis=2)
    return np.stack([long[:, :, row : row + width] for row in range(height)], axis=2)


@dataclass(frozen=True, eq=False)
class Batch:
    """An input, or a tensor of its shape: an upstream gradient, direction or tangent.

    Compared by identity.

    ``values``: the array, read-only. ``dtype``: the dtype in torch, see ``cases.inputs.storage``.
    ``layout``: one of EVERY_LAYOUT. ``exact``: the input is of the exact lane. ``regimes``: a word
    for each channel, for messages; empty for an input that has none. ``view``: the module is handed a
    view of the input, which may have other strides.
    """

    name: str
    values: np.ndarray
    dtype: str
    layout: str
    exact: bool
    regimes: Tuple[str, ...]
    view: bool = False

    @cached_property
    def strides(self) -> Tuple[int, ...]:
        """The stride of each dimension, in elements."""
        found = strides(self.values.shape, self.layout)
        return strides_of_view(self.values.shape, found) if self.view else found

    @cached_property
    def memory_format(self) -> str:
        """``contiguous``, ``channels_last`` or ``other``."""
        return memory_format(self.values.shape, self.layout)

    @cached_property
    def suggested_format(self) -> str:
        """The memory format of a new tensor that torch makes like this one."""
        return suggested_format(self.values.shape, self.layout, self.strides)

    @property
    def overlaps(self) -> bool:
        """Whether elements share a place in memory by a stride of 0; ``windows`` have no such stride."""
        shape = self.values.shape
        along = range(len(shape)) if self.layout == "scalar" else REPEATED.get(self.layout, ())
        return bool(self.values.size) and any(shape[each] > 1 for each in along)

    @cached_property
    def ambiguous(self) -> bool:
        """Whether the batch is channels_last only because strides of dimensions of size 1 are ignored.

        Those strides contradict the format, so some functions of torch treat such a tensor as contiguous
        and others as channels_last.
        """
        last = self.memory_format == "channels_last"
        return last and not suggests_channels_last(self.values.shape, self.strides)


def _values(variant: Variant, name: str) -> np.ndarray:
    """Return the values of the input, C-contiguous; raises CaseError for an unknown name."""
    for given in variant.given:
        if given.name == name:
            return np.frombuffer(given.data, dtype=given.dtype).reshape(given.shape)
    if name == OWN:
        raise CaseError(f"the batch {OWN!r} is read from a file; name it with --input=FILE")
    if name in NAMED:
        return NAMED[name](variant)
    values = series.values(variant, name)
    if values is None:
        raise CaseError(f"{quoted(name)} is no batch; {listed(name, (*series.NAMES, *NAMED))}")
    return values


def check_dimensions(name: str, layout: str, dimensions: int, what: str) -> None:
    """Raise CaseError where a tensor of so many dimensions cannot have the layout."""
    if dimensions != 4 and layout in OF_FOUR_DIMENSIONS:
        raise CaseError(f"{quoted(name)} is no {what}: {layout} is a layout of 4 dimensions")


@lru_cache(maxsize=512)
def batch(variant: Variant, name: str, view: bool = False) -> Batch:
    """Return the batch that ``name`` names under ``variant``; the same object every time.

    ``name`` may end in a layout, as in ``b0.channels_last``. ``view``: see Batch. Raises CaseError for
    another name.
    """
    plain, _, layout = name.partition(".")
    values = _values(variant, plain)
    if "." in name:
        one_of(layout, EVERY_LAYOUT, "layout")
        check_dimensions(name, layout, values.ndim, "batch")
    values = laid_out(values, layout)
    values.setflags(write=False)
    return Batch(
        name=name,
        values=values,
        dtype=str(values.dtype) if plain in OTHER_DTYPES else variant.input_dtype,
        layout=layout or "contiguous",
        exact=variant.lane == "exact",
        regimes=() if variant.given or plain != name or name[:1] != "b" else regimes(variant),
        view=view,
    )
