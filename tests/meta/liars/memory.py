"""Liars about where tensors lie: strides, tensors with two names, writes that autograd does not see."""

from __future__ import annotations

import copy
from typing import Any, Dict, Optional, Tuple

import torch

from tests.meta.liars.backward_memory import dense, misread
from tests.meta.liars.derivative import Gradients, Kept
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Statistics, Tensor
from tests.meta.liars.registry import liar

Wanted = Tuple[bool, bool, bool]


def as_dense(tensor: Optional[Tensor]) -> Optional[Tensor]:
    """Return the numbers that a reader gets who takes the tensor for dense; detached."""
    if tensor is None:
        return None
    return misread(tensor, dense(tensor), tensor.storage_offset())


# --- strides -----------------------------------------------------------------------------------


class _Misread(HonestBatchNorm2d):
    """Reads one of its tensors as dense."""

    field = ""

    def operands(self) -> Operands:
        found = super().operands()
        return found._replace(**{self.field: as_dense(getattr(found, self.field))})


@liar("edge", "memory", "strided_weight", through="output")
class StridedWeightMisread(_Misread):
    """Reads a strided weight as dense."""

    field = "weight"


@liar("edge", "memory", "strided_bias", through="output")
class StridedBiasMisread(_Misread):
    """Reads a strided bias as dense."""

    field = "bias"


@liar("edge", "memory", "strided_running_var", through="running_var")
class StridedVarianceMisread(_Misread):
    """Reads and writes a copy of running_var where it is strided."""

    field = "running_var"

    def operands(self) -> Operands:
        strided = self.running_var is not None and self.running_var.stride() != (1,)
        return super().operands() if strided else HonestBatchNorm2d.operands(self)


@liar("edge", "memory", "strided_running_mean", through="running_mean is the same object")
class StridedMeanRebound(HonestBatchNorm2d):
    """A strided running_mean is replaced by a dense one."""

    def operands(self) -> Operands:
        if self.running_mean is not None and self.running_mean.stride() != (1,):
            self.running_mean = self.running_mean.contiguous()
        return super().operands()


@liar("edge", "memory", "expanded_running_mean_train", through="running_mean is the same object")
class ExpandedBufferReplaced(HonestBatchNorm2d):
    """An expanded running_mean is replaced by a dense one, which is updated."""

    def operands(self) -> Operands:
        if self.running_mean is not None and self.running_mean.stride() == (0,):
            self.running_mean = self.running_mean.contiguous()
        return super().operands()


@liar("edge", "memory", "expanded_weight_train", through="output")
class ExpandedWeightMisread(HonestBatchNorm2d):
    """Reads the channels of an expanded weight after the first as 0."""

    def operands(self) -> Operands:
        found = super().operands()
        if found.weight is None or found.weight.stride() != (0,):
            return found
        return found._replace(weight=torch.cat([found.weight[:1], 0 * found.weight[1:]]))


@liar("edge", "memory", "row_running_mean", through="exception")
class RowAccepted(HonestBatchNorm2d):
    """Running statistics may be of shape (1, C)."""

    def check_memory(self, operands: Operands, from_batch: bool) -> None:
        flat = [each if each is None else each.reshape(-1) for each in operands]
        super().check_memory(Operands(*flat), from_batch)

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        super().average(running.reshape(-1), new, factor)


# --- one tensor with two names -------------------------------------------------------------------


@liar("edge", "memory", "running_mean_is_bias", through="output")
class BiasReadFirst(HonestBatchNorm2d):
    """The bias is read before the running statistics are updated."""

    def operands(self) -> Operands:
        found = super().operands()
        if found.bias is None or found.bias is not found.running_mean:
            return found
        return found._replace(bias=found.bias.clone())


@liar("edge", "memory", "running_var_is_weight", through="output")
class WeightReadFirst(HonestBatchNorm2d):
    """The weight is read before the running statistics are updated."""

    def operands(self) -> Operands:
        found = super().operands()
        if found.weight is None or found.weight is not found.running_var:
            return found
        return found._replace(weight=found.weight.clone())


@liar("edge", "memory", "one_statistic", through="running_mean")
class VarianceUpdatedFirst(HonestBatchNorm2d):
    """running_var is updated before running_mean."""

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        super().update(operands._replace(running_mean=None), found, factor)
        super().update(operands._replace(running_var=None), found, factor)


@liar("edge", "memory", "running_mean_is_bias", through="bias")
class DeepcopySeparates(HonestBatchNorm2d):
    """A deep copy makes two tensors of one that has two names."""

    def __deepcopy__(self, memo: Dict[int, Any]) -> HonestBatchNorm2d:
        fresh = type(self).__new__(type(self))
        fresh.__dict__.update(copy.deepcopy(self.__dict__, memo))
        if fresh.bias is not None and fresh.bias is fresh.running_mean:
            fresh.bias = torch.nn.Parameter(fresh.bias.detach().clone(), fresh.bias.requires_grad)
        return fresh


# --- writes that autograd does not see -----------------------------------------------------------


@liar("edge", "memory", "overwritten", through="output")
class EvalScaleCached(HonestBatchNorm2d):
    """In eval mode the weight is read anew only after a write that autograd sees."""

    _kept: Any = None

    def operands(self) -> Operands:
        found = super().operands()
        if self.training or found.weight is None:
            self._kept = None
            return found
        version = found.weight._version
        if self._kept is None or self._kept[0] != version:
            self._kept = version, found.weight.detach().clone()
        return found._replace(weight=found.weight + (self._kept[1] - found.weight).detach())


@liar("edge", "memory", "overwritten_between_train", through="input gradient")
class WeightOfForwardKept(HonestBatchNorm2d):
    """The backward uses the weight as it was in the last forward."""

    _kept: Optional[Tensor] = None

    def operands(self) -> Operands:
        found = super().operands()
        self._kept = None if found.weight is None else found.weight.detach().clone()
        return found

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        return super().differentiate(g, kept._replace(weight=self._kept), wanted)


# --- gradients in the memory of others -----------------------------------------------------------


@liar("backward_program", "eval_input_grad_retained", through="input gradient shares memory")
class GradientBufferReused(HonestBatchNorm2d):
    """Every gradient of an input is written into the memory of the one before."""

    _place: Optional[Tensor] = None

    def gradient_laid_out(self, gradient: Tensor, g: Tensor, x: Tensor) -> Tensor:
        found = super().gradient_laid_out(gradient, g, x)
        if self._place is None or self._place.shape != found.shape or self._place.dtype != found.dtype:
            self._place = torch.empty_like(found)
        return self._place.copy_(found)


@liar("backward_program", "eval_input_grad_retained", through="input gradient shares memory")
class UpstreamReturned(HonestBatchNorm2d):
    """The gradient of the input is written into the upstream gradient, which is returned."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        if x is not None and x.stride() == g.stride() and x.dtype == g.dtype:
            x = g.copy_(x)
        return x, weight, bias


@liar("backward_program", "eval_forward_retained", through="bias gradient shares memory")
class BiasGradientReused(HonestBatchNorm2d):
    """Every gradient of the bias is written into the memory of the one before."""

    _place: Optional[Tensor] = None

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        if bias is not None:
            if self._place is None or self._place.dtype != bias.dtype:
                self._place = torch.empty_like(bias)
            bias = self._place.copy_(bias)
        return x, weight, bias
