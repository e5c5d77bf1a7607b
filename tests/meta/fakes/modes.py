"""Subjects whose mode is not what they were told."""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

Base = torch.nn.BatchNorm2d


class DeafToModes(Base):
    """``train()`` and ``eval()`` do nothing."""

    def train(self, mode: bool = True) -> DeafToModes:
        return self


class SaysTraining(Base):
    """``training`` always reads True; the forward uses the real mode."""

    real: Optional[bool]

    @property  # type: ignore[override]
    def training(self) -> bool:
        return True

    @training.setter
    def training(self, mode: bool) -> None:
        self.__dict__["real"] = mode

    def forward(self, input: Tensor) -> Tensor:
        if self.real:
            return super().forward(input)
        bn = torch.nn.functional.batch_norm
        mean, variance = self.running_mean, self.running_var
        bare = mean is None and variance is None
        return bn(input, mean, variance, self.weight, self.bias, bare, 0.0, self.eps)


class ActsTraining(Base):
    """``training`` reads as it was set; every forward is one of train mode."""

    def forward(self, input: Tensor) -> Tensor:
        asked = self.training
        self.training = True
        try:
            return super().forward(input)
        finally:
            self.training = asked
