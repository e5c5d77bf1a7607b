"""Subjects with a fault in their numbers or in what goes with them."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import torch
from torch import Tensor

Base = torch.nn.BatchNorm2d


class Nudged(Base):
    """Moves one element of ``quantity`` after the k-th forward, by what ``plan`` says for k."""

    quantity = "output"
    plan: Dict[int, Tuple[Tuple[int, ...], float]]
    forwards = 0

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        cls = type(self)
        index, value = cls.plan.get(cls.forwards, ((), 0.0))
        cls.forwards += 1
        if not index:
            return output
        with torch.no_grad():
            if self.quantity != "output":
                getattr(self, self.quantity)[index] = value
                return output
        moved = output.clone()
        moved[index] = value
        return moved


class UnbiasedNormalisation(Base):
    """Train mode normalises by the unbiased variance."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        count = input.numel() // max(input.shape[1], 1)
        if not self.training or count < 2:
            return output
        factor = ((count - 1) / count) ** 0.5
        if self.bias is None:
            return output * factor
        bias = self.bias[:, None, None]
        return (output - bias) * factor + bias


class NoEps(Base):
    """Leaves eps out of the root."""

    def forward(self, input: Tensor) -> Tensor:
        kept, self.eps = self.eps, 1e-30
        try:
            return super().forward(input)
        finally:
            self.eps = kept


class MomentumSwapped(Base):
    """Weighs the old value with momentum, and the new one with 1 - momentum."""

    def forward(self, input: Tensor) -> Tensor:
        kept = self.momentum
        if isinstance(kept, (int, float)):
            self.momentum = 1 - kept
        try:
            return super().forward(input)
        finally:
            self.momentum = kept


class NotCounted(Base):
    """num_batches_tracked stays as it is."""

    def forward(self, input: Tensor) -> Tensor:
        kept = None if self.num_batches_tracked is None else self.num_batches_tracked.clone()
        output = super().forward(input)
        if kept is not None and self.num_batches_tracked is not None:
            self.num_batches_tracked.copy_(kept)
        return output


class WrongException(Base):
    """Raises LookupError where ValueError is due."""

    def forward(self, input: Tensor) -> Tensor:
        try:
            return super().forward(input)
        except ValueError as error:
            raise LookupError(str(error)) from error


class SaysCommands(Base):
    """Raises an exception whose text is meant for GitHub Actions and for a page of Markdown."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.num_batches_tracked:  # a subject is tried before the run, with one batch
            return super().forward(input)
        raise RuntimeError("first\n::error::injected\r\n%0A::add-mask::x ##[error] <img src=x> | a `b` @someone")


class AlwaysFails(Base):
    """Every forward raises."""

    def forward(self, input: Tensor) -> Tensor:
        raise ArithmeticError("another fault")


class WrongStrides(Base):
    """The output lies in memory the other way round."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        return output.transpose(2, 3).contiguous().transpose(2, 3)


class WrongDtype(Base):
    """Returns float64 for float32 and float32 for float64."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        return output.double() if output.dtype == torch.float32 else output.float()


class WideBuffers(Base):
    """The running buffers are float64 in a float32 module, and right."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for buffer in (self.running_mean, self.running_var):
            if buffer is not None:
                buffer.data = buffer.data.double()


class BuffersReplaced(Base):
    """Binds the running buffers to new tensors at every train-mode forward."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        if self.training and self.running_mean is not None:
            self.running_mean = self.running_mean.clone()
        return output


class LegacyCounterLost(Base):
    """Loading a state dict from before the counter sets it to 99."""

    def _load_from_state_dict(
        self, state_dict: Dict[str, Any], prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        key = prefix + "num_batches_tracked"
        if self.num_batches_tracked is not None and key not in state_dict:
            state_dict[key] = torch.tensor(99)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)  # type: ignore[no-untyped-call]


class ForgetsFlags(Base):
    """Writing the bias resets ``eps``: seen only after certain operations."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "bias" and value is None and self.num_batches_tracked is None:
            super().__setattr__("eps", 0.25)


class LeaksNaN(Base):
    """A NaN in one channel reaches all others."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        return output + (input.sum() * 0.0 if input.isnan().any() else 0.0)


class HealsBuffers(Base):
    """Puts a number in place of every NaN and infinity in the running buffers."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        for buffer in (self.running_mean, self.running_var):
            if buffer is not None:
                buffer.data[~torch.isfinite(buffer)] = 1.0
        return output


class OverwritesInput(Base):
    """Writes its result into the input."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        if input.shape[1:] == output.shape[1:] and input.is_contiguous():
            input.data.copy_(output.detach())
        return output


class SharesMemory(Base):
    """A deep copy keeps the original's weight."""

    def __deepcopy__(self, memo: Any) -> SharesMemory:
        renewed = type(self)(self.num_features, affine=self.affine)
        renewed.__dict__.update(
            {key: value for key, value in self.__dict__.items() if not key.startswith("_")}
        )
        renewed._parameters = dict(self._parameters)
        renewed._buffers = {k: None if b is None else b.clone() for k, b in self._buffers.items()}
        return renewed
