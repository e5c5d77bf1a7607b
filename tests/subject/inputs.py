"""Batches as torch tensors."""

from __future__ import annotations

from typing import Callable, Dict, Tuple

import torch

from cases.inputs import Batch
from tests.subject.devices import HERE, Device
from tests.subject.observation import same_bytes
from tests.subject.reading import numbers


class Input:
    """A batch as a torch tensor of its own; ``changed`` tells whether the subject wrote to it."""

    def __init__(self, given: Batch, device: Device = HERE) -> None:
        self.batch = given
        values = torch.from_numpy(given.values.copy())
        dtype = getattr(torch, given.dtype)
        values = device.to(values if values.dtype == dtype else values.to(dtype))
        self.tensor = LAYOUTS[given.layout](values)  # moving it afterwards might change its strides
        self._facts, self._values = self._now(), numbers(self.tensor).copy()

    def _now(self) -> Tuple[object, ...]:
        """Return everything about the tensor but its numbers: place, strides, shape, dtype."""
        tensor = self.tensor
        return tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype, tensor.requires_grad

    def contiguity(self) -> Tuple[bool, ...]:
        """Whether torch calls the tensor contiguous, and whether it calls it channels_last."""
        last = self.tensor.dim() == 4
        return (
            self.tensor.is_contiguous(),
            last and self.tensor.is_contiguous(memory_format=torch.channels_last),
        )

    def changed(self) -> bool:
        """Whether anything about the tensor has changed since it was made, including any bit."""
        return self._now() != self._facts or not same_bytes(numbers(self.tensor), self._values)


def _sliced(values: torch.Tensor) -> torch.Tensor:
    wide = values.new_zeros(values.shape[:-1] + (2 * values.shape[-1],))
    wide[..., ::2] = values
    return wide[..., ::2]


def _scalar(values: torch.Tensor) -> torch.Tensor:
    first = values.reshape(-1)[0] if values.numel() else values.new_zeros(())
    return first.expand(values.shape)


def _windows(values: torch.Tensor) -> torch.Tensor:
    if not values.numel():
        return values
    return torch.cat([values[:, :, 0], values[:, :, 1:, -1]], 2).unfold(2, values.shape[3], 1)


def _unsqueezed(values: torch.Tensor) -> torch.Tensor:
    last = values.contiguous(memory_format=torch.channels_last)
    return last[..., 0].unsqueeze(-1) if values.shape[3] == 1 else last


def _part(layout: str, memory_format: torch.memory_format) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function that gives a tensor (N, C, H, W) the strides of a part of a larger tensor.

    ``memory_format``: that of the larger tensor.
    """

    def part(values: torch.Tensor) -> torch.Tensor:
        images, channels, height, width = values.shape
        sizes, place = PARTS[layout](images, channels, height, width)
        larger = values.new_zeros(sizes).contiguous(memory_format=memory_format)
        larger[place] = values
        return larger[place]

    return part


PARTS: Dict[str, Callable[[int, int, int, int], Tuple[Tuple[int, ...], Tuple[slice, ...]]]] = {
    "cropped": lambda n, c, h, w: ((n, c, h + 1, w + 1), (*2 * (slice(None),), slice(h), slice(w))),
    "channel_part": lambda n, c, h, w: ((n, 2 * c, h, w), (slice(None), slice(c))),
    "channel_step": lambda n, c, h, w: ((n, 2 * c, h, w), (slice(None), slice(None, None, 2))),
    "image_step": lambda n, c, h, w: ((2 * n, c, h, w), (slice(None, None, 2),)),
    "channel_rest": lambda n, c, h, w: ((n, 2 * c, h, w), (slice(None), slice(c, None))),
    "image_rest": lambda n, c, h, w: ((n + 1, c, h, w), (slice(1, None),)),
}
"""Maps a word of ``cases.variants.CUT_LAYOUTS`` to a function from the shape of the part to the shape
of the larger tensor and the slices that take the part out of it."""

LAYOUTS: Dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "contiguous": lambda values: values,
    "channels_last": lambda values: values.contiguous(memory_format=torch.channels_last),
    "permuted": lambda values: values.permute(2, 0, 3, 1).contiguous().permute(1, 3, 0, 2),
    "sliced": _sliced,
    "expanded": lambda values: values[:1].expand(values.shape),
    "shifted": lambda values: torch.stack([torch.zeros_like(values), values])[1],
    "scalar": _scalar,
    "transposed": lambda values: values.transpose(2, 3).contiguous().transpose(2, 3),
    "swapped": lambda values: values.transpose(0, 1).contiguous().transpose(0, 1),
    **{layout: _part(layout, torch.contiguous_format) for layout in PARTS},
    "image": lambda values: values[:, :, :1, :1].expand(values.shape),
    "one_row": lambda values: values[:, :, :1].expand(values.shape),
    "one_channel": lambda values: values[:, :1].expand(values.shape),
    **{f"channels_last_{layout}": _part(layout, torch.channels_last) for layout in PARTS},
    "windows": _windows,
    "unsqueezed": _unsqueezed,
}
"""Maps a word of ``cases.variants.EVERY_LAYOUT`` to a function that gives a tensor its strides."""
