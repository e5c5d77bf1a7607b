"""Differentiates the output of the last forward of a live module."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Tuple

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
    recording: Recording, upstream: torch.Tensor, retain: bool
) -> Tuple[Optional[ObservedGradient], ...]:
    """``torch.autograd.grad`` for input, weight and bias, as far as they require a gradient.

    Raises whatever that raises.
    """
    leaves = recording.leaves
    wanted = [leaf for leaf in leaves if leaf is not None and leaf.requires_grad]
    found = torch.autograd.grad(
        recording.output, wanted or leaves[:1], upstream, retain_graph=retain, allow_unused=True
    )
    by_leaf = {id(leaf): gradient for leaf, gradient in zip(wanted, found)}
    return tuple(_observed(by_leaf.get(id(leaf))) for leaf in leaves)


def _observed(gradient: Optional[torch.Tensor]) -> Optional[ObservedGradient]:
    if gradient is None:
        return None
    return ObservedGradient(
        values=numbers(gradient).copy(),
        dtype=dtype_name(gradient.dtype),
        contiguous=gradient.is_contiguous(),
        channels_last=gradient.dim() == 4
        and gradient.is_contiguous(memory_format=torch.channels_last),
        requires_grad=gradient.requires_grad,
    )
