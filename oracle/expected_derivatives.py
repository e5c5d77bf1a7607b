"""The derivatives that a step must show, as data: gradients, ``.grad``, second ones and so on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from cases.derivatives import SECONDS
from cases.inputs import Batch
from oracle.numerics.normalisation import ExpectedOutput


@dataclass(frozen=True, eq=False)
class ExpectedGradient:
    """A gradient that a backward must give; ``oracle.backward`` computes its numbers.

    ``name``: ``input``, ``weight`` or ``bias``. ``dtype``: its dtype. ``memory_format``: ``contiguous``
    or ``channels_last``. ``any_order``: only the bound for sums in any order holds. ``projected``: in
    train mode, the input's gradient has its part along x - m subtracted. ``narrow_sums``: every addition
    of its sums is rounded to the format that is computed in. ``added``: weight and bias are one tensor,
    and this is the sum of their gradients. ``row``: its shape is (1, C). ``normalised``: the weight's
    sums products with the normalised input, which was computed as x / s - m / s. Compared by identity.
    """

    name: str
    output: ExpectedOutput
    upstream: Batch
    dtype: str
    memory_format: str
    any_order: bool = False
    projected: bool = True
    narrow_sums: bool = False
    added: bool = False
    row: bool = False
    normalised: bool = False

    @property
    def shape(self) -> Tuple[int, ...]:
        """The shape of the tensor that it is the gradient of."""
        if self.name == "input":
            return self.output.shape
        channels = self.output.mean.channels
        return (1, channels) if self.row else (channels,)


@dataclass(frozen=True, eq=False)
class Grad:
    """The contents of the ``.grad`` of a tensor; ``oracle.accumulation`` computes the numbers.

    ``parts``: the gradients that were added up; zeros if there are none. ``strides``: ``contiguous``, or
    ``as_leaf``: the strides of the tensor if it is dense and its numbers do not overlap, else contiguous.
    ``converted``: the earlier contents, before they were rounded to ``dtype`` and the parts were added;
    None if they were not converted. Compared by identity.
    """

    parts: Tuple[ExpectedGradient, ...]
    dtype: str
    shape: Tuple[int, ...]
    strides: str
    converted: Optional[Grad] = None


SECOND, THIRD, TANGENT = "2nd gradient", "3rd gradient", "tangent"
"""The kinds of further derivatives."""


@dataclass(frozen=True, eq=False)
class ExpectedDerivative:
    """A second or third derivative, or a tangent; ``oracle.derivatives`` computes its numbers.

    ``name``: the tensor with respect to which it is taken, one of SECONDS, or ``output`` for its tangent.
    ``kind``: SECOND, THIRD or TANGENT. ``direction``: the direction of the input's gradient, or the
    tangent of the input. ``along``: the direction of the second derivative. ``differentiated``: those of
    GRADIENTS that were differentiated, or have a tangent. ``statistics_constant``: in the last
    differentiation, batch statistics are taken for constants. ``added``: weight and bias are one tensor,
    whose gradient is multiplied by both directions. ``forward``: a tangent was differentiated last in
    forward mode; this matters where statistics are taken for constants. ``dual``: it is a tangent that
    was computed beside the output, not the gradient of a gradient. Compared by identity.
    """

    name: str
    kind: str
    output: ExpectedOutput
    upstream: Batch
    direction: Batch
    differentiated: Tuple[str, ...]
    dtype: str
    along: Optional[Batch] = None
    statistics_constant: bool = False
    added: bool = False
    forward: bool = False
    dual: bool = False

    @property
    def quantity(self) -> str:
        """The name of the quantity that is compared."""
        return f"{self.name} {self.kind}"

    @property
    def shape(self) -> Tuple[int, ...]:
        """The shape of the tensor with respect to which it is taken, or of the output."""
        return (self.output.mean.channels,) if self.name == "weight" else self.output.shape


DERIVATIVES = (*(f"{name} {kind}" for kind in (SECOND, THIRD) for name in SECONDS), f"output {TANGENT}")
"""The names of the quantities."""
