"""Differentiates outputs of a live module, and reads ``.grad``."""

from __future__ import annotations

from typing import Any, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import torch

from cases.inputs import Batch
from tests.subject.observation import ObservedGrad, ObservedGradient, ObservedSecond
from tests.subject.reading import dtype_name, numbers


class Recording(NamedTuple):
    """A forward that returned: its input as data, and the tensors that may have gradients."""

    given: Batch
    output: Any
    leaves: Tuple[Any, ...]


def gradients(
    recording: Recording, upstream: torch.Tensor, retain: bool, earlier: List[torch.Tensor]
) -> Tuple[Optional[ObservedGradient], ...]:
    """Call ``torch.autograd.grad`` for input, weight and bias, as far as they require a gradient.

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


def seconds(
    recording: Recording, upstream: torch.Tensor, directions: Tuple[torch.Tensor, ...]
) -> Tuple[Tuple[str, ObservedSecond], ...]:
    """Differentiate the gradients of input, weight and bias, each multiplied by its direction.

    Raises whatever ``torch.autograd.grad`` raises.
    """
    leaves, given = recording.leaves, upstream.detach().requires_grad_()
    wanted = [leaf for leaf in leaves if leaf is not None and leaf.requires_grad]
    first = torch.autograd.grad(
        recording.output, wanted or leaves[:1], given, create_graph=True, allow_unused=True
    )
    along = [each for leaf, each in zip(leaves, directions) if leaf is not None and leaf.requires_grad]
    pairs = [pair for pair in zip(first, along) if pair[0] is not None]
    named = zip(("input", "weight", "upstream"), (*leaves[:2], given))
    sources = [pair for pair in named if pair[1] is not None and pair[1].requires_grad]
    found = torch.autograd.grad(
        [each for each, _ in pairs],
        [leaf for _, leaf in sources],
        [direction for _, direction in pairs],
        allow_unused=True,
    )
    return tuple(
        (name, _second(torch.zeros_like(leaf) if each is None else each))
        for (name, leaf), each in zip(sources, found)
    )


def _second(derivative: torch.Tensor) -> ObservedSecond:
    return ObservedSecond(numbers(derivative).copy(), dtype_name(derivative.dtype))


def _overlap(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether the memory ranges from first to last number of two tensors overlap."""
    if not one.numel() or not other.numel():
        return False
    (begin, end), (other_begin, other_end) = map(_stretch, (one, other))
    return begin < other_end and other_begin < end


def _stretch(tensor: torch.Tensor) -> Tuple[int, int]:
    """Return where the tensor's memory begins and ends."""
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


def grads(leaves: Iterable[Tuple[str, Any]]) -> Tuple[Tuple[str, ObservedGrad], ...]:
    """Return the tensors that have a ``.grad``, each with its ``.grad``."""
    found = []
    for name, leaf in leaves:
        if isinstance(leaf, torch.Tensor) and leaf.is_leaf and leaf.grad is not None:
            found.append((name, _grad(leaf, leaf.grad)))
    return tuple(found)


def _grad(leaf: torch.Tensor, grad: torch.Tensor) -> ObservedGrad:
    same = [a == b for a, b, size in zip(grad.stride(), leaf.stride(), leaf.shape) if size != 1]
    contiguous = grad.is_contiguous()
    return ObservedGrad(
        values=numbers(grad).copy(),
        dtype=dtype_name(grad.dtype),
        contiguous=contiguous,
        as_leaf=all(same) if _dense(leaf) else contiguous,
        requires_grad=grad.requires_grad,
    )


def _dense(tensor: torch.Tensor) -> bool:
    """Whether each number has a place of its own in memory, and there are no gaps between them."""
    place = 1
    for stride, size in sorted((a, b) for a, b in zip(tensor.stride(), tensor.shape) if b != 1):
        if stride != place:
            return False
        place *= size
    return True
