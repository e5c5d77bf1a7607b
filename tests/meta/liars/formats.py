"""The memory format that a new tensor gets that is made like another."""

from __future__ import annotations

import torch


def follows_channels_last(x: torch.Tensor) -> bool:
    """Whether x is channels_last, or a part of a larger tensor that is."""
    if x.is_contiguous(memory_format=torch.channels_last):
        return True
    if x.is_contiguous():
        return False
    _, channels, height, width = x.shape
    image, channel, row, pixel = x.stride()
    inside = 0 < channel * channels <= pixel and pixel * width <= row
    return inside and row * height <= image
