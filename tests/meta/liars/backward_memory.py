"""Liars about memory: the order in which a backward reads it, and the layout of its results."""

from __future__ import annotations

from typing import Tuple

import torch

from tests.meta.liars.derivative import Gradients, Kept, Terms
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor
from tests.meta.liars.registry import liar

Wanted = Tuple[bool, bool, bool]
Strides = Tuple[int, ...]


def misread(tensor: Tensor, strides: Strides, offset: int) -> Tensor:
    """Return the tensor that lies in the memory of another one with these strides from this offset.

    Reads beyond the end of the memory continue at its beginning.
    """
    size = tensor.untyped_storage().nbytes() // tensor.element_size()
    memory = tensor.detach().as_strided((size,), (1,), 0)
    places = torch.full(tensor.shape, offset)
    for axis, (length, stride) in enumerate(zip(tensor.shape, strides)):
        steps = stride * torch.arange(length)
        places += steps.reshape([-1 if each == axis else 1 for each in range(tensor.dim())])
    return memory[places % max(size, 1)]


def dense(tensor: Tensor) -> Strides:
    """Return the strides of a contiguous tensor of the shape."""
    return torch.empty(tensor.shape).stride()


# --- reading -----------------------------------------------------------------------------------


class _MisreadUpstream(HonestBatchNorm2d):
    """Reads as contiguous an upstream gradient for which ``confused`` returns True."""

    def confused(self, g: Tensor) -> bool:
        """Whether the upstream gradient has the layout that is misread."""
        raise NotImplementedError

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        if g.numel() and self.confused(g):
            g = misread(g, dense(g), g.storage_offset())
        return super().differentiate(g, kept, wanted)


@liar("gl_channels_last", "g_ordinary", "n30", through="input gradient")
class ChannelsLastUpstreamMisread(_MisreadUpstream):
    """Reads an upstream gradient in channels_last as contiguous."""

    def confused(self, g: Tensor) -> bool:
        return g.is_contiguous(memory_format=torch.channels_last)


@liar("gl_permuted", "g_ordinary", "n30", through="input gradient")
class PermutedUpstreamMisread(_MisreadUpstream):
    """Reads a permuted upstream gradient as contiguous."""

    def confused(self, g: Tensor) -> bool:
        ours = g.is_contiguous(memory_format=torch.channels_last)
        return not ours and 0 not in g.stride() and g.stride(-1) > 2


@liar("gl_sliced", "g_ordinary", "n30", through="input gradient")
class SlicedUpstreamMisread(_MisreadUpstream):
    """Reads every second value of a row as the next one."""

    def confused(self, g: Tensor) -> bool:
        return g.stride(-1) == 2


@liar("gl_expanded", "g_ordinary", "n30", through="input gradient")
class ExpandedUpstreamMisread(_MisreadUpstream):
    """Reads an upstream gradient that is expanded over the images as dense."""

    def confused(self, g: Tensor) -> bool:
        return g.stride(0) == 0 and g.stride(1) != 0

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        if g.numel() and self.confused(g):
            g = torch.cat([g[:1], torch.zeros_like(g[1:])])
        return super().differentiate(g, kept, wanted)


@liar("gl_scalar", "g_offset", through="bias gradient")
class ScalarUpstreamMisread(_MisreadUpstream):
    """Takes an upstream gradient that is one expanded number for a gradient of one value a channel."""

    def confused(self, g: Tensor) -> bool:
        return not any(g.stride())

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        if bias is not None and g.numel() and self.confused(g):
            bias = g[0, :, 0, 0].clone()
        return x, weight, bias


@liar("backward_layout", "n30_float32_contiguous_shifted", through="input gradient")
class UpstreamOffsetIgnored(HonestBatchNorm2d):
    """Reads the upstream gradient from the beginning of the memory that it is a part of."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        if g.numel() and g.storage_offset():
            g = misread(g, g.stride(), 0)
        return super().differentiate(g, kept, wanted)


@liar("backward_layout", "n30_float32_shifted_contiguous", through="input gradient")
class InputOffsetIgnored(HonestBatchNorm2d):
    """Reads the input in the backward pass from the beginning of the memory that it is a part of."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x = kept.x
        if x.numel() and x.storage_offset():
            kept = kept._replace(x=misread(x, x.stride(), 0))
        return super().differentiate(g, kept, wanted)


@liar("x_channels_last", "gl_channels_last", "n30", through="input gradient")
class BothChannelsLastMisread(HonestBatchNorm2d):
    """Reads the upstream gradient as contiguous where it and the input are in channels_last."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        form = torch.channels_last
        if g.is_contiguous(memory_format=form) and kept.x.is_contiguous(memory_format=form):
            g = misread(g, dense(g), g.storage_offset())
        return super().differentiate(g, kept, wanted)


@liar("x_channels_last", "g_ordinary", "n30", through="input gradient")
class UpstreamInInputStrides(HonestBatchNorm2d):
    """Reads the upstream gradient with the strides of an input in channels_last."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x = kept.x
        if x.numel() and x.is_contiguous(memory_format=torch.channels_last):
            g = misread(g, x.stride(), g.storage_offset())
        return super().differentiate(g, kept, wanted)


@liar("x_permuted", "g_ordinary", "n30", through="input gradient")
class PermutedInputMisread(HonestBatchNorm2d):
    """Reads a permuted input as contiguous in the backward pass."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x = kept.x
        strange = not x.is_contiguous(memory_format=torch.channels_last) and x.stride(-1) > 2
        if x.numel() and strange:
            kept = kept._replace(x=misread(x, dense(x), x.storage_offset()))
        return super().differentiate(g, kept, wanted)


@liar("x_channels_last", "g_ordinary", "n30", through="weight gradient")
class ChannelsLastInputMisread(HonestBatchNorm2d):
    """Reads an input in channels_last as contiguous for the weight's gradient."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, weight, bias = super().differentiate(g, kept, wanted)
        given = kept.x
        if weight is not None and given.is_contiguous(memory_format=torch.channels_last):
            read = misread(given, dense(given), given.storage_offset())
            weight = super().differentiate(g, kept._replace(x=read), wanted)[1]
        return x, weight, bias


@liar("x_sliced", "g_ordinary", "n30", through="weight gradient")
class SlicedInputMisread(HonestBatchNorm2d):
    """Reads a sliced input as dense in the backward pass."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x = kept.x
        if x.numel() and x.stride(-1) == 2:
            kept = kept._replace(x=misread(x, dense(x), x.storage_offset()))
        return super().differentiate(g, kept, wanted)


# --- the layout of the results -----------------------------------------------------------------


@liar("x_channels_last", "g_ordinary", "n30", through="input gradient strides")
class GradientAlwaysContiguous(HonestBatchNorm2d):
    """Returns a contiguous gradient for an input in channels_last."""

    def gradient_laid_out(self, gradient: Tensor, g: Tensor, x: Tensor) -> Tensor:
        return gradient.contiguous()


@liar("g_ordinary", "n30", through="input gradient strides")
class GradientAlwaysChannelsLast(HonestBatchNorm2d):
    """Returns a gradient in channels_last, whatever the input's layout."""

    def gradient_laid_out(self, gradient: Tensor, g: Tensor, x: Tensor) -> Tensor:
        return gradient.contiguous(memory_format=torch.channels_last)


@liar("gl_channels_last", "g_ordinary", "n30", through="input gradient strides")
class GradientLaidOutLikeUpstream(HonestBatchNorm2d):
    """Returns a gradient in the memory format of the upstream gradient."""

    def input_gradient(self, g: Tensor, kept: Kept, terms: Terms) -> Tensor:
        return super().input_gradient(g, kept._replace(x=kept.x), terms).contiguous(
            memory_format=torch.channels_last
            if g.is_contiguous(memory_format=torch.channels_last)
            else torch.contiguous_format
        )


@liar("x_permuted", "g_ordinary", "n30", through="input gradient strides")
class GradientInInputStrides(HonestBatchNorm2d):
    """Returns a gradient in the strides of the input."""

    def gradient_laid_out(self, gradient: Tensor, g: Tensor, x: Tensor) -> Tensor:
        if 0 in x.stride():
            return super().gradient_laid_out(gradient, g, x)
        return torch.empty_strided(x.shape, x.stride(), dtype=gradient.dtype).copy_(gradient)


@liar("g_ordinary", through="input gradient requires_grad")
class InputGradientRecorded(HonestBatchNorm2d):
    """Returns a gradient of the input that itself requires a gradient."""

    def gradient_laid_out(self, gradient: Tensor, g: Tensor, x: Tensor) -> Tensor:
        return super().gradient_laid_out(gradient, g, x).requires_grad_()
