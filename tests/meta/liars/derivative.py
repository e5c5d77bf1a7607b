"""The arithmetic of one BatchNorm2d backward, as plain torch operations: a rendition of the kernel.

Nothing here knows a module. Each rule is a method of its own, so that a liar overrides one of them, and
so that ``tests.meta.mutants`` has a backward pass in Python to mutate. g is the upstream gradient, s the
square root of the variance plus eps. The formulas are those of ``oracle.backward``, written in operations
that can themselves be differentiated.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Sequence, Tuple

import torch

from tests.meta.liars.formats import both_channels_last, follows_channels_last, in_order
from tests.meta.liars.kernel import (
    AXES,
    Kernel,
    Operands,
    Tensor,
    followed,
    spread,
    values_per_channel,
    wide,
)

Gradients = Tuple[Optional[Tensor], Optional[Tensor], Optional[Tensor]]
"""The gradients of input, weight and bias; None for one that is not wanted."""


class Kept(NamedTuple):
    """The data that a forward leaves for its backward pass.

    ``running_mean``, ``running_var``: their values at that time. ``from_batch``: whether the batch's own
    statistics normalised it. ``given``: the upstream gradient in the memory that it was given in.
    """

    x: Tensor
    weight: Optional[Tensor]
    running_mean: Optional[Tensor]
    running_var: Optional[Tensor]
    from_batch: bool
    eps: float
    given: Optional[Tensor] = None


class Terms(NamedTuple):
    """The terms of the gradients.

    ``deviations``: x - mean, shape (N, C, H, W). Shapes (C,): ``inverse`` is 1/s, ``upstream`` is sum g,
    ``products`` is sum g * (x - mean). ``values``: N*H*W.
    """

    deviations: Tensor
    inverse: Tensor
    upstream: Tensor
    products: Tensor
    values: int


class Derivative(Kernel):
    """The methods ``differentiable`` and ``differentiate``, and the steps that they consist of.

    ``differentiates_thrice``: there are third derivatives, which recent releases of torch refuse where
    batch statistics normalise.
    """

    differentiates_thrice = False

    def differentiable(
        self, y: Tensor, x: Tensor, operands: Operands, from_batch: bool, eps: float
    ) -> Tensor:
        """Return the output ``y`` with this backward pass.

        Where torch follows the operations themselves, they are what it differentiates.
        """
        if followed(x, *operands):
            return self.moving(y)
        rest = self, from_batch, eps
        found: Tensor = Differentiable.apply((y.detach(),), x, *operands, *rest)
        return found

    def moving(self, y: Tensor) -> Tensor:
        """Return the output of operations that torch follows."""
        return y

    def differentiate(self, g: Tensor, kept: Kept, wanted: Tuple[bool, bool, bool]) -> Gradients:
        """Return the wanted gradients of input, weight and bias.

        Autograd stores each in the dtype of the tensor that it is the gradient of.
        """
        g = wide(g)
        terms = self.terms(g, kept)
        return (
            self.input_gradient(g, kept, terms) if wanted[0] else None,
            self.weight_gradient(terms) if wanted[1] else None,
            self.bias_gradient(terms) if wanted[2] else None,
        )

    def terms(self, g: Tensor, kept: Kept) -> Terms:
        """Return the two sums, and the statistics that normalised the forward."""
        mean, variance = self.normalised_by(kept)
        if kept.from_batch and kept.x.numel() and not self.differentiates_thrice:
            mean, variance = Twice.apply(mean, 1), Twice.apply(variance, 1)
        deviations = kept.x - spread(mean)
        return Terms(
            deviations,
            self.inverse_deviation(variance, kept.eps),
            self.upstream_sum(g),
            self.product_sum(g, deviations),
            values_per_channel(kept.x),
        )

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        """Return mean and variance that the forward used; 0 and 0 for an input without elements."""
        if kept.x.numel() == 0:
            nothing = kept.x.new_zeros(kept.x.shape[1])
            return nothing, nothing
        if kept.from_batch:
            found = self.statistics(kept.x)
            return found.mean, found.biased
        assert kept.running_mean is not None
        assert kept.running_var is not None
        return wide(kept.running_mean), wide(kept.running_var)

    def inverse_deviation(self, variance: Tensor, eps: float) -> Tensor:
        """Return 1 / s."""
        return 1 / torch.sqrt(variance + eps)

    def upstream_sum(self, g: Tensor) -> Tensor:
        """Return sum g."""
        return g.sum(AXES)

    def product_sum(self, g: Tensor, deviations: Tensor) -> Tensor:
        """Return sum g * (x - mean)."""
        return (g * deviations).sum(AXES)

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        """Return g * w / s; in train mode g is first reduced by its mean and deviation terms."""
        left = g
        if kept.from_batch:
            left = g - self.mean_term(terms) - self.deviation_term(terms)
        given = g if kept.given is None else kept.given
        return self.gradient_laid_out(left * spread(self.slope(kept, terms)), given, kept.x)

    def mean_term(self, terms: Terms) -> Tensor:
        """Return mean(g), the effect of g through the batch's mean."""
        return spread(terms.upstream / terms.values)

    def deviation_term(self, terms: Terms) -> Tensor:
        """Return (x - mean) * q with q = sum g * (x - mean) / (n * s**2): the term of the variance."""
        share = terms.products * terms.inverse * terms.inverse / terms.values
        return terms.deviations * spread(share)

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        """Return w / s, or 1 / s without a weight."""
        return terms.inverse if kept.weight is None else kept.weight * terms.inverse

    def gradient_laid_out(self, gradient: Tensor, g: Tensor, x: Tensor) -> Tensor:
        """Return the input's gradient in channels_last strides if the input has them, else contiguous.

        It is contiguous, too, where the strides of the input leave the format open and the upstream
        gradient has another format. Without elements it has the strides of the upstream gradient.
        """
        if not x.numel():
            return torch.empty_strided(g.shape, g.stride(), dtype=gradient.dtype)
        kept = follows_channels_last(x)
        if kept and not in_order(x) and not g.is_contiguous():
            kept = g.is_contiguous(memory_format=torch.channels_last) and not in_order(g)
        return gradient.contiguous(
            memory_format=torch.channels_last if kept else torch.contiguous_format
        )

    def weight_gradient(self, terms: Terms) -> Tensor:
        """Return sum g * (x - mean) / s."""
        return terms.products * terms.inverse

    def bias_gradient(self, terms: Terms) -> Tensor:
        """Return sum g."""
        return terms.upstream


class Differentiable(torch.autograd.Function):
    """An output whose backward pass is a ``Derivative``.

    The graph keeps the tensors that the backward pass of torch's kernel reads, so that autograd refuses
    the same modifications in place. For an input without elements it keeps only the weight, for the
    input's gradient.
    """

    @staticmethod
    def forward(
        ctx: Any,
        y: Tuple[Tensor],
        x: Tensor,
        weight: Optional[Tensor],
        bias: Optional[Tensor],
        running_mean: Optional[Tensor],
        running_var: Optional[Tensor],
        derivative: Derivative,
        from_batch: bool,
        eps: float,
    ) -> Tensor:
        """Return the output in ``y``, which is part of no graph, unchanged.

        It is in a tuple, because autograd refuses to change an output in place that was an input, too.
        """
        running = (running_mean, running_var)
        if x.numel():
            ctx.save_for_backward(x, weight, *running)
        else:
            ctx.save_for_backward(x, weight if ctx.needs_input_grad[1] else None)
        ctx.dtypes = [None if each is None else each.dtype for each in (weight, *running)]
        ctx.running = tuple(None if each is None else each.clone() for each in running)
        ctx.derivative, ctx.from_batch, ctx.eps = derivative, from_batch, eps
        return y[0]

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tuple[Optional[Tensor], ...]:  # type: ignore[override]
        """Return None for ``y``, then the gradients of x, weight and bias."""
        x, weight, *running = ctx.saved_tensors
        check_kept(x, (weight, *running), ctx.dtypes, g)
        mean, variance = ctx.running
        kept = Kept(x, weight, mean, variance, ctx.from_batch, ctx.eps, g)
        wanted = ctx.needs_input_grad[1:4]
        return (None, *ctx.derivative.differentiate(g, kept, wanted), *(None,) * 5)


def check_kept(
    x: Tensor, kept: Sequence[Optional[Tensor]], dtypes: Sequence[Any], g: Tensor
) -> None:
    """Raise where a tensor that the forward kept was converted since, or the weight is not 1-D.

    The kernel for channels_last tensors does not look at the shape of the weight.
    """
    now = [None if each is None else each.dtype for each in kept]
    if x.numel() and now != list(dtypes[: len(now)]):
        raise RuntimeError("mixed dtype (CPU): expect parameter to have scalar type of Float")
    weight = kept[0]
    if x.numel() and weight is not None and weight.dim() != 1 and not both_channels_last(x, g):
        raise RuntimeError(f"expected 1 dims but tensor has {weight.dim()}")


class Twice(torch.autograd.Function):
    """A statistic whose derivative can be differentiated ``left`` more times."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, left: int) -> Tensor:
        """Return the values."""
        ctx.left = left
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tuple[Tensor, None]:  # type: ignore[override]
        """Return the gradient, or raise where none is left."""
        if not ctx.left:
            raise RuntimeError("batch_norm does not support 3rd+ order derivatives.")
        found: Tensor = Twice.apply(g, ctx.left - 1)
        return found, None
