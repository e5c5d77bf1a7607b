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
    "double_alone": GRADIENTS,
    "double_constant": GRADIENTS,
}
"""Maps the way to a double backward to the gradients that it differentiates: all, the input's alone, as a
gradient penalty does, or those of weight and bias alone."""

SECONDS = ("input", "weight", "upstream")
"""The tensors with respect to which gradients are differentiated, in this order."""

ALONE = "double_alone"
"""The way to a double backward in which each second derivative is asked for alone."""

CONSTANT = "double_constant"
"""The way in which the upstream gradient requires no gradient, as that of a sum."""

ASKED = {
    "": GRADIENTS,
    "input": ("input",),
    "parameters": PARAMETERS,
    "weight": PARAMETERS[:1],
    "bias": PARAMETERS[1:],
}
"""Maps a word of ``Backward.of`` to the gradients that ``torch.autograd.grad`` is asked for. A graph that
has all three parts is asked for some of them by whoever trains two parts of a network in turn."""

JVPS = ("jvp", "jvp_parameters", "functional_jvp", "func_jvp")
"""The ways to a forward-mode derivative. jvp: ``torch.autograd.forward_ad``, with a tangent of the input.
jvp_parameters: the same, and weight and bias have tangents, too: ``cases.inputs.attached``; there, an
input whose tangent is ``zeros`` has none.
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
    how many forwards that returned an output lie between the one that is differentiated and the end: 0
    differentiates the last, 2 the last but two. ``of``: a word of ASKED, the gradients asked for.
    """

    upstream: str
    retain: bool = False
    earlier: int = 0
    of: str = ""

    @property
    def verb(self) -> str:
        """Its verb in an id; that of a backward of some of the gradients ends in a word of ASKED."""
        verb = ("backward", "earlier", "earliest")[self.earlier]
        return "_".join(filter(None, ("retain" if self.retain else verb, self.of)))


BACKWARDS = (
    *(Backward("", retain, 0, of) for of in ASKED for retain in (False, True)),
    *(Backward("", earlier=place) for place in (1, 2)),
)
"""A backward of every verb that an id can have; their upstream gradients have no name."""


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
