"""Batches as torch tensors."""

from __future__ import annotations

from functools import lru_cache
from typing import Tuple

import torch

from cases.inputs import Batch
from tests.subject.observation import other_bytes


class Input:
    """A batch as a torch tensor, made once; ``changed`` tells whether someone wrote to it."""

    def __init__(self, given: Batch) -> None:
        self._pristine = given.values
        values = torch.from_numpy(given.values.copy())
        self.tensor = _laid_out(values, given.layout)
        self.pointer = self.tensor.data_ptr()
        self._facts, self._view = self._now(), self.tensor.numpy()

    def _now(self) -> Tuple[object, ...]:
        """All but the numbers: where they lie, and how."""
        tensor = self.tensor
        return tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype, tensor.requires_grad

    def changed(self) -> bool:
        """Whether it is no longer as it was made: its numbers, bit for bit, or anything else."""
        return self._now() != self._facts or other_bytes(self._view, self._pristine)


def _laid_out(values: torch.Tensor, layout: str) -> torch.Tensor:
    """The same logical tensor with other strides."""
    if layout == "channels_last":
        return values.contiguous(memory_format=torch.channels_last)
    if layout == "permuted":
        return values.permute(2, 0, 3, 1).contiguous().permute(1, 3, 0, 2)
    if layout == "sliced":
        wide = torch.zeros(values.shape[:-1] + (2 * values.shape[-1],), dtype=values.dtype)
        wide[..., ::2] = values
        return wide[..., ::2]
    if layout == "expanded":
        return values[:1].expand(values.shape)
    return values


@lru_cache(maxsize=512)
def tensor_of(given: Batch) -> Input:
    """The torch tensor of a batch, the same one every time."""
    return Input(given)
