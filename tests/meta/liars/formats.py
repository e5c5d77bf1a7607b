"""The memory format that a new tensor gets that is made like another."""

from __future__ import annotations

import torch


def follows_channels_last(x: torch.Tensor) -> bool:
    """Whether x is channels_last, or a part of a larger tensor that is."""
    if x.is_contiguous(memory_format=torch.channels_last):
        return True
    if x.is_contiguous():
        return False
    return in_order(x)


def in_order(x: torch.Tensor) -> bool:
    """Whether the strides grow from channel to pixel, row and image, also along a size of 1."""
    _, channels, height, width = x.shape
    image, channel, row, pixel = x.stride()
    inside = 0 < channel * channels <= pixel and pixel * width <= row
    return inside and row * height <= image


def both_channels_last(x: torch.Tensor, g: torch.Tensor) -> bool:
    """Whether torch differentiates with its kernel for channels_last tensors."""
    last = [each.is_contiguous(memory_format=torch.channels_last) for each in (x, g)]
    if x.shape[2:] == (1, 1):
        return all(last)
    if x.is_contiguous() or not last[0] or not (last[1] or g.is_contiguous()):
        return False
    return in_order(x) == (in_order(g) and not g.is_contiguous())
