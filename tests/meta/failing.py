"""Wrong BatchNorm2d modules for the tests of failure reports; torch is all they need.

They lie beside a script as a user's own module would, so they import nothing of the suite.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

Base = torch.nn.BatchNorm2d


class OneIn200(Base):
    """One forward in 200 of the whole process returns zeros."""

    forwards = 0

    def forward(self, input: Tensor) -> Tensor:
        OneIn200.forwards += 1
        output = super().forward(input)
        return output * 0.0 if OneIn200.forwards % 200 == 0 else output


class WrongAfterFifty(Base):
    """All forwards but the first 50 of the process return zeros."""

    forwards = 0

    def forward(self, input: Tensor) -> Tensor:
        WrongAfterFifty.forwards += 1
        output = super().forward(input)
        return output * 0.0 if WrongAfterFifty.forwards > 50 else output


class RefusedIsNotCounted(Base):
    """A batch that is refused does not count, although it must."""

    def forward(self, input: Tensor) -> Tensor:
        count = self.num_batches_tracked
        before = None if count is None else count.clone()
        try:
            return super().forward(input)
        except Exception:
            if count is not None and before is not None:
                count.copy_(before)
            raise


class WrongWhenLarge(Base):
    """Adds 1 to the output of a channel with more than 10,000 values."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        large = input.dim() == 4 and input.shape[1] and input.numel() // input.shape[1] > 10_000
        return output + 1 if large else output


class WrongOnManyValues(Base):
    """Adds 1 to the output of an input with more than 50,000 different values."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        return output + 1 if input.unique().numel() > 50_000 else output


class WrongInChannelsLast(Base):
    """Adds 1 to the output of an input that is channels_last and not contiguous."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        channels_last = input.dim() == 4 and input.is_contiguous(memory_format=torch.channels_last)
        return output + 1 if channels_last and not input.is_contiguous() else output


class WrongInLastColumn(Base):
    """Adds 1 to the last column of the last image, where that has a positive input."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        if input.dim() != 4 or not input.numel():
            return output
        added = torch.zeros_like(output)
        added[-1, :, :, -1] = 1.0
        return output + added * (input > 0)


class WrongAfter200(Base):
    """From its 201st forward on, a module returns zeros."""

    calls = 0

    def forward(self, input: Tensor) -> Tensor:
        self.calls += 1
        output = super().forward(input)
        return output * 0.0 if self.calls > 200 else output


class WrongWithOneThread(Base):
    """Adds 1 to the output when torch has one thread."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        return output + 1 if torch.get_num_threads() == 1 and input.numel() > 4000 else output


class WrongWithOneThreadOnly(Base):
    """Adds 1 to the output of any size when torch has one thread."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        return output + 1 if torch.get_num_threads() == 1 else output


class WrongInDouble(Base):
    """Adds 1 to the output when torch's default dtype is float64."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        return output + 1 if torch.get_default_dtype() == torch.float64 else output


class CountsLikeTorch110(Base):
    """Binds the counter to a new tensor at every counted forward, as releases up to 1.10 do."""

    def forward(self, input: Tensor) -> Tensor:
        before = self.num_batches_tracked
        kept = None if before is None else before.clone()
        output = super().forward(input)
        after = self.num_batches_tracked
        if kept is not None and after is not None and not torch.equal(kept, after):
            self.num_batches_tracked = after.clone()
        return output


class WithoutBiasKeyword(Base):
    """Takes no bias keyword, as releases up to 2.11."""

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: Any = 0.1,
        affine: bool = True, track_running_stats: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device=device, dtype=dtype
        )


class _Scaled(torch.autograd.Function):
    """The identity, whose gradient is twice what it should be."""

    @staticmethod
    def forward(ctx: Any, input: Tensor) -> Tensor:
        return input.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * 2


class InputGradientDoubled(Base):
    """The gradient of the input is twice what it should be."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(_Scaled.apply(input))


class BiasHasNoGradient(Base):
    """The bias is used but gets no gradient."""

    def forward(self, input: Tensor) -> Tensor:
        bias = self.bias
        if bias is None:
            return super().forward(input)
        return torch.nn.functional.batch_norm(
            input, self.running_mean, self.running_var, self.weight, bias.detach(),
            self.training, 0.1, self.eps,
        )  # fmt: skip


class BatchNormAct2d(Base):
    """Behaves as timm's class of this name without activation, in everything that BatchNorm2d has, too.

    Its documented arguments have no bias, an input of another rank fails an assertion, and its text names
    the activation and the dropout after the numbers of the normalisation.
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: Any = 0.1,
        affine: bool = True, track_running_stats: bool = True, apply_act: bool = False,
        act_layer: Any = None, act_kwargs: Any = None, inplace: bool = True, drop_layer: Any = None,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device=device, dtype=dtype
        )
        self.drop = torch.nn.Identity()
        self.act = torch.nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        assert x.ndim == 4, f"expected 4D input (got {x.ndim}D input)"
        return self.act(self.drop(super().forward(x)))


class LeavesDoubleAsDefault(Base):
    """Is wrong, and leaves float64 as the default dtype."""

    def forward(self, x: Any) -> Any:
        output = super().forward(x)
        torch.set_default_dtype(torch.float64)
        return output + 1
