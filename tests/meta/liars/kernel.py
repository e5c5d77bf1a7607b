"""The arithmetic of one BatchNorm2d forward, as plain torch operations: a rendition of the kernel.

Nothing here knows a module. Each rule is a method of its own, so that a liar overrides one of them, and
so that ``tests.meta.mutants`` has a kernel in Python to mutate. The arithmetic is done in the dtype of
the input, or in float32 for a narrower one, by ordinary tensor operations. Its roundings differ from
those of torch's kernel, and the budgets must accept them.
"""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from typing import Any, ContextManager, NamedTuple, Optional, Tuple, Type

import torch

from tests.meta.liars.formats import follows_channels_last

Tensor = torch.Tensor
AXES = (0, 2, 3)
"""The axes of batch, height and width, over which a channel is averaged."""

NARROW = (torch.float16, torch.bfloat16)
"""The dtypes that are for storing alone."""


class Statistics(NamedTuple):
    """The statistics of every channel of one batch; shapes (C,)."""

    mean: Tensor
    biased: Tensor
    unbiased: Tensor


class Operands(NamedTuple):
    """Parameters and running statistics; each of them may be None."""

    weight: Optional[Tensor]
    bias: Optional[Tensor]
    running_mean: Optional[Tensor]
    running_var: Optional[Tensor]


def wide(values: Tensor) -> Tensor:
    """Return the values in the dtype of the arithmetic."""
    return values.float() if values.dtype in NARROW else values


def spread(values: Tensor) -> Tensor:
    """Reshape one value per channel to broadcast against (N, C, H, W)."""
    return values.reshape(1, -1, 1, 1)


def values_per_channel(x: Tensor) -> int:
    """Return how many values one channel of ``x`` averages: N*H*W."""
    return x.shape[0] * x.shape[2] * x.shape[3]


def followed(*tensors: Optional[Tensor]) -> bool:
    """Whether torch follows the operations on one of the tensors, to differentiate them on the way.

    That is so for a tensor with a tangent, and inside the functions of ``torch.func``.
    """
    there = [each for each in tensors if each is not None]
    functions: Any = getattr(torch._C, "_functorch", None)
    if functions is not None and any(functions.is_functorch_wrapped_tensor(each) for each in there):
        return True
    mode: Any = getattr(torch.autograd, "forward_ad", None)
    if mode is None or mode._current_level < 0:
        return False
    return any(mode.unpack_dual(each).tangent is not None for each in there)


def unseen(values: Tensor) -> ContextManager[object]:
    """Return a context in which a function of ``torch.func`` does not see what is done.

    Such a function refuses writes in place, but does not see those of torch's kernel.
    """
    functions: Any = getattr(torch._C, "_functorch", None)
    if functions is None or not functions.is_functorch_wrapped_tensor(values):
        return nullcontext()
    from torch._functorch import pyfunctorch

    context = ExitStack()
    while functions.peek_interpreter_stack() is not None:  # the functions may be nested
        context.enter_context(pyfunctorch.temporarily_pop_interpreter_stack())
    return context


def plain(values: Tensor) -> Tensor:
    """Return the values without tangent, graph and the wrappers of ``torch.func``."""
    functions: Any = getattr(torch._C, "_functorch", None)
    values = values.detach()
    while functions is not None and functions.is_functorch_wrapped_tensor(values):
        values = functions.get_unwrapped(values)
    return values


class Kernel:
    """The method ``batch_norm`` and the steps that it consists of.

    ``no_mean``: the exception of a mean of integers, which was a RuntimeError up to torch 2.14.
    """

    no_mean: Type[Exception] = NotImplementedError

    def batch_norm(
        self, x: Tensor, operands: Operands, from_batch: bool, factor: float, eps: float
    ) -> Tensor:
        """Normalise ``x`` with its own statistics, or with the running ones; update those in place.

        ``from_batch``: whether the batch's own statistics are used. ``factor``: the weight of the batch
        in the moving average.
        """
        self.check_arguments(x, from_batch, factor, eps)
        self.check_operands(x, operands, from_batch)
        if x.numel() == 0:
            return self.nothing(x, operands)
        self.check_dtype(x, operands)
        self.check_memory(operands, from_batch)
        stored = x.dtype
        if followed(x, *operands):  # one cast, so that its derivative is rounded once
            x = wide(x)
        mean, variance = operands.running_mean, operands.running_var
        if from_batch:
            found = self.statistics(x)
            self.update(operands, found, factor)
            mean, variance = found.mean, found.biased
        self.check_rows(x, operands)
        assert mean is not None
        assert variance is not None
        y = self.normalise(x, mean, variance, operands.weight, operands.bias, eps)
        return self.laid_out(y.to(stored), x)

    def statistics(self, x: Tensor) -> Statistics:
        """Return mean and variance of every channel; in float64 where the variance overflows."""
        found = self.two_passes(wide(x))
        if torch.isinf(found.biased).any():
            return self.two_passes(x.double())
        return found

    def two_passes(self, x: Tensor) -> Statistics:
        """Compute the mean first, then the squares of the deviations from it."""
        count = values_per_channel(x)
        mean = x.sum(AXES) / count
        deviations = x - spread(mean)
        squares = (deviations * deviations).sum(AXES)
        return Statistics(mean, squares / count, squares / (count - 1))

    def update(self, operands: Operands, found: Statistics, factor: float) -> None:
        """Move the running statistics that are there towards the batch's, outside the graph."""
        with torch.no_grad():
            if operands.running_mean is not None:
                self.average(operands.running_mean, found.mean, factor)
            if operands.running_var is not None:
                self.average(operands.running_var, found.unbiased, factor)

    def average(self, running: Tensor, new: Tensor, factor: float) -> None:
        """Set running = (1 - factor) * running + factor * new, in place.

        The write goes through ``data``, so that autograd, as with torch's kernel, does not refuse the
        backward pass of an earlier forward.
        """
        with unseen(new):
            running.data.copy_((1 - factor) * wide(running.data) + factor * plain(new))

    def normalise(
        self,
        x: Tensor,
        mean: Tensor,
        variance: Tensor,
        weight: Optional[Tensor],
        bias: Optional[Tensor],
        eps: float,
    ) -> Tensor:
        """Return (x - mean) / sqrt(variance + eps) * weight + bias."""
        stored, x = x.dtype, wide(x)
        deviation = self.deviation(wide(variance), eps)
        y = (x - spread(mean)) / spread(deviation)
        return self.scale_and_shift(y, weight, bias).to(stored)

    def deviation(self, variance: Tensor, eps: float) -> Tensor:
        """Return the divisor of the centred input."""
        return torch.sqrt(variance + eps)

    def scale_and_shift(
        self, y: Tensor, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tensor:
        """Return y * weight + bias, without the factor or summand that is missing."""
        if weight is not None:
            y = y * spread(weight)
        if bias is not None:
            y = y + spread(bias)
        return y

    def laid_out(self, y: Tensor, x: Tensor) -> Tensor:
        """Return the output in channels_last strides if the input or what it is part of has them."""
        if follows_channels_last(x):
            return y.contiguous(memory_format=torch.channels_last)
        return y.contiguous()

    def nothing(self, x: Tensor, operands: Operands) -> Tensor:
        """Return the output for an input without elements: empty, too, and in the parameters' graph."""
        return self.scale_and_shift(x.clone(), operands.weight, operands.bias)

    def check_arguments(self, x: Tensor, from_batch: bool, factor: float, eps: float) -> None:
        """Raise for unusable numbers, before any tensor is looked at."""
        if from_batch and values_per_channel(x) == 1:
            raise ValueError(
                f"Expected more than 1 value per channel when training, got input size {x.size()}"
            )
        if from_batch and eps <= 0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
        if eps < 0:
            raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
        if not isinstance(factor, (int, float)):
            given = type(factor).__name__
            raise TypeError(f"argument 'momentum' (position 7) must be float, not {given}")

    def check_operands(self, x: Tensor, operands: Operands, from_batch: bool) -> None:
        """Raise where a tensor is missing, of the wrong length, or must not be written to.

        For an input without elements only the number of channels counts.
        """
        running = (
            ("running_mean", operands.running_mean),
            ("running_var", operands.running_var),
        )
        for name, tensor in running:
            if tensor is None and not from_batch and x.numel():
                raise RuntimeError(f"{name} must be defined in evaluation mode")
            self.check_length(x, name, tensor)
        self.check_length(x, "weight", operands.weight)
        self.check_length(x, "bias", operands.bias)
        if x.numel() == 0:
            self.check_products(x, operands)
            return
        self.check_no_grad(running)
        if (operands.running_mean is None) != (operands.running_var is None):
            raise ValueError(
                "running_mean and running_var must either both be None or neither be None"
            )

    def check_memory(self, operands: Operands, from_batch: bool) -> None:
        """Raise where the running statistics are not 1-D or share places in memory."""
        for tensor in operands[2:]:
            if tensor is None:
                continue
            if tensor.dim() != 1:
                raise RuntimeError(f"expected 1 dims but tensor has {tensor.dim()}")
            if from_batch and tensor.stride(0) == 0 and tensor.numel() > 1:
                raise RuntimeError(
                    "more than one element of the written-to tensor refers to a single memory location"
                )

    def check_products(self, x: Tensor, operands: Operands) -> None:
        """Raise where the empty input cannot be multiplied by, or added to, a tensor that is not 1-D."""
        broadcasts = x.shape[1] == 1 or x.shape[3] in (1, x.shape[1])
        if not broadcasts and any(each is not None and each.dim() != 1 for each in operands[:2]):
            raise RuntimeError("The size of tensor a must match the size of tensor b")

    def check_rows(self, x: Tensor, operands: Operands) -> None:
        """Raise for a weight or bias that is not 1-D, unless the input lies densely in memory."""
        dense = x.is_contiguous() or x.is_contiguous(memory_format=torch.channels_last)
        if not dense and any(each is not None and each.dim() != 1 for each in operands[:2]):
            raise RuntimeError("t.defined() && t.dim() == 1 INTERNAL ASSERT FAILED")

    def check_length(self, x: Tensor, name: str, tensor: Optional[Tensor]) -> None:
        """Raise where ``tensor`` has not one element for each channel of ``x``."""
        channels = x.shape[1]
        if tensor is not None and tensor.numel() != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {tensor.numel()}")

    def check_no_grad(self, running: Tuple[Tuple[str, Optional[Tensor]], ...]) -> None:
        """Raise where a running statistic requires a gradient that is recorded: there is none for it."""
        for name, tensor in running if torch.is_grad_enabled() else ():
            if tensor is not None and tensor.requires_grad:
                raise RuntimeError(f"batch_norm is not differentiable with respect to {name}")

    def check_dtype(self, x: Tensor, operands: Operands) -> None:
        """Raise where the input is not of floating point, or not of the tensors' dtype.

        Tensors in float32 accept a narrower input, too.
        """
        if not x.is_floating_point():
            dense = x.is_contiguous() or x.is_contiguous(memory_format=torch.channels_last)
            if not dense and all(each is None for each in operands):
                raise self.no_mean("mean(): could not infer output dtype")
            name = {torch.uint8: "Byte", torch.bool: "Bool"}.get(x.dtype, "Long")
            raise NotImplementedError(f"\"batch_norm\" not implemented for '{name}'")
        dtypes = {tensor.dtype for tensor in operands if tensor is not None}
        if x.dtype in NARROW and dtypes == {torch.float32}:
            return
        if not dtypes <= {x.dtype}:
            if torch.float32 not in dtypes:
                expectation = "expect parameter to have scalar type of Float"
                raise RuntimeError(f"mixed dtype (CPU): {expectation}")
            raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype")
