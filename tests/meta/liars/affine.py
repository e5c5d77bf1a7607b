"""Liars about weight and bias: whether, where and in which order they are applied and kept."""

from __future__ import annotations

from typing import Any, Optional

import torch
from torch.nn import Parameter

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Tensor, spread
from tests.meta.liars.registry import liar


@liar("affine", through="output")
class WeightOnly(HonestBatchNorm2d):
    """Leaves the bias out."""

    def operands(self) -> Operands:
        return super().operands()._replace(bias=None)


@liar("affine", through="output")
class BiasOnly(HonestBatchNorm2d):
    """Leaves the weight out."""

    def operands(self) -> Operands:
        return super().operands()._replace(weight=None)


@liar("affine", through="output")
class BiasBeforeScaling(HonestBatchNorm2d):
    """Computes (y + bias) * weight."""

    def scale_and_shift(
        self, y: Tensor, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tensor:
        return super().scale_and_shift(super().scale_and_shift(y, None, bias), weight, None)


@liar("affine", through="output")
class ScaledBeforeNormalised(HonestBatchNorm2d):
    """Swaps the order: scales and shifts the input, then subtracts the mean and divides."""

    def normalise(
        self,
        x: Tensor,
        mean: Tensor,
        variance: Tensor,
        weight: Optional[Tensor],
        bias: Optional[Tensor],
        eps: float,
    ) -> Tensor:
        scaled = self.scale_and_shift(x, weight, bias)
        return super().normalise(scaled, mean, variance, None, None, eps)


@liar("affine", through="output")
class ZeroCentredWeight(HonestBatchNorm2d):
    """Multiplies by 1 + weight."""

    def scale_and_shift(
        self, y: Tensor, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tensor:
        return super().scale_and_shift(y, None if weight is None else weight + 1, bias)


@liar("affine", through="output")
class WeightWithoutSign(HonestBatchNorm2d):
    """Multiplies by the absolute value of the weight."""

    def scale_and_shift(
        self, y: Tensor, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tensor:
        return super().scale_and_shift(y, None if weight is None else weight.abs(), bias)


@liar("affine", through="output")
class DividedByWeight(HonestBatchNorm2d):
    """Divides by the weight."""

    def scale_and_shift(
        self, y: Tensor, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tensor:
        return super().scale_and_shift(y, None if weight is None else 1 / weight, bias)


@liar("affine", through="output")
class BiasSubtracted(HonestBatchNorm2d):
    """Subtracts the bias."""

    def scale_and_shift(
        self, y: Tensor, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tensor:
        return super().scale_and_shift(y, weight, None if bias is None else -bias)


@liar("affine", through="output")
class WeightAndBiasSwapped(HonestBatchNorm2d):
    """Takes the bias for the weight and the weight for the bias."""

    def operands(self) -> Operands:
        operands = super().operands()
        return operands._replace(weight=operands.bias, bias=operands.weight)


@liar("affine", through="output")
class WeightOfTheNeighbour(HonestBatchNorm2d):
    """Applies each channel's weight to the next channel."""

    def scale_and_shift(
        self, y: Tensor, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tensor:
        return super().scale_and_shift(y, None if weight is None else weight.roll(1), bias)


@liar("affine", "eval_only", through="output")
class AffineInTrainOnly(HonestBatchNorm2d):
    """Leaves weight and bias out in eval mode."""

    def operands(self) -> Operands:
        operands = super().operands()
        return operands if self.training else operands._replace(weight=None, bias=None)


@liar("affine", "train_only", through="output")
class AffineInEvalOnly(HonestBatchNorm2d):
    """Leaves weight and bias out in train mode."""

    def operands(self) -> Operands:
        operands = super().operands()
        return operands._replace(weight=None, bias=None) if self.training else operands


@liar("drop_weight", through="output")
class BiasNeedsWeight(HonestBatchNorm2d):
    """Leaves the bias out when the weight is None."""

    def operands(self) -> Operands:
        operands = super().operands()
        return operands._replace(bias=None) if operands.weight is None else operands


@liar("no_bias", through="output")
class WeightNeedsBias(HonestBatchNorm2d):
    """Leaves the weight out when the bias is None."""

    def operands(self) -> Operands:
        operands = super().operands()
        return operands._replace(weight=None) if operands.bias is None else operands


@liar("affine", "untrained_eval", through="weight")
class InitialWeightZero(HonestBatchNorm2d):
    """Starts the weight at 0."""

    def make_parameters(self, weight: bool, bias: bool) -> None:
        super().make_parameters(weight, bias)
        if self.weight is not None:
            with torch.no_grad():
                self.weight.zero_()


@liar("affine", "untrained_eval", through="bias")
class InitialBiasTiny(HonestBatchNorm2d):
    """Starts the bias at 1e-7."""

    def make_parameters(self, weight: bool, bias: bool) -> None:
        super().make_parameters(weight, bias)
        if self.bias is not None:
            with torch.no_grad():
                self.bias.fill_(1e-7)


@liar("reset_parameters", "affine", through="bias")
class ResetKeepsBias(HonestBatchNorm2d):
    """reset_parameters leaves the bias alone."""

    def reset_parameters(self) -> None:
        before = None if self.bias is None else self.bias.detach().clone()
        super().reset_parameters()
        if self.bias is not None and before is not None:
            with torch.no_grad():
                self.bias.copy_(before)


@liar("claim", "affine_changed_later", through="weight")
class ResetIgnoresAffine(HonestBatchNorm2d):
    """reset_parameters resets the weight although affine is False."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        if self.weight is not None:
            with torch.no_grad():
                self.weight.fill_(1)


@liar("reset_parameters", "no_bias", through="exception")
class ResetNeedsBias(HonestBatchNorm2d):
    """reset_parameters raises when there is a weight but no bias."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        if self.affine:
            self.bias.zero_()  # type: ignore[union-attr]


@liar("reset_parameters", "affine", through="weight is the same object")
class ResetRebindsWeight(HonestBatchNorm2d):
    """reset_parameters makes a new weight, which no optimizer knows."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        if self.affine and self.weight is not None:
            self.weight = torch.nn.Parameter(self.weight.detach().clone())


@liar("affine", "train_only", through="weight")
class WeightNormalisedInPlace(HonestBatchNorm2d):
    """Writes to the weight in a forward: clips it to at most 2."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if self.weight is not None:
            with torch.no_grad():
                self.weight.clamp_(max=2)
        return y


@liar("affine", through="bias requires_grad")
class BiasNotTrainable(HonestBatchNorm2d):
    """Makes a bias that requires no gradient."""

    def make_parameters(self, weight: bool, bias: bool) -> None:
        super().make_parameters(weight, bias)
        if self.bias is not None:
            self.bias.requires_grad_(False)


@liar("affine", "float64", through="output")
class WeightInSinglePrecision(HonestBatchNorm2d):
    """Multiplies by a weight with the relative error of float32, 2**-24, in a float64 module."""

    def scale_and_shift(
        self, y: Tensor, weight: Optional[Tensor], bias: Optional[Tensor]
    ) -> Tensor:
        if weight is not None:
            y = y * spread(weight * (1 + 2.0**-24))
        return super().scale_and_shift(y, None, bias)


@liar("train_then_eval", "affine", through="weight requires_grad")
class EvalFreezesParameters(HonestBatchNorm2d):
    """eval() turns requires_grad of the parameters off."""

    def train(self, mode: bool = True) -> Any:
        super().train(mode)
        for parameter in (self.weight, self.bias):
            if parameter is not None:
                parameter.requires_grad_(mode)
        return self


@liar("no_bias", through="bias present")
class BiasKeywordIgnored(HonestBatchNorm2d):
    """bias=False at construction makes a bias of zeros all the same."""

    def make_parameters(self, weight: bool, bias: bool) -> None:
        super().make_parameters(weight, weight)


@liar("drop_weight", through="weight present")
class WeightComesBack(HonestBatchNorm2d):
    """Restores a weight that was set to None."""

    def __setattr__(self, name: str, value: Any) -> None:
        kept: Optional[Parameter] = self.__dict__.get("_parameters", {}).get("weight")
        super().__setattr__(name, value)
        if name == "weight" and value is None:
            self._parameters["weight"] = kept
