"""Differentiates the output of the last forward of a live module."""

from __future__ import annotations

from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import torch

from cases.inputs import Batch
from tests.subject.observation import ObservedGradient
from tests.subject.reading import dtype_name, numbers


class Recording(NamedTuple):
    """A forward that returned: its input as data, and the tensors that may have gradients."""

    given: Batch
    output: Any
    leaves: Tuple[Any, ...]


def gradients(
    recording: Recording, upstream: torch.Tensor, retain: bool, earlier: List[torch.Tensor]
) -> Tuple[Optional[ObservedGradient], ...]:
    """``torch.autograd.grad`` for input, weight and bias, as far as they require a gradient.

    ``earlier``: the gradients of earlier backwards; the new ones are added. Raises whatever torch raises.
    """
    leaves = recording.leaves
    wanted = [leaf for leaf in leaves if leaf is not None and leaf.requires_grad]
    found = torch.autograd.grad(
        recording.output, wanted or leaves[:1], upstream, retain_graph=retain, allow_unused=True
    )
    by_leaf = {id(leaf): gradient for leaf, gradient in zip(wanted, found)}
    others = (upstream, *earlier)
    earlier.extend(each for each in found if each is not None)
    return tuple(_observed(by_leaf.get(id(leaf)), others) for leaf in leaves)


def _overlap(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether the stretches from the first to the last number of each have a place in common."""
    if not one.numel() or not other.numel():
        return False
    (begin, end), (other_begin, other_end) = map(_stretch, (one, other))
    return begin < other_end and other_begin < end


def _stretch(tensor: torch.Tensor) -> Tuple[int, int]:
    """Where its memory begins and ends."""
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride()))
    return tensor.data_ptr(), tensor.data_ptr() + (last + 1) * tensor.element_size()


def _observed(
    gradient: Optional[torch.Tensor], others: Sequence[torch.Tensor]
) -> Optional[ObservedGradient]:
    if gradient is None:
        return None
    return ObservedGradient(
        values=numbers(gradient).copy(),
        dtype=dtype_name(gradient.dtype),
        contiguous=gradient.is_contiguous(),
        channels_last=gradient.dim() == 4
        and gradient.is_contiguous(memory_format=torch.channels_last),
        requires_grad=gradient.requires_grad,
        shares_memory=any(_overlap(gradient, other) for other in others),
    )
