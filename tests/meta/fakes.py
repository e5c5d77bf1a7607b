"""Wrong BatchNorm2d modules for the tests of the suite's own machinery; torch is all they need.

The registry of liars (``tests.meta.liars``) measures what the suite catches. These modules exist so that
the verdict, the explanation, the script and the command line have a finding to show.
"""

from __future__ import annotations

from typing import Any, ClassVar, Dict, List, Optional, Tuple

import torch
from torch import Tensor

Base = torch.nn.BatchNorm2d


# --- modes ------------------------------------------------------------------------------------


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


# --- early returns ----------------------------------------------------------------------------


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


# --- numbers ----------------------------------------------------------------------------------


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


# --- late writes ------------------------------------------------------------------------------


class WritesToEarlierInputs(Base):
    """Is right in every forward, but later overwrites earlier inputs, of other instances, too."""

    given: ClassVar[List[Tensor]] = []

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        for earlier in self.given:
            if earlier.is_contiguous():
                earlier.data.fill_(100)
        self.given[:] = [*self.given[-50:], input]
        return output


class WritesToEarlierOutputs(Base):
    """Is right in every forward, but later overwrites the output before it, of another instance, too."""

    returned: ClassVar[List[Tensor]] = []

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        for earlier in self.returned:
            earlier.data.fill_(100)
        self.returned[:] = [output]
        return output


# --- no subject at all ------------------------------------------------------------------------


class CannotBeMade(Base):
    """The constructor raises."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise OSError("no such device")


class NoModule:
    """Takes the arguments and is no module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass


NOT_CALLABLE = 3


class OwnArguments(Base):
    """Takes the number of channels and no other argument."""

    def __init__(self, num_features: int) -> None:
        super().__init__(num_features)


class ExitsWhenMade(Base):
    """The constructor ends the process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise SystemExit("no licence")


class NotOnTheCPU(Base):
    """Has tensors without numbers, as on another device."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "device": "meta"})


class Wordless(Exception):
    """Cannot be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Unreadable(Base):
    """An attribute cannot be read."""

    @property
    def eps(self) -> float:
        raise Wordless

    @eps.setter
    def eps(self, value: float) -> None:
        pass


class ExitsInForward(Base):
    """Ends the process in the middle of a case, as a script does."""

    def forward(self, input: Tensor) -> Tensor:
        raise SystemExit(0)


class SkipsInForward(Base):
    """Calls pytest's own skip in a forward."""

    def forward(self, input: Tensor) -> Tensor:
        import pytest

        pytest.skip("not today")


class DiesLater(Base):
    """Ends the process in a forward after some that went well."""

    forwards = 0

    def forward(self, input: Tensor) -> Tensor:
        import os

        DiesLater.forwards += 1
        if DiesLater.forwards == 40:
            os._exit(1)
        return super().forward(input)


class DiesInForward(Base):
    """Kills the whole process in a forward."""

    def forward(self, input: Tensor) -> Tensor:
        import os

        os._exit(0)


class PrintsAndLies(NoEps):
    """Prints in every forward, and has no eps."""

    def forward(self, input: Tensor) -> Tensor:
        print("said the subject")
        return super().forward(input)


class WrongOnce(Base):
    """Is wrong in one forward of the process, the twelfth that returns."""

    forwards = 0

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        WrongOnce.forwards += 1
        return output + 1 if WrongOnce.forwards == 12 else output


class WrongAtEps1(Base):
    """Is wrong where eps is 1."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        return output + 1 if self.eps == 1 else output
