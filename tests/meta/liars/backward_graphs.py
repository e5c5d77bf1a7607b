"""Liars about graphs: several forwards and backwards, and what changes between them."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

import torch

from tests.meta.liars.derivative import Derivative, Gradients, Kept, Terms
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Tensor
from tests.meta.liars.registry import liar

Wanted = Tuple[bool, bool, bool]


class _Unguarded(torch.autograd.Function):
    """As ``Differentiable``, but autograd guards only the tensors of ``guarded``; none is freed."""

    @staticmethod
    def forward(
        ctx: Any,
        y: Tensor,
        x: Tensor,
        weight: Optional[Tensor],
        bias: Optional[Tensor],
        guarded: Tuple[Tensor, ...],
        kept: Kept,
        derivative: Derivative,
    ) -> Tensor:
        ctx.kept, ctx.derivative, ctx.guards = kept, derivative, bool(guarded)
        ctx.save_for_backward(*guarded)
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tuple[Optional[Tensor], ...]:  # type: ignore[override]
        if ctx.guards:
            assert ctx.saved_tensors  # this raises where autograd refuses
        wanted = ctx.needs_input_grad[1:4]
        return (None, *ctx.derivative.differentiate(g, ctx.kept, wanted), None, None, None)


class _Loose(HonestBatchNorm2d):
    """Keeps tensors where autograd does not see them, except those of ``guarded``."""

    def guarded(self, x: Tensor, operands: Operands) -> Tuple[Tensor, ...]:
        """Return what autograd keeps, so that it frees the graph and sees changes in place."""
        return ()

    def differentiable(
        self, y: Tensor, x: Tensor, operands: Operands, from_batch: bool, eps: float
    ) -> Tensor:
        weight, _, mean, variance = (
            None if each is None else each.detach().clone() for each in operands
        )
        kept = Kept(x.detach(), weight, mean, variance, from_batch, eps)
        rest = self.guarded(x, operands), kept, self
        found: Tensor = _Unguarded.apply(y.detach(), x, operands.weight, operands.bias, *rest)
        return found


# --- refusals of autograd ----------------------------------------------------------------------


@liar("backward_program", "train_input_grad_used_up", through="exception")
class GraphNeverFreed(_Loose):
    """Allows a second backward pass through a graph that was not retained."""


@liar("backward_program", "train_reset_parameters_untracked", through="exception")
class WeightUnguarded(_Loose):
    """Lets the weight be changed in place between forward and backward."""

    def guarded(self, x: Tensor, operands: Operands) -> Tuple[Tensor, ...]:
        running = (operands.running_mean, operands.running_var)
        return (x, *(each for each in running if each is not None))


@liar("backward_program", "train_reset_running_stats", through="exception")
class RunningStatisticsUnguarded(_Loose):
    """Lets the running statistics be changed in place between forward and backward."""

    def guarded(self, x: Tensor, operands: Operands) -> Tuple[Tensor, ...]:
        return (x,) if operands.weight is None else (x, operands.weight)


@liar("backward_program", "train_input_grad_retained", through="exception")
class RetainedGraphFreed(HonestBatchNorm2d):
    """Refuses a second backward pass although the graph was retained."""

    def differentiable(
        self, y: Tensor, x: Tensor, operands: Operands, from_batch: bool, eps: float
    ) -> Tensor:
        found = super().differentiable(y, x, operands, from_batch, eps)
        seen = []

        def once(g: Tensor) -> None:
            if seen:
                raise RuntimeError("Trying to backward through the graph a second time")
            seen.append(True)

        if found.requires_grad:
            found.register_hook(once)
        return found


@liar("backward_program", "train_train_earlier", through="exception")
class UpdateSeenByAutograd(HonestBatchNorm2d):
    """Updates the running statistics so that autograd refuses the backward of an earlier forward."""

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        super().average(running, new, factor)
        running.add_(0)


# --- second backward passes --------------------------------------------------------------------


class _CountsBackwards(HonestBatchNorm2d):
    """Counts the backward passes of a graph: ``kept.x`` belongs to one graph."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.had: Dict[int, int] = {}

    def again(self, kept: Kept) -> bool:
        """Whether this is not the first backward pass; must be called once in each."""
        before = self.had.get(kept.x.data_ptr(), 0)
        self.had[kept.x.data_ptr()] = before + 1
        return before > 0


@liar("backward_program", "train_input_grad_retained", through="input gradient")
class SecondBackwardOfConstants(_CountsBackwards):
    """Leaves the corrections for the statistics out of the second backward pass of a graph."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        return super().input_gradient(g, kept._replace(from_batch=not self.again(kept)), terms)


@liar("backward_program", "train_input_grad_retained", through="weight gradient")
class SumsAccumulate(HonestBatchNorm2d):
    """Does not clear its sums between two backward passes."""

    before: Any = 0.0

    def product_sum(self, g: Tensor, deviations: Tensor) -> Tensor:
        self.before = self.before + super().product_sum(g, deviations).detach()
        found: Tensor = self.before
        return found


@liar("backward_program", "train_input_grad_retained", through="bias gradient")
class FirstUpstreamKept(HonestBatchNorm2d):
    """Repeats the bias's gradient of the first backward pass in the second one."""

    first: Any = None

    def bias_gradient(self, terms: Terms) -> Tensor:
        if self.first is None:
            self.first = terms.upstream
        found: Tensor = self.first
        return found.clone()


# --- values that are read too late -------------------------------------------------------------


@liar("backward_program", "train_train_earlier", through="input gradient")
class InputOfLastForward(HonestBatchNorm2d):
    """Shares the memory for the saved input between its forwards."""

    last: Optional[Tensor] = None

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        self.last = x.detach()
        return y

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        if self.last is not None and self.last.shape == kept.x.shape:
            kept = kept._replace(x=self.last)
        return super().differentiate(g, kept, wanted)


@liar("backward_program", "train_train_earlier", through="input gradient")
class StatisticsOfLastForward(HonestBatchNorm2d):
    """Shares the memory for saved mean and deviation between its forwards."""

    last: Any = None

    def differentiable(
        self, y: Tensor, x: Tensor, operands: Operands, from_batch: bool, eps: float
    ) -> Tensor:
        mean, variance = operands.running_mean, operands.running_var
        if from_batch and x.numel():
            found = self.statistics(x.detach())
            mean, variance = found.mean, found.biased
        if mean is not None and variance is not None:
            self.last = mean.clone(), variance.clone()
        return super().differentiable(y, x, operands, from_batch, eps)

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        if self.last is None or not kept.x.numel():
            return super().normalised_by(kept)
        found: Tuple[Tensor, Tensor] = self.last
        return found


@liar("backward_program", "train_eval_earlier", through="input gradient")
class ModeReadInBackward(HonestBatchNorm2d):
    """Differentiates by the mode that the module is in by the time of the backward pass."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        from_batch = self.training or kept.running_mean is None
        return super().differentiate(g, kept._replace(from_batch=from_batch), wanted)


@liar("backward_program", "train_set_eps_0.5", through="input gradient")
class EpsReadInBackward(HonestBatchNorm2d):
    """Takes the eps that the module has by the time of the backward pass."""

    def inverse_deviation(self, variance: Tensor, eps: float) -> Tensor:
        return super().inverse_deviation(variance, self.eps)


@liar("backward_program", "train_other_weight", through="input gradient")
class WeightReadInBackward(HonestBatchNorm2d):
    """Takes the weight that the module has by the time of the backward pass."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        return super().slope(kept._replace(weight=self.weight), terms)


@liar("backward_program", "train_drop_weight", through="exception")
class WeightNeededInBackward(HonestBatchNorm2d):
    """Multiplies by the module's weight in the backward pass, though it may be None by then."""

    def slope(self, kept: Kept, terms: Terms) -> Tensor:
        if kept.weight is None:
            return super().slope(kept, terms)
        return terms.inverse * self.weight  # type: ignore[operator]


@liar("backward_program", "eval_rebound_train", through="weight gradient")
class BuffersReadInBackward(HonestBatchNorm2d):
    """Takes in eval mode the running statistics that the module has by the time of the backward pass."""

    def normalised_by(self, kept: Kept) -> Tuple[Tensor, Tensor]:
        if kept.from_batch or self.running_mean is None or self.running_var is None:
            return super().normalised_by(kept)
        return self.running_mean, self.running_var


@liar("backward_program", "train_train_earlier", through="weight gradient")
class EarlierWeightGradientHalved(HonestBatchNorm2d):
    """Divides the weight's gradient by the number of forwards since the last backward pass."""

    forwards = 0

    def forward(self, x: Tensor) -> Tensor:
        self.forwards += 1
        return super().forward(x)

    def weight_gradient(self, terms: Terms) -> Tensor:
        shares, self.forwards = max(self.forwards, 1), 0
        return super().weight_gradient(terms) / shares
