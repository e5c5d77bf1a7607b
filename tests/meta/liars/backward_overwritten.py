"""Liars about what autograd keeps of a forward: its output, and an input that is changed afterwards."""

from __future__ import annotations

import weakref
from typing import Any

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Tensor
from tests.meta.liars.registry import liar


@liar("edge", "overwritten", "output_overwritten_tracked", through="exception")
class OutputKept(HonestBatchNorm2d):
    """Computes the backward from its output, which no in-place activation may then change."""

    def differentiable(
        self, y: Tensor, x: Tensor, operands: Operands, from_batch: bool, eps: float
    ) -> Tensor:
        found = super().differentiable(y, x, operands, from_batch, eps)
        if found.grad_fn is None or not hasattr(found.grad_fn, "register_prehook"):
            return found
        output, version = weakref.ref(found), found._version

        def check(gradients: Any) -> None:
            kept = output()
            if kept is not None and kept._version != version:
                raise RuntimeError("the output was modified by an inplace operation")

        found.grad_fn.register_prehook(check)
        return found


@liar("edge", "overwritten", "output_overwritten_tracked", through="input gradient")
class BackwardOfPresentOutput(HonestBatchNorm2d):
    """Gives no gradient to the input where its output was set to 0, as a rectifier would."""

    def differentiable(
        self, y: Tensor, x: Tensor, operands: Operands, from_batch: bool, eps: float
    ) -> Tensor:
        found = super().differentiable(y, x, operands, from_batch, eps)
        if found.grad_fn is None or not x.requires_grad or not x.is_leaf:
            return found
        output, version = weakref.ref(found), found._version

        def cut(gradients: Any, given: Any) -> Any:
            kept = output()
            if kept is None or kept._version == version:
                return None
            return tuple(each if each is None else each * 0 for each in gradients)

        found.grad_fn.register_hook(cut)
        return found


@liar("edge", "overwritten", "input_overwritten_tracked", through="exception")
class InputNotGuarded(HonestBatchNorm2d):
    """Keeps its input where autograd does not see it: one that was changed in place is not refused."""

    def differentiable(
        self, y: Tensor, x: Tensor, operands: Operands, from_batch: bool, eps: float
    ) -> Tensor:
        return super().differentiable(y, x.view_as(x).clone(), operands, from_batch, eps)
