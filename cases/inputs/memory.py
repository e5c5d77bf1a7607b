"""The memory format that torch sees in a tensor of a given shape and layout."""

from __future__ import annotations

from typing import Dict, Sequence, Tuple

ORDERS: Dict[str, Tuple[int, ...]] = {
    "contiguous": (0, 1, 2, 3),
    "shifted": (0, 1, 2, 3),
    "channels_last": (0, 2, 3, 1),
    "permuted": (2, 0, 3, 1),
    "transposed": (0, 1, 3, 2),
    "swapped": (1, 0, 2, 3),
}
"""Maps a dense layout to its dimensions in the order in which they lie in memory, the slowest first."""

PARTS = "channels_last_"
"""What the words of ``cases.variants.CUT_CHANNELS_LAST`` begin with."""

DENSE = ("contiguous", "channels_last")
"""The memory formats that torch has kernels for."""


def memory_format(shape: Sequence[int], layout: str) -> str:
    """Return ``contiguous``, ``channels_last`` or ``other``; contiguous where both are true.

    A dimension of size 1 does not count, so a permuted tensor of one image or of one row is
    channels_last. A tensor without elements is contiguous in every layout but channels_last. In that
    layout it is contiguous if it has no channels or its last dimension is 0.
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


def suggested_format(shape: Sequence[int], layout: str) -> str:
    """Return the memory format of a new tensor that torch makes like one of this shape and layout.

    It is the tensor's own, but the parts of a channels_last tensor are followed by a channels_last one.
    """
    if layout.startswith(PARTS) and 0 not in shape:
        return memory_format(shape, "channels_last")
    return memory_format(shape, layout)
