"""Liars about the output itself: its dtype, shape, layout, memory, graph, and single values."""

from __future__ import annotations

from typing import Any

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor
from tests.meta.liars.registry import liar


@liar("no_affine", through="input_changed")
class InputOverwritten(HonestBatchNorm2d):
    """Normalises in place: the output is the input's memory."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        with torch.no_grad():
            x.copy_(y)
        return x if not y.requires_grad else y


@liar("train_only", through="input_changed")
class InputCentred(HonestBatchNorm2d):
    """Subtracts the mean from the input in place; the output is right."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if self.training and x.numel():
            x.sub_(x.mean((0, 2, 3), keepdim=True))
        return y


@liar("nonfinite", through="input_changed")
class InputCleaned(HonestBatchNorm2d):
    """Replaces NaNs in the input by 0, afterwards."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if torch.isnan(x).any():
            x[torch.isnan(x)] = 0
        return y


@liar("float32", through="output_dtype")
class OutputPromoted(HonestBatchNorm2d):
    """Returns float64 for a float32 input."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).double()


@liar("float64", through="output_dtype")
class OutputDemoted(HonestBatchNorm2d):
    """Returns float32 for a float64 input."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).float()


@liar("float32", through="output")
class OutputThroughHalf(HonestBatchNorm2d):
    """Rounds the output to bfloat16 on the way."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y.to(torch.bfloat16).to(y.dtype)


@liar("float64", "bounded", through="output")
class OutputThroughSingle(HonestBatchNorm2d):
    """Rounds a float64 output to float32 on the way."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y.float().to(y.dtype)


@liar("n8", through="output")
class OutputTransposed(HonestBatchNorm2d):
    """Swaps height and width."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).transpose(2, 3).contiguous()


@liar("n2", through="output_shape")
class OutputSqueezed(HonestBatchNorm2d):
    """Drops height and width when both are 1."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y.flatten(1) if y.shape[2:] == (1, 1) else y


@liar("n8", through="output")
class SamplesReversed(HonestBatchNorm2d):
    """Returns the samples in reverse order."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).flip(0)


@liar("n8", through="output_strides contiguous")
class OutputNotContiguous(HonestBatchNorm2d):
    """Returns channels_last strides for a contiguous input."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).contiguous(memory_format=torch.channels_last)


@liar("edge", "layout", "channels_last_n8", through="output_strides channels_last")
class ChannelsLastLost(HonestBatchNorm2d):
    """Returns contiguous strides for a channels_last input."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).contiguous()


@liar("edge", "layout", "sliced_n8", through="output")
class StridesIgnored(HonestBatchNorm2d):
    """Reads an input that is a slice as if its memory were dense."""

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 4 and x.numel() and x.stride(-1) == 2 and x.shape[-1] > 1:
            return super().forward(x.as_strided(x.shape, torch.empty(x.shape).stride()))
        return super().forward(x)


@liar("affine", through="output_requires_grad")
class OutputDetached(HonestBatchNorm2d):
    """Cuts the output off from the autograd graph."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).detach()


@liar("no_affine", through="output_requires_grad")
class OutputRequiresGrad(HonestBatchNorm2d):
    """Returns an output that requires a gradient where nothing does."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y if y.requires_grad else y.requires_grad_()


@liar("affine", "eval_only", through="output_requires_grad")
class EvalOutputDetached(HonestBatchNorm2d):
    """Runs eval mode without recording a graph."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y if self.training else y.detach()


@liar("nonfinite", through="output")
class NanBecomesZero(HonestBatchNorm2d):
    """Replaces NaNs in the output by 0."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return torch.where(torch.isnan(y), torch.zeros_like(y), y)


@liar("nonfinite", "eval_only", through="output")
class InfinityBecomesLarge(HonestBatchNorm2d):
    """Replaces infinities in the output by the largest finite number."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        most = torch.finfo(y.dtype).max
        return torch.where(torch.isinf(y), y.sign() * most, y)


@liar("n256", "bounded", through="output")
class OutputClipped(HonestBatchNorm2d):
    """Clips the output to [-20, 20]."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).clamp(-20, 20)


@liar("affine", "bounded", through="output")
class NegativesCut(HonestBatchNorm2d):
    """Applies ReLU to the output, as fused kernels do."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).clamp(min=0)


@liar("n102400", through="output")
class LastBlockUnwritten(HonestBatchNorm2d):
    """Leaves the last element of large outputs at 0, as a kernel with a wrong grid size does."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if y.numel() % 1024 == 0 and y.numel():
            y = y.clone()
            y[-1, -1, -1, -1] = 0
        return y


@liar("alternating", through="output")
class ThirdBatchWrong(HonestBatchNorm2d):
    """Returns the negative of the third output."""

    _calls = 0

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        self._calls += 1
        return -y if self._calls == 3 else y


@liar("edge", "drift", "fifty_batches", through="running_mean")
class WearsOut(HonestBatchNorm2d):
    """Stops updating after forty batches."""

    _calls = 0

    def updates(self) -> bool:
        return super().updates() and self._calls <= 40

    def forward(self, x: Tensor) -> Tensor:
        self._calls += 1
        return super().forward(x)


@liar("edge", "empty", "no_batch", through="running_mean")
class EmptyBatchUpdates(HonestBatchNorm2d):
    """An input without samples makes the running mean NaN."""

    def nothing(self, x: Tensor, operands: Any) -> Tensor:
        if self.training and operands.running_mean is not None:
            with torch.no_grad():
                operands.running_mean.mul_(float("nan"))
        return super().nothing(x, operands)


@liar("eval_only", "deepcopy", through="training")
class CopyForgetsMode(HonestBatchNorm2d):
    """A copy is in train mode, whatever the original was in."""

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self.training = True
