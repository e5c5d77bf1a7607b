"""The context of a forward, and the input that the module gets, by the word of ``cases.steps.WAYS``."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

import torch

CONTEXTS: Dict[str, Callable[[], Any]] = {
    "forward": torch.enable_grad,
    "input_grad": torch.enable_grad,
    "hooked": torch.enable_grad,
    "view": torch.enable_grad,
    "detached": torch.enable_grad,
    "output_overwritten": torch.enable_grad,
    "input_overwritten": torch.enable_grad,
    "no_grad": torch.no_grad,
    "inference": lambda: torch.inference_mode(),  # some releases of torch lack it
}
"""Maps a word of ``cases.steps.WAYS`` to the context in which a forward is called."""

HANDED: Dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "view": lambda tensor: tensor.view_as(tensor),
    "detached": lambda tensor: tensor.detach(),
}
"""Maps a word of WAYS to the function that makes the input out of the tensor that gets the gradient."""


class Hooks:
    """A context in which a module has a forward pre-hook and a forward hook."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._handles: List[Any] = []
        self.called: List[str] = []

    def __enter__(self) -> Hooks:
        self._handles = [
            self._module.register_forward_pre_hook(lambda *_: self.called.append("pre-hook")),
            self._module.register_forward_hook(lambda *_: self.called.append("hook")),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()
