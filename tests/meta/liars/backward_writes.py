"""Liars whose backward pass writes to a tensor or attribute that is not its own."""

from __future__ import annotations

from typing import Tuple

from tests.meta.liars.derivative import Gradients, Kept
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor
from tests.meta.liars.registry import liar

Wanted = Tuple[bool, bool, bool]


class _Writes(HonestBatchNorm2d):
    """Calls ``spoil`` at the end of the backward pass."""

    def spoil(self, g: Tensor, kept: Kept) -> None:
        """Write; autograd does not see it."""
        raise NotImplementedError

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        found = super().differentiate(g, kept, wanted)
        self.spoil(g, kept)
        return found


@liar("g_ordinary", through="input_changed")
class UpstreamOverwritten(_Writes):
    """Uses the memory of the upstream gradient as workspace."""

    def spoil(self, g: Tensor, kept: Kept) -> None:
        g.data.zero_()


@liar("train_only", "g_offset", through="input_changed")
class UpstreamCentred(_Writes):
    """Subtracts the mean from the upstream gradient in place, in train mode."""

    def spoil(self, g: Tensor, kept: Kept) -> None:
        if kept.from_batch and g.numel() and 0 not in g.stride():
            g.data.sub_(g.mean((0, 2, 3), keepdim=True))


@liar("backward_program", "train_input_grad_retained", through="input gradient")
class InputOverwrittenInBackward(_Writes):
    """Normalises the input in place in the backward pass: the next one sees another input."""

    def spoil(self, g: Tensor, kept: Kept) -> None:
        kept.x.data.mul_(0.5)


@liar("affine", "g_ordinary", through="weight")
class WeightOverwritten(_Writes):
    """Takes a step of gradient descent in the backward pass."""

    def spoil(self, g: Tensor, kept: Kept) -> None:
        if kept.weight is not None:
            kept.weight.data.sub_(0.1)


@liar("affine", "g_ordinary", through="bias")
class BiasOverwritten(_Writes):
    """Writes the bias's gradient into the bias."""

    def spoil(self, g: Tensor, kept: Kept) -> None:
        if self.bias is not None:
            self.bias.data.copy_(self.terms(g, kept).upstream)


@liar("track", "train_only", "g_ordinary", through="running_mean")
class StatisticsUpdatedAgain(_Writes):
    """Runs the forward anew in the backward pass, which updates the running statistics again."""

    def spoil(self, g: Tensor, kept: Kept) -> None:
        if kept.from_batch and self.training and kept.x.numel():
            self.update(self.operands(), self.statistics(kept.x), 0.1)


@liar("track", "g_ordinary", "eval_only", through="running_var")
class RunningVarianceOverwritten(_Writes):
    """Adds eps to the running variance in place when it differentiates in eval mode."""

    def spoil(self, g: Tensor, kept: Kept) -> None:
        if not kept.from_batch and self.running_var is not None:
            self.running_var.data.add_(kept.eps)


@liar("track", "train_only", "g_ordinary", through="num_batches_tracked")
class BackwardCounted(_Writes):
    """Counts the backward pass as a batch."""

    def spoil(self, g: Tensor, kept: Kept) -> None:
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.data.add_(1)


@liar("train_only", "g_ordinary", through="training")
class BackwardEndsTraining(_Writes):
    """Leaves the module in eval mode."""

    def spoil(self, g: Tensor, kept: Kept) -> None:
        self.training = False


@liar("affine", "g_ordinary", through="weight requires_grad")
class BackwardFreezes(_Writes):
    """Turns requires_grad of the weight off when it has a gradient."""

    def spoil(self, g: Tensor, kept: Kept) -> None:
        if self.weight is not None and self.weight.is_leaf:
            self.weight.requires_grad_(False)
