"""Liars about hooks, and about what a parent asks of a module: names under a prefix, and apply."""

from __future__ import annotations

import copy
from typing import Any, Dict, Iterator, Tuple

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.registry import liar

# --- hooks of calls ----------------------------------------------------------------------------


@liar("protocol", "watched", through="text")
class DeepcopyForgetsHooks(HonestBatchNorm2d):
    """A deep copy has no forward hooks."""

    def __deepcopy__(self, memo: Dict[int, Any]) -> Any:
        fresh = type(self).__new__(type(self))
        fresh.__dict__.update(copy.deepcopy(self.__dict__, memo))
        fresh._forward_hooks.clear()
        return fresh


@liar("protocol", "watched", through="text")
class OnePreHook(HonestBatchNorm2d):
    """Calls the first of several forward pre-hooks alone."""

    def __call__(self, x: Any) -> Any:
        hooks = self._forward_pre_hooks
        for key in list(hooks)[1:]:
            del hooks[key]
        return super().__call__(x)


@liar("protocol", "watched", through="text")
class HooksReversed(HonestBatchNorm2d):
    """Calls the last of several forward hooks first."""

    def __call__(self, x: Any) -> Any:
        hooks = list(self._forward_hooks.items())
        self._forward_hooks.clear()
        y = super().__call__(x)
        self._forward_hooks.update(hooks)
        for _, hook in hooks[::-1]:
            hook(self, (x,), y)
        return y


class _Passed(torch.autograd.Function):
    """Hands a tensor on, and calls a function with no arguments in its backward."""

    @staticmethod
    def forward(ctx: Any, x: Any, call: Any) -> Any:
        ctx.call = call
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Tuple[Any, None]:  # type: ignore[override]
        ctx.call()
        return g, None


@liar("protocol", "backward_hooks", through="text")
class BackwardHooksNotCalled(HonestBatchNorm2d):
    """Calls no backward hook."""

    def __call__(self, x: Any) -> Any:
        hooks = list(self._backward_hooks.items())
        self._backward_hooks.clear()
        y = super().__call__(x)
        self._backward_hooks.update(hooks)
        return y


@liar("protocol", "backward_hooks", through="text")
class BackwardHooksCalledTwice(HonestBatchNorm2d):
    """Calls each backward hook a second time."""

    def __call__(self, x: Any) -> Any:
        hooks = list(self._backward_hooks.values())
        y = super().__call__(x)
        return _Passed.apply(y, lambda: [hook(self, (), ()) for hook in hooks]) if hooks else y


# --- hooks of state dicts ------------------------------------------------------------------------


@liar("protocol", "watched", through="text")
class StateDictHookNotCalled(HonestBatchNorm2d):
    """state_dict calls no hook."""

    def state_dict(self, *arguments: Any, **named: Any) -> Any:
        hooks = list(self._state_dict_hooks.items())
        self._state_dict_hooks.clear()
        found = super().state_dict(*arguments, **named)
        self._state_dict_hooks.update(hooks)
        return found


@liar("protocol", "watched", through="text")
class LoadHookNotCalled(HonestBatchNorm2d):
    """load_state_dict calls no hook."""

    def _load_from_state_dict(self, *arguments: Any) -> None:
        hooks = list(self._load_state_dict_pre_hooks.items())
        self._load_state_dict_pre_hooks.clear()
        super()._load_from_state_dict(*arguments)
        self._load_state_dict_pre_hooks.update(hooks)


# --- what a parent asks for ----------------------------------------------------------------------


@liar("protocol", "visits", through="text")
class PrefixOfParametersIgnored(HonestBatchNorm2d):
    """named_parameters gives names without the prefix."""

    def named_parameters(self, *_: Any, **__: Any) -> Iterator[Tuple[str, Any]]:
        return super().named_parameters()


@liar("protocol", "visits", through="text")
class PrefixOfBuffersIgnored(HonestBatchNorm2d):
    """named_buffers gives names without the prefix."""

    def named_buffers(self, *_: Any, **__: Any) -> Iterator[Tuple[str, Any]]:
        return super().named_buffers()


@liar("protocol", "visits", through="text")
class ApplyReturnsNothing(HonestBatchNorm2d):
    """apply returns None."""

    def apply(self, function: Any) -> Any:
        super().apply(function)


@liar("protocol", "visits", through="text")
class ApplyPassesModuleBy(HonestBatchNorm2d):
    """apply visits the parts of the module, of which there are none."""

    def apply(self, function: Any) -> Any:
        for part in self.children():
            part.apply(function)
        return self
