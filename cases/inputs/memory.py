"""Which memory format a tensor of a shape has in each layout, as torch sees it."""

from __future__ import annotations

from typing import Dict, Sequence, Tuple

ORDERS: Dict[str, Tuple[int, ...]] = {
    "contiguous": (0, 1, 2, 3),
    "shifted": (0, 1, 2, 3),
    "channels_last": (0, 2, 3, 1),
    "permuted": (2, 0, 3, 1),
}
"""Dense layout to the dimensions in the order in which they lie in memory, the slowest first."""

DENSE = ("contiguous", "channels_last")
"""The memory formats that torch has kernels for."""


def memory_format(shape: Sequence[int], layout: str) -> str:
    """``contiguous``, ``channels_last`` or ``other``; contiguous where both are true.

    A dimension of size 1 does not count, so a permuted tensor of one image or of one row is
    channels_last. Without elements, torch makes every layout contiguous but channels_last, and that one,
    too, where there are no channels or the last dimension is 0.
    """
    if 0 in shape and (layout != "channels_last" or not shape[1] or not shape[-1]):
        return "contiguous"
    if len(shape) != 4 or layout not in ORDERS:
        dense = max(shape, default=1) <= 1 or (layout == "expanded" and shape[0] == 1)
        return "contiguous" if dense or layout in ORDERS else "other"
    for name in DENSE:
        orders = (ORDERS[layout], ORDERS[name])
        mine, wanted = ([each for each in order if shape[each] != 1] for order in orders)
        if mine == wanted:
            return name
    return "other"
