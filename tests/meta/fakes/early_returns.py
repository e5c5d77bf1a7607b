"""Subjects that return before they have computed anything."""

from __future__ import annotations

import torch
from torch import Tensor

Base = torch.nn.BatchNorm2d


class ReturnsInput(Base):
    """Returns its input."""

    def forward(self, input: Tensor) -> Tensor:
        return input


class ReturnsCopy(Base):
    """Returns a copy of its input, and counts."""

    def forward(self, input: Tensor) -> Tensor:
        super().forward(input)
        return input.clone()


class ReturnsZeros(Base):
    """Returns zeros; everything else is right."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) * 0.0


class ReturnsNothing(Base):
    """Returns None; everything else is right."""

    def forward(self, input: Tensor) -> Tensor:
        super().forward(input)
        return None  # type: ignore[return-value]


class ReturnsEmpty(Base):
    """Returns a tensor without elements; everything else is right."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input)[:0]


class ReturnsText(Base):
    """Returns no tensor at all; everything else is right."""

    def forward(self, input: Tensor) -> Tensor:
        super().forward(input)
        return "done"  # type: ignore[return-value]


class NaNEverywhere(Base):
    """Returns NaN and leaves NaN in the buffers."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        with torch.no_grad():
            for buffer in (self.running_mean, self.running_var):
                if buffer is not None:
                    buffer.mul_(float("nan"))
        return output * float("nan")


class InfinityEverywhere(Base):
    """Returns +inf."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input).abs() + float("inf")
