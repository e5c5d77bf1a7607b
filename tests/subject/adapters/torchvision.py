"""torchvision's FrozenBatchNorm2d.

It is a "BatchNorm2d where the batch statistics and the affine parameters are fixed". Source:
https://docs.pytorch.org/vision/stable/generated/torchvision.ops.FrozenBatchNorm2d.html. It has no
momentum and no train mode, and its weight and bias are buffers without a gradient, so the gradient of
the input is what it gives.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torchvision

from tests.subject.adapters.torch_layer import TorchLayer
from tests.subject.contract import Circumstances, Clause

SOURCE = "https://docs.pytorch.org/vision/stable/generated/torchvision.ops.FrozenBatchNorm2d.html"


def _input_alone(right: Any, there: Circumstances) -> Any:
    """Return the expectation of a backward without the gradients of weight and bias."""
    return dataclasses.replace(right, gradients=(right.gradients[0], None, None))


FIXED = Clause(
    "fixed_parameters",
    "the affine parameters are fixed, so they have no gradient",
    SOURCE,
    when=lambda there: there.right.gradients is not None,
    instead=_input_alone,
)


class FrozenBatchNorm2d(TorchLayer):
    """torchvision.ops.FrozenBatchNorm2d."""

    offers = TorchLayer.offers - {"train", "set:momentum"}
    contract = (FIXED,)
    implementation = f"torchvision {torchvision.__version__.partition('+')[0]} FrozenBatchNorm2d"

    def __init__(self, num_features: int, eps: float, momentum: Any, dtype: str, **offered: bool) -> None:
        super().__init__(torchvision.ops.FrozenBatchNorm2d(num_features, eps=eps), dtype)
