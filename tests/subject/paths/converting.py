"""Paths on which another module takes the place of the one under test."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tests.subject.paths.path import Factory, Made, Path


class Lazy(Path):
    """The module begins as a LazyBatchNorm2d and becomes one of the class under test.

    It is materialised at once, by a batch of zeros in eval mode, which leaves the buffers alone: before
    that it has no tensors that could be observed.
    """

    @classmethod
    def factory(cls, factory: Factory) -> Factory:
        """Return the callable that constructs the module."""
        bases: Any = (torch.nn.LazyBatchNorm2d, factory)
        lazy = type("Lazy", bases, {"cls_to_become": factory})

        def construct(features: int, *arguments: Any, **named: Any) -> Any:
            module = lazy(*arguments, **named)
            module.eval()
            module(torch.zeros(2, features, 1, 1, dtype=named.get("dtype"), device=named.get("device")))
            return module.train()

        return construct


class Sync(Path):
    """The module is converted by ``SyncBatchNorm.convert_sync_batchnorm`` as soon as it is there."""

    @classmethod
    def factory(cls, factory: Factory) -> Factory:
        """Return the callable that constructs the module."""
        def construct(*arguments: Any, **named: Any) -> Any:
            convert: Any = torch.nn.SyncBatchNorm.convert_sync_batchnorm
            return convert(factory(*arguments, **named))

        return construct


class Fused(Made):
    """``fuse_conv_bn_eval`` with a 1x1 convolution per channel that returns its input.

    Its weight is 1 and it has no bias, so the fused convolution computes the affine map of the
    normalisation. It is made of the module as it is at the first forward in eval mode.
    """

    kernels = False
    sums_exactly = False

    def make(self, module: Any, x: torch.Tensor) -> Any:
        """Return the program; raises what torch raises."""
        with torch.inference_mode(False), torch.enable_grad():  # for use outside of them
            return self._fused(module, x)

    def _fused(self, module: Any, x: torch.Tensor) -> Any:
        """Return the fused convolution."""
        given = x.shape[1] if module.running_var is None else module.running_var.numel()
        channels = max(given, 1)
        convolution = torch.nn.Conv2d(channels, channels, 1, groups=channels, bias=False)
        torch.nn.init.ones_(convolution.weight)
        return fuse_conv_bn_eval(convolution.to(_dtype(module, x)).eval(), module)


def _dtype(module: Any, x: torch.Tensor) -> torch.dtype:
    """Return the dtype of the module's statistics, that of the input where there are none."""
    dtype = (x if module.running_var is None else module.running_var).dtype
    return dtype if dtype.is_floating_point else torch.get_default_dtype()


PATHS = {"lazy": Lazy, "sync": Sync, "fused": Fused}
"""Maps the name of a path to its class."""
