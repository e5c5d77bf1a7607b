"""Differentiates outputs of a live module, and reads ``.grad``."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import torch

from cases.derivatives import ASKED, GRADIENTS, Backward
from cases.inputs import Batch
from tests.subject.devices import Device
from tests.subject.observation import ObservedDerivative, ObservedGrad, ObservedGradient
from tests.subject.reading import numbers


class Recording(NamedTuple):
    """A forward that returned: its input as data, and the tensors that may have gradients."""

    given: Batch
    output: Any
    leaves: Tuple[Any, ...]


def gradients(
    recording: Recording,
    upstream: torch.Tensor,
    step: Backward,
    earlier: List[torch.Tensor],
    device: Device,
) -> Tuple[Optional[ObservedGradient], ...]:
    """Call ``torch.autograd.grad`` for what the step asks for, as far as it requires a gradient.

    ``earlier``: the gradients of earlier backwards; the new ones are added. Raises whatever torch raises.
    """
    leaves = [leaf if name in ASKED[step.of] else None for name, leaf in zip(GRADIENTS, recording.leaves)]
    wanted = [leaf for leaf in leaves if leaf is not None and leaf.requires_grad]
    sought = wanted or [recording.leaves[0].detach()]  # for which torch refuses to differentiate
    found = torch.autograd.grad(
        recording.output, sought, upstream, retain_graph=step.retain, allow_unused=True
    )
    by_leaf = {id(leaf): gradient for leaf, gradient in zip(wanted, found)}
    others = (upstream, *earlier)
    earlier.extend(each for each in found if each is not None)
    return tuple(observed_gradient(by_leaf.get(id(leaf)), others, device) for leaf in leaves)


class FurtherBackward(NamedTuple):
    """A double or triple backward.

    ``gradient``: the upstream gradient. ``directions``: those of the gradients of input, weight and bias,
    None for a gradient that is not differentiated further. ``along``: that of the second derivative with
    respect to the input, None for a double backward. ``alone``: each second derivative is asked for
    alone. ``constant``: the upstream gradient requires no gradient.
    """

    gradient: torch.Tensor
    directions: Tuple[Optional[torch.Tensor], ...]
    along: Optional[torch.Tensor] = None
    alone: bool = False
    constant: bool = False


Derivatives = Tuple[Tuple[str, ObservedDerivative], ...]
"""Derivatives, with the names of their quantities."""


def further_derivatives(recording: Recording, asked: FurtherBackward, device: Device) -> Derivatives:
    """Differentiate the gradients of input, weight and bias, each multiplied by its direction.

    Raises whatever ``torch.autograd.grad`` raises.
    """
    leaves, given = recording.leaves, asked.gradient.detach()
    given.requires_grad_(not asked.constant)
    wanted = [leaf for leaf in leaves if leaf is not None and leaf.requires_grad]
    create = asked.along is not None
    first = torch.autograd.grad(
        recording.output, wanted or leaves[:1], given, create_graph=True, allow_unused=True
    )
    along = [
        each
        for leaf, each in zip(leaves, asked.directions)
        if leaf is not None and leaf.requires_grad
    ]
    pairs = [pair for pair in zip(first, along) if pair[0] is not None and pair[1] is not None]
    if asked.constant:  # the bias's gradient may then depend on nothing
        pairs = [pair for pair in pairs if pair[0].requires_grad]
    named = zip(("input", "weight", "upstream"), (*leaves[:2], given))
    sources = [pair for pair in named if pair[1] is not None and pair[1].requires_grad]
    sought = [leaf for _, leaf in sources]
    found: Tuple[Optional[torch.Tensor], ...] = (None,) * len(sought)
    if not asked.constant or (pairs and sought):
        options = {"create_graph": create, "retain_graph": create or asked.alone}
        parts = [[leaf] for leaf in sought] if asked.alone else [leaves[:1] if create else sought]
        found = tuple(each for part in parts for each in _differentiated(pairs, part, options))
    if create:
        found = _thirds(found[0], sought, asked.along)
    kind = "3rd" if create else "2nd"
    return tuple(
        (f"{name} {kind} gradient", derivative(torch.zeros_like(leaf) if each is None else each, device))
        for (name, leaf), each in zip(sources, found)
    )


def _differentiated(
    pairs: Sequence[Tuple[Any, Any]], sought: Sequence[Any], options: Dict[str, bool]
) -> Tuple[Optional[torch.Tensor], ...]:
    """Differentiate the first of each pair, multiplied by the second."""
    found: Tuple[Optional[torch.Tensor], ...] = torch.autograd.grad(
        [each for each, _ in pairs],
        sought,
        [direction for _, direction in pairs],
        allow_unused=True,
        **options,
    )
    return found


def _thirds(
    second: Optional[torch.Tensor], sought: List[torch.Tensor], along: Optional[torch.Tensor]
) -> Tuple[Optional[torch.Tensor], ...]:
    """Differentiate a second derivative, which may depend on nothing."""
    if second is None or not second.requires_grad:
        return (None,) * len(sought)
    return torch.autograd.grad(second, sought, along, allow_unused=True)


def derivative(tensor: torch.Tensor, device: Device) -> ObservedDerivative:
    """Observe a derivative."""
    return ObservedDerivative(numbers(tensor).copy(), device.dtype_of(tensor))


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


def observed_gradient(
    gradient: Optional[torch.Tensor], others: Sequence[torch.Tensor], device: Device
) -> Optional[ObservedGradient]:
    """Observe a gradient, and whether it shares memory with ``others``."""
    if gradient is None:
        return None
    return ObservedGradient(
        values=numbers(gradient).copy(),
        dtype=device.dtype_of(gradient),
        contiguous=gradient.is_contiguous(),
        channels_last=gradient.dim() == 4
        and gradient.is_contiguous(memory_format=torch.channels_last),
        requires_grad=gradient.requires_grad,
        shares_memory=any(_overlap(gradient, other) for other in others),
    )


def grads(leaves: Iterable[Tuple[str, Any]], device: Device) -> Tuple[Tuple[str, ObservedGrad], ...]:
    """Return the tensors that have a ``.grad``, each with its ``.grad``."""
    found = []
    for name, leaf in leaves:
        if isinstance(leaf, torch.Tensor) and leaf.is_leaf and leaf.grad is not None:
            found.append((name, _grad(leaf, leaf.grad, device)))
    return tuple(found)


def _grad(leaf: torch.Tensor, grad: torch.Tensor, device: Device) -> ObservedGrad:
    same = [a == b for a, b, size in zip(grad.stride(), leaf.stride(), leaf.shape) if size != 1]
    contiguous = grad.is_contiguous()
    return ObservedGrad(
        values=numbers(grad).copy(),
        dtype=device.dtype_of(grad),
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
