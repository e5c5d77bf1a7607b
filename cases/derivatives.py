"""The step types that differentiate a module's output, as data; ``cases.steps`` lists them, too.

An upstream gradient, a direction and a tangent are named alike: by a name of ``cases.inputs.upstream``
that may end in a layout.
"""

from __future__ import annotations

from dataclasses import dataclass

from cases.attributes import PARAMETERS

GRADIENTS = ("input", *PARAMETERS)
"""The tensors that a backward gives gradients of, in this order."""

DOUBLES = {
    "double": GRADIENTS,
    "double_input": ("input",),
    "double_parameters": PARAMETERS,
}
"""Maps the way to a double backward to the gradients that it differentiates: all, the input's alone, as a
gradient penalty does, or those of weight and bias alone."""

JVPS = ("jvp", "jvp_parameters", "functional_jvp", "func_jvp")
"""The ways to a forward-mode derivative. jvp: ``torch.autograd.forward_ad``, with a tangent of the input.
jvp_parameters: the same, and weight and bias have tangents, too: ``cases.inputs.attached``.
functional_jvp: ``torch.autograd.functional.jvp``. func_jvp: ``torch.func.jvp``."""

VJPS = ("functional_vjp", "func_vjp")
"""The functions that call the module and return the input's gradient: ``torch.autograd.functional.vjp``
and ``torch.func.vjp``."""

NESTED = ("func_jvp_jvp", "func_vjp_jvp", "func_jvp_vjp", "grad_jvp")
"""The ways to a second derivative with a forward-mode one in it. func_jvp_jvp: ``torch.func.jvp`` of
``torch.func.jvp``; func_vjp_jvp and func_jvp_vjp: the outer function is named first. grad_jvp:
``torch.autograd.grad`` of a tangent of ``torch.autograd.forward_ad``."""


@dataclass(frozen=True)
class Backward:
    """``torch.autograd.grad`` of the output of a forward, for input, weight and bias.

    ``upstream``: the upstream gradient. ``retain``: the graph is kept for another backward. ``earlier``:
    the forward before the last one that returned an output is differentiated instead of the last.
    """

    upstream: str
    retain: bool = False
    earlier: bool = False


@dataclass(frozen=True)
class Accumulate:
    """``output.backward(upstream)`` for the output of the last forward: adds gradients to ``.grad``.

    ``upstream``, ``retain``: as in ``Backward``.
    """

    upstream: str
    retain: bool = False

    @property
    def backward(self) -> Backward:
        """The step that returns the gradients which this one adds."""
        return Backward(self.upstream, self.retain)


@dataclass(frozen=True)
class Double:
    """``torch.autograd.grad`` of gradients that were computed with ``create_graph=True``.

    The gradients are those of the output of the last forward for input, weight and bias, as far as they
    require one; they are differentiated with respect to input, weight and the upstream gradient.
    ``upstream``: the upstream gradient. ``direction``: the factor of the input's gradient; the gradients
    of weight and bias are multiplied by ``cases.inputs.attached``. ``way``: one of DOUBLES.
    """

    upstream: str
    direction: str
    way: str = "double"


@dataclass(frozen=True)
class Triple:
    """``torch.autograd.grad`` of the second derivative with respect to the input.

    ``upstream``, ``direction``: as in ``Double``, but of the gradients of input and weight only.
    ``along``: the factor of the second derivative. It is differentiated as in ``Double``.
    """

    upstream: str
    direction: str
    along: str


@dataclass(frozen=True)
class Jvp:
    """``module(batch)``, and the derivative of its output along a tangent; no graph of it is kept.

    ``tangent``: the tangent of the input. ``way``: one of JVPS.
    """

    batch: str
    tangent: str
    way: str = "jvp"


@dataclass(frozen=True)
class Vjp:
    """``module(batch)``, and the gradient of its input in one call; no graph of it is kept.

    ``upstream``: the upstream gradient. ``way``: one of VJPS.
    """

    batch: str
    upstream: str
    way: str = "functional_vjp"


@dataclass(frozen=True)
class Nested:
    """``module(batch)``, and the second derivative of its output along a tangent and the same again.

    ``tangent``: the tangent of the input, both times; where the way has a vjp or a grad, that takes it
    for the upstream gradient. As the derivative of the output by the input is symmetric, the numbers do
    not depend on the way, and are those of ``Double`` with the tangent for upstream gradient and
    direction.
    ``way``: one of NESTED.
    """

    batch: str
    tangent: str
    way: str


@dataclass(frozen=True)
class ZeroGrad:
    """``module.zero_grad()``. ``to_zeros``: with ``set_to_none=False``."""

    to_zeros: bool = False


@dataclass(frozen=True)
class Detach:
    """Replace the output of the last forward by ``output.detach()``."""


DIFFERENTIATING = (Backward, Accumulate, Double, Triple)
"""The types of the steps that differentiate the output of a forward."""

ON_OUTPUTS = (*DIFFERENTIATING, Detach)
"""The types of the steps that need the output of an earlier forward."""

CALLING = (Jvp, Vjp, Nested)
"""The types of the steps that call the module themselves, and differentiate what it returns."""
