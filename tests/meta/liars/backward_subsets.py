"""Liars about backwards of some of a graph's gradients, and of the first of three forwards."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import torch

from tests.meta.liars.derivative import Gradients, Kept
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Tensor, followed
from tests.meta.liars.registry import liar

Wanted = Tuple[bool, bool, bool]

# --- gradients that are asked for alone ------------------------------------------------------------------

Box = Dict[str, Optional[Tensor]]
"""The gradients that one part of a backward leaves for another, under the names of the parameters."""


class _Filling(torch.autograd.Function):
    """The input's part of the graph: its backward says in the box that it has run."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, box: Box) -> Tensor:
        ctx.box = box
        return x.as_strided(x.size(), x.stride(), x.storage_offset())  # a view may have other strides

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tuple[Tensor, None]:  # type: ignore[override]
        ctx.box["input"] = g
        return g, None


class _Emptying(torch.autograd.Function):
    """A parameter's part of the graph: without the input's part its backward gives zeros."""

    @staticmethod
    def forward(ctx: Any, parameter: Tensor, box: Box) -> Tensor:
        ctx.box = box
        return parameter.view_as(parameter)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tuple[Tensor, None]:  # type: ignore[override]
        return (g if "input" in ctx.box else torch.zeros_like(g)), None


class _FromInputsPart(HonestBatchNorm2d):
    """Computes gradients of parameters beside that of an input, which may not be asked for."""

    beside: Tuple[str, ...]

    def differentiable(
        self, y: Tensor, x: Tensor, operands: Operands, from_batch: bool, eps: float
    ) -> Tensor:
        if followed(x, *operands) or not x.requires_grad or not x.numel():
            return super().differentiable(y, x, operands, from_batch, eps)
        box: Box = {}
        late: Dict[str, Any] = {name: getattr(operands, name) for name in self.beside}
        late = {name: each if each is None else _Emptying.apply(each, box) for name, each in late.items()}
        handed, left = _Filling.apply(x, box), operands._replace(**late)
        return super().differentiable(y, handed, left, from_batch, eps)


@liar("backward_program", "train_asked", through="weight gradient")
class WeightGradientBesideInputs(_FromInputsPart):
    """Computes the weight's gradient with the input's, and gives zeros where the input's is not asked for."""

    beside = ("weight",)


@liar("backward_program", "eval_asked", through="bias gradient")
class BiasGradientBesideInputs(_FromInputsPart):
    """Computes the bias's gradient with the input's, and gives zeros where the input's is not asked for."""

    beside = ("bias",)


# --- the first of three forwards ---------------------------------------------------------------------------


class _Ring(HonestBatchNorm2d):
    """Knows the input and the eps of each forward; a ring of two has room for the last two of them."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.calls: List[Tuple[Tensor, float]] = []

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        self.calls.append((x.detach(), self.eps))
        return y

    def in_its_place(self, kept: Kept) -> Tuple[Tensor, float]:
        """Return input and eps of the last forward that took the place of this backward's forward."""
        places = [place for place, (x, _) in enumerate(self.calls) if x.data_ptr() == kept.x.data_ptr()]
        return self.calls[places[-1] :: 2][-1] if places else (kept.x, kept.eps)


@liar("backward_program", "train_three", through="input gradient")
class InputsInRing(_Ring):
    """Keeps the inputs of its last two forwards alone, so that a third takes the place of the first."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        x, _ = self.in_its_place(kept)
        same = x.shape == kept.x.shape and x.dtype == kept.x.dtype
        return super().differentiate(g, kept._replace(x=x if same else kept.x), wanted)


@liar("backward_program", "three_eps", through="input gradient")
class EpsInRing(_Ring):
    """Keeps eps for its last two forwards alone, so that a third takes the place of the first."""

    def differentiate(self, g: Tensor, kept: Kept, wanted: Wanted) -> Gradients:
        _, eps = self.in_its_place(kept)
        return super().differentiate(g, kept._replace(eps=eps), wanted)
