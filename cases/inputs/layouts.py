"""The layouts of a tensor: its strides in memory, and the memory format that torch sees in it."""

from __future__ import annotations

from typing import Dict, Sequence, Tuple

ORDERS: Dict[str, Tuple[int, ...]] = {
    "contiguous": (0, 1, 2, 3),
    "shifted": (0, 1, 2, 3),
    "channels_last": (0, 2, 3, 1),
    "permuted": (2, 0, 3, 1),
    "transposed": (0, 1, 3, 2),
    "swapped": (1, 0, 2, 3),
    "unsqueezed": (0, 2, 3, 1),
}
"""Maps a dense layout to its dimensions in the order in which they lie in memory, the slowest first."""

DENSE = ("contiguous", "channels_last")
"""The memory formats that torch has kernels for."""

LONGER: Dict[str, Tuple[int, ...]] = {
    "sliced": (-1,),
    "cropped": (2, 3),
    "channel_part": (1,),
    "channel_step": (1,),
    "image_step": (0,),
    "channel_rest": (1,),
    "image_rest": (0,),
}
"""Maps a part of a larger tensor to the dimensions in which that is larger: by 1 for ``cropped`` and
``image_rest``, else twice as large. The number of images decides no stride."""

STEPS = ("sliced", "channel_step", "image_step")
"""The parts that take every second number along their dimension."""

LAST_PART = "channels_last_"
"""The beginning of the words of ``cases.variants.CUT_CHANNELS_LAST``."""

REPEATED: Dict[str, Tuple[int, ...]] = {
    "expanded": (0,),
    "image": (2, 3),
    "one_row": (2,),
    "one_channel": (1,),
}
"""Maps a layout that repeats numbers to the dimensions along which it repeats them."""


def _dense(shape: Sequence[int], order: Sequence[int]) -> Tuple[int, ...]:
    """Return the strides of a dense tensor whose dimensions lie in this order in memory."""
    found = [0] * len(shape)
    step = 1
    for each in reversed(order):
        found[each] = step
        step *= shape[each]
    return tuple(found)


def strides(shape: Sequence[int], layout: str) -> Tuple[int, ...]:
    """Return the stride of each dimension, in elements."""
    if layout == "scalar":
        return (0,) * len(shape)
    if layout == "windows":
        images, channels, height, width = shape
        return (*_dense((images, channels, height + width - 1), (0, 1, 2)), 1)
    last = layout.startswith(LAST_PART)
    part = layout[len(LAST_PART) :] if last else layout
    order = ORDERS["channels_last"] if last else ORDERS.get(layout, range(len(shape)))
    larger = list(shape)
    for each in LONGER.get(part, ()):
        larger[each] = larger[each] + 1 if part == "cropped" else 2 * larger[each]
    found = list(_dense(larger, order if len(shape) == 4 else range(len(shape))))
    for each in LONGER[part] if part in STEPS else ():
        found[each] *= 2
    for each in REPEATED.get(layout, ()):
        found[each] = 0
    if layout == "unsqueezed" and shape[-1] == 1:
        found[-1] = 1
    return tuple(found)


def strides_of_view(shape: Sequence[int], strides: Sequence[int]) -> Tuple[int, ...]:
    """Return the strides of ``tensor.view(shape)`` for a tensor of the same shape with these strides.

    torch gives every dimension of size 1 but the last the stride that would follow from the dimension
    after it. Only a tensor without elements keeps its strides.
    """
    found = list(strides)
    for each in reversed(range(len(shape) - 1)):
        if shape[each] == 1 and 0 not in shape:
            found[each] = shape[each + 1] * found[each + 1]
    return tuple(found)


def memory_format(shape: Sequence[int], layout: str) -> str:
    """Return ``contiguous``, ``channels_last`` or ``other``; contiguous where both are true.

    A dimension of size 1 does not count, so a permuted tensor of one image or of one row is
    channels_last. A tensor without elements is contiguous in every layout but channels_last. In that
    layout it is contiguous if it has no channels or its last dimension is 0.
    """
    if 0 in shape and (layout != "channels_last" or not shape[1] or not shape[-1]):
        return "contiguous"
    found = strides(shape, layout)
    for name in DENSE if len(shape) == 4 else ("contiguous",):
        order = ORDERS[name] if len(shape) == 4 else range(len(shape))
        wanted = _dense(shape, order)
        if all(a == b for a, b, size in zip(found, wanted, shape) if size != 1):
            return name
    return "other"


def suggests_channels_last(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether the strides grow in the order channel, column, row, image; here a size of 1 counts."""
    last = ORDERS["channels_last"][::-1]
    return all(strides[b] >= shape[a] * strides[a] for a, b in zip(last, last[1:]))


def suggested_format(shape: Sequence[int], layout: str, strides: Sequence[int]) -> str:
    """Return the memory format of a new tensor that torch makes like one of this shape and layout.

    It is the tensor's own, but the parts of a channels_last tensor are followed by a channels_last one.
    ``strides``: the tensor's, or those of a view of it, which may differ along dimensions of size 1.
    """
    found = memory_format(shape, layout)
    if not layout.startswith(LAST_PART) or 0 in shape:
        return found
    if found == "other" and not suggests_channels_last(shape, strides):
        return "contiguous"
    return memory_format(shape, "channels_last")
