"""Liars that keep, leave behind, accept or refuse what no other module does."""

from __future__ import annotations

import gc
import sys
import warnings
from typing import Any, List, Tuple

import torch

from tests.meta.liars.derivative import Gradients, Kept
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Tensor, followed, plain
from tests.meta.liars.registry import liar


@liar("protocol", "habits", through="text")
class UnknownKeywordAccepted(HonestBatchNorm2d):
    """Takes a keyword that there is not, so that a misspelled one is not noticed."""

    def __init__(self, *args: Any, other: object = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


@liar("protocol", "habits", through="text")
class BiasByPosition(HonestBatchNorm2d):
    """Takes bias by position, before device and dtype."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: Any = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        own = (num_features, eps, momentum, affine, track_running_stats, device, dtype)
        super().__init__(*own, bias=bias)


@liar("protocol", "habits", through="text")
class InputKept(HonestBatchNorm2d):
    """Keeps its last input, and the memory of it."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        self.__dict__["last_input"] = x.detach()
        return y

    def __getstate__(self) -> Any:
        return {key: value for key, value in self.__dict__.items() if key != "last_input"}


_KEPT: List[Tensor] = []


@liar("protocol", "habits", through="text")
class OutputKeptElsewhere(HonestBatchNorm2d):
    """Keeps its last output where no copy of the module has it."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        _KEPT[:] = [y]
        return y


@liar("protocol", "habits", through="text")
class AttributeAdded(HonestBatchNorm2d):
    """Has an attribute after the first batch that it did not have before."""

    def update(self, operands: Operands, found: Any, factor: float) -> None:
        super().update(operands, found, factor)
        self.__dict__["batch_mean"] = plain(found.mean)


@liar("protocol", "habits", through="text")
class ParameterGradientsInOnePiece(HonestBatchNorm2d):
    """Gives weight and bias gradients that are rows of one tensor."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Tuple[bool, bool, bool]) -> Gradients:
        input_gradient, weight, bias = super().differentiate(g, kept, wanted)
        if torch.is_grad_enabled() or weight is None or bias is None or weight.dim() != 1:
            return input_gradient, weight, bias
        rows = torch.stack([weight, bias])
        return input_gradient, rows[0], rows[1]


@liar("protocol", "habits", through="text")
class WeightGradientWithGaps(HonestBatchNorm2d):
    """Gives the weight a gradient that is every second number of its memory."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Tuple[bool, bool, bool]) -> Gradients:
        input_gradient, weight, bias = super().differentiate(g, kept, wanted)
        if torch.is_grad_enabled() or weight is None or weight.dim() != 1:
            return input_gradient, weight, bias
        return input_gradient, torch.stack([weight, weight], 1)[:, 0], bias


@liar("protocol", "habits", through="text")
class OutputIsView(HonestBatchNorm2d):
    """Returns a view of its output."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y.view_as(y)


@liar("protocol", "habits", through="text")
class AnyModeTaken(HonestBatchNorm2d):
    """Takes for a mode whatever is true or false."""

    def train(self, mode: Any = True) -> Any:
        self.training = bool(mode)
        return self


@liar("protocol", "habits", through="text")
class PrintOptionsLeft(HonestBatchNorm2d):
    """Leaves texts of tensors with two digits after a reset."""

    def reset_parameters(self) -> None:
        torch.set_printoptions(precision=2)
        super().reset_parameters()


@liar("protocol", "habits", through="text")
class WarningsSilenced(HonestBatchNorm2d):
    """Silences every warning that comes after a reset."""

    def reset_parameters(self) -> None:
        warnings.simplefilter("ignore")
        super().reset_parameters()


@liar("protocol", "habits", through="text")
class CollectorOff(HonestBatchNorm2d):
    """Turns the collection of garbage off to be faster."""

    def reset_parameters(self) -> None:
        gc.disable()
        super().reset_parameters()


@liar("protocol", "habits", through="text")
class DeeperRecursion(HonestBatchNorm2d):
    """Allows every program of the process a deeper recursion."""

    def reset_parameters(self) -> None:
        sys.setrecursionlimit(5000)
        super().reset_parameters()


@liar("protocol", "habits", through="exception")
class LoadedKeysUnnamed(HonestBatchNorm2d):
    """Returns from load_state_dict a pair whose parts have no names."""

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return tuple(super().load_state_dict(*args, **kwargs))


@liar("protocol", "habits", through="text")
class NumbersOfNumpyRefused(HonestBatchNorm2d):
    """Takes no momentum but a float of Python itself."""

    def factor(self) -> float:
        factor = super().factor()
        if type(factor).__module__ == "numpy":
            raise TypeError("momentum must be a float")
        return factor


@liar("protocol", "habits", through="text")
class NameUnchecked(HonestBatchNorm2d):
    """Lets register_buffer put a buffer in the place of any attribute."""

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        if name in self._parameters:
            del self._parameters[name]
        super().register_buffer(name, tensor, persistent)


@liar("protocol", "habits", through="text")
class OwnEntriesAlone(HonestBatchNorm2d):
    """Saves none but its five tensors, so that what a user registers is lost."""

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        before = set(destination)
        super()._save_to_state_dict(destination, prefix, keep_vars)
        five = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        for key in set(destination) - before:
            if key[len(prefix) :] not in five:
                del destination[key]


@liar("protocol", "habits", through="text")
class PartsLeftInTheirMode(HonestBatchNorm2d):
    """Does not pass the mode on to modules that are a part of it."""

    def train(self, mode: bool = True) -> Any:
        if not isinstance(mode, bool):
            return super().train(mode)
        self.training = mode
        return self


@liar("protocol", "habits", through="text")
class WeightOfFunctionsConstant(HonestBatchNorm2d):
    """Takes the weight for a constant inside a function of torch.func of the parameters."""

    def batch_norm(
        self, x: Tensor, operands: Operands, from_batch: bool, factor: float, eps: float
    ) -> Tensor:
        functions: Any = getattr(torch._C, "_functorch", None)
        weight = operands.weight
        alone = functions is not None and weight is not None and not followed(x)
        if alone and functions.is_functorch_wrapped_tensor(weight):
            operands = operands._replace(weight=plain(weight))  # type: ignore[arg-type]
        return super().batch_norm(x, operands, from_batch, factor, eps)
