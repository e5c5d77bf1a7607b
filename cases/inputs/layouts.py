"""Where the values of a batch lie in memory: the strides of every layout."""

from __future__ import annotations

from typing import Callable, Dict, Sequence, Tuple

Strides = Tuple[int, ...]
"""The distance of neighbours in each dimension, in values."""

CHANNELS_LAST = (0, 2, 3, 1)
"""The dimensions of a channels_last tensor in the order of memory, the outermost first."""

_PERMUTED = (2, 0, 3, 1)


def dense(shape: Sequence[int], order: Sequence[int]) -> Strides:
    """The strides of a tensor without gaps whose dimensions lie in this order, the outermost first."""
    strides = [0] * len(shape)
    step = 1
    for dimension in reversed(order):
        strides[dimension] = step
        step *= max(shape[dimension], 1)
    return tuple(strides)


def lies_in(shape: Sequence[int], strides: Sequence[int], order: Sequence[int]) -> bool:
    """Whether a tensor is without gaps in this order; dimensions of size 1 do not matter."""
    if 0 in shape:
        return True
    wanted = dense(shape, order)
    return all(size == 1 or strides[d] == wanted[d] for d, size in enumerate(shape))


def _contiguous(shape: Sequence[int]) -> Strides:
    return dense(shape, range(len(shape)))


def _in_order(shape: Sequence[int], order: Sequence[int]) -> Strides:
    """A contiguous tensor that is put into an order: left as it is where it is in that order already."""
    strides = _contiguous(shape)
    return strides if lies_in(shape, strides, order) else dense(shape, order)


def _sliced(shape: Sequence[int]) -> Strides:
    return tuple(2 * stride for stride in _contiguous(shape))


def _expanded(shape: Sequence[int]) -> Strides:
    strides = _contiguous(shape)
    return strides if shape[0] == 1 else (0, *strides[1:])


STRIDES: Dict[str, Callable[[Sequence[int]], Strides]] = {
    "contiguous": _contiguous,
    "channels_last": lambda shape: _in_order(shape, CHANNELS_LAST),
    "permuted": lambda shape: _in_order(shape, _PERMUTED),
    "sliced": _sliced,
    "expanded": _expanded,
    "shifted": _contiguous,
    "scalar": lambda shape: (0,) * len(shape),
}
"""Word of GRADIENT_LAYOUTS to the strides of a tensor of a shape. The strides of a dimension of size 1 are
those with which torch makes it."""
