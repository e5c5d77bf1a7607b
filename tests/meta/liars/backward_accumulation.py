"""Liars about ``.grad``: the value that a backward adds, and the steps that clear or keep it."""

from __future__ import annotations

import copy
from typing import Any, Dict

import torch

from cases.attributes import PARAMETERS
from tests.meta.liars.derivative import Gradients, Kept, Terms
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor, spread
from tests.meta.liars.registry import liar

# --- the values that are added -----------------------------------------------------------------


class _Hooked(HonestBatchNorm2d):
    """Calls ``arrived`` when the gradient of an output arrives, before other gradients are computed."""

    def arrived(self, x: Tensor) -> None:
        """Do the wrong thing; ``x``: the input of the forward."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if y.requires_grad:
            y.register_hook(lambda g: self.arrived(x))
        return y


@liar("accumulation", "train_two_forwards", through="weight.grad")
class WeightGradOverwritten(_Hooked):
    """Keeps only the last gradient in the .grad of the weight."""

    def arrived(self, x: Tensor) -> None:
        if self.weight is not None:
            self.weight.grad = None


@liar("accumulation", "train_two_forwards", through="bias.grad")
class BiasGradAveraged(_Hooked):
    """Halves what is in the .grad of the bias before it adds to it."""

    def arrived(self, x: Tensor) -> None:
        if self.bias is not None and self.bias.grad is not None:
            self.bias.grad.mul_(0.5)


@liar("accumulation", "train_retained", through="input.grad")
class InputGradOverwritten(_Hooked):
    """Clears the .grad of the input when its graph is used a second time."""

    def arrived(self, x: Tensor) -> None:
        if x.is_leaf:
            x.grad = None


@liar("accumulation", "train_two_forwards", through="weight.grad")
class SecondGradientDoubled(HonestBatchNorm2d):
    """Adds the weight's gradient twice where it has a .grad already."""

    def weight_gradient(self, terms: Terms) -> Tensor:
        found = super().weight_gradient(terms)
        assert self.weight is not None
        return found if self.weight.grad is None else 2 * found


@liar("accumulation", "train_returned", through="grads present")
class GradLeftByReturned(HonestBatchNorm2d):
    """Puts zeros into the .grad of the bias, even when its gradient is only returned."""

    def bias_gradient(self, terms: Terms) -> Tensor:
        found = super().bias_gradient(terms)
        if self.bias is not None and self.bias.grad is None:
            self.bias.grad = torch.zeros_like(self.bias)
        return found


# --- the tensors that get a .grad --------------------------------------------------------------


@liar("accumulation", "train_two_forwards", through="grads present")
class GradsOnBuffers(_Hooked):
    """Leaves the batch's share in the .grad of the running statistics."""

    def arrived(self, x: Tensor) -> None:
        for buffer in (self.running_mean, self.running_var):
            if buffer is not None:
                buffer.grad = torch.zeros_like(buffer)


@liar("accumulation", "trainable_statistics", through="grads present")
class StatisticsTrained(HonestBatchNorm2d):
    """Ignores running statistics that are trainable Parameters, but gives them a gradient of 0."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        for each in (self.running_mean, self.running_var):
            if each is not None and each.requires_grad and y.numel():
                y = y + 0 * spread(each)
        return y


@liar("accumulation", "other_weight", through="grads present")
class GradToCurrentWeight(HonestBatchNorm2d):
    """Gives the gradient to the weight that the module has by then."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Any) -> Gradients:
        found = super().differentiate(g, kept, wanted)
        if self.weight is not kept.weight and self.weight is not None and found[1] is not None:
            self.weight.grad = found[1].detach().clone()
        return found


@liar("accumulation", "weight_frozen", through="grads present")
class FrozenWeightGetsGrad(_Hooked):
    """Puts zeros into the .grad of a weight that is frozen."""

    def arrived(self, x: Tensor) -> None:
        if self.weight is not None and not self.weight.requires_grad:
            self.weight.grad = torch.zeros_like(self.weight)


# --- the steps that clear or keep it -----------------------------------------------------------


@liar("accumulation", "train_cleared", through="grads present")
class ZerosInsteadOfNone(HonestBatchNorm2d):
    """Lets zero_grad put zeros into .grad."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        for parameter in self.parameters():
            if parameter.grad is not None:
                parameter.grad.zero_()


@liar("accumulation", "train_cleared", through="grads present")
class BiasNotCleared(HonestBatchNorm2d):
    """Lets zero_grad clear the weight alone."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        if self.weight is not None:
            self.weight.grad = None


@liar("accumulation", "train_zeros", through="grads present")
class SetToNoneIgnored(HonestBatchNorm2d):
    """Clears .grad in zero_grad, whatever set_to_none is."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad()


@liar("accumulation", "train_cleared", through="num_batches_tracked")
class ZeroGradResets(HonestBatchNorm2d):
    """Resets the running statistics in zero_grad."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad()
        if self.running_mean is not None and self.num_batches_tracked is not None:
            self.reset_running_stats()


@liar("accumulation", "kept_by_reset_parameters", through="grads present")
class ResetClearsGrad(HonestBatchNorm2d):
    """Clears .grad in reset_parameters."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self.zero_grad()


@liar("accumulation", "kept_by_load_plain", through="grads present")
class LoadClearsGrad(HonestBatchNorm2d):
    """Clears .grad when a state dict is loaded."""

    def _load_from_state_dict(self, state_dict: Dict[str, Any], *rest: Any) -> None:
        super()._load_from_state_dict(state_dict, *rest)
        self.zero_grad()


@liar("accumulation", "deepcopy", through="grads present")
class GradCopied(HonestBatchNorm2d):
    """Copies .grad with the module."""

    def __deepcopy__(self, memo: Dict[int, Any]) -> GradCopied:
        renewed = self.__class__.__new__(self.__class__)
        renewed.__dict__.update(copy.deepcopy(self.__dict__, memo))
        for name in PARAMETERS:
            old, new = getattr(self, name), getattr(renewed, name)
            if new is not None and old.grad is not None:
                new.grad = old.grad.clone()
        return renewed


@liar("accumulation", "train_two_forwards", through="grads present")
class GradClearedByForward(HonestBatchNorm2d):
    """Clears .grad at the beginning of every forward."""

    def forward(self, x: Tensor) -> Tensor:
        self.zero_grad()
        return super().forward(x)
