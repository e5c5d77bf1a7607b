"""Calls a live module inside a function that differentiates it: forward-mode derivatives, and vjp."""

from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

import torch

Called = Tuple[torch.Tensor, Optional[torch.Tensor]]
"""The output, and its tangent, None where it has none, or a first or second derivative."""


class Call(NamedTuple):
    """A call: the module, its input, and the tangent or the upstream gradient.

    ``parameters``: maps the names of weight and bias to their tangents.
    """

    module: Any
    x: torch.Tensor
    along: torch.Tensor
    parameters: Dict[str, torch.Tensor]


def _dual(call: Call) -> Called:
    """Call the module with a dual tensor, inside a dual level."""
    from torch.autograd import forward_ad  # some releases of torch lack it

    mode: Any = forward_ad
    return _unpacked(call.module(mode.make_dual(call.x, call.along)))


def _unpacked(output: torch.Tensor) -> Called:
    from torch.autograd import forward_ad

    mode: Any = forward_ad
    primal, tangent = mode.unpack_dual(output)
    return primal, tangent


def _forward_ad(call: Call) -> Called:
    from torch.autograd import forward_ad

    with forward_ad.dual_level():
        return _dual(call)


def _with_parameters(call: Call) -> Called:
    """Give the parameters tangents for one call, by putting dual tensors in their place.

    The input has none if that would be zeros.
    """
    from torch.autograd import forward_ad

    mode: Any = forward_ad
    own = dict(call.module._parameters)
    with mode.dual_level():
        try:
            for name, tangent in call.parameters.items():
                if own.get(name) is not None:
                    call.module._parameters[name] = mode.make_dual(own[name], tangent)
            moves = bool(call.along.ne(0).any()) or not call.along.numel()
            return _dual(call) if moves else _unpacked(call.module(call.x))
        finally:
            call.module._parameters.update(own)


def _functional(name: str) -> Callable[[Call], Called]:
    def call_of(call: Call) -> Called:
        output, found = getattr(torch.autograd.functional, name)(call.module, call.x, call.along)
        return output, found

    return call_of


def _func_jvp(call: Call) -> Called:
    functions: Any = torch.func
    output, tangent = functions.jvp(call.module, (call.x,), (call.along,))
    return output, tangent


def _func_vjp(call: Call) -> Called:
    functions: Any = torch.func
    output, pulled_back = functions.vjp(call.module, call.x)
    return output, pulled_back(call.along)[0]


def _nested(outer: str, inner: Callable[[Call, torch.Tensor], Called]) -> Callable[[Call], Called]:
    """Return a way that differentiates what ``inner`` finds, by jvp or vjp."""

    def call_of(call: Call) -> Called:
        functions: Any = torch.func

        def found(x: torch.Tensor) -> Tuple[Optional[torch.Tensor], torch.Tensor]:
            output, first = inner(call, x)
            return first, output

        if outer == "jvp":
            _, second, output = functions.jvp(found, (call.x,), (call.along,), has_aux=True)
            return output, _materialised(second, call.x)
        _, pulled_back, output = functions.vjp(found, call.x, has_aux=True)
        return output, _materialised(pulled_back(call.along)[0], call.x)

    return call_of


def _materialised(found: Optional[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Return a derivative with numbers in memory: torch may return None for zeros, or mark them."""
    marked: Callable[[], bool] = getattr(found, "_is_zerotensor", bool)
    return torch.zeros_like(x) if found is None or marked() else found


def _tangent(call: Call, x: torch.Tensor) -> Called:
    return _func_jvp(call._replace(x=x))


def _gradient(call: Call, x: torch.Tensor) -> Called:
    return _func_vjp(call._replace(x=x))


def _grad_of_tangent(call: Call) -> Called:
    """Differentiate a tangent with respect to the input."""
    from torch.autograd import forward_ad

    x = call.x.detach().requires_grad_()
    with forward_ad.dual_level():
        output, tangent = _dual(call._replace(x=x))
        if tangent is None:
            return output, None
        if not tangent.requires_grad:
            return output, torch.zeros_like(x)
        second = torch.autograd.grad(tangent, x, call.along, allow_unused=True)[0]
        return output, _materialised(second, x)


WAYS: Dict[str, Callable[[Call], Called]] = {
    "jvp": _forward_ad,
    "jvp_parameters": _with_parameters,
    "functional_jvp": _functional("jvp"),
    "func_jvp": _func_jvp,
    "functional_vjp": _functional("vjp"),
    "func_vjp": _func_vjp,
    "func_jvp_jvp": _nested("jvp", _tangent),
    "func_vjp_jvp": _nested("vjp", _tangent),
    "func_jvp_vjp": _nested("jvp", _gradient),
    "grad_jvp": _grad_of_tangent,
}
"""Maps a word of ``cases.derivatives.JVPS``, VJPS or NESTED to the function that calls the module."""
