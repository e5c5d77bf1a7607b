"""Paths through TorchScript: script, trace, freeze."""

from __future__ import annotations

import warnings
from typing import Any, Dict

import torch

from tests.subject.paths.path import Kept, Made, tensors


class _Scripted(Made):
    """A ScriptModule that shares the module's tensors.

    Before each call a tensor that was bound anew on the module is bound on the ScriptModule, too, as its
    user would do. What was compiled as a constant cannot be set, and stays.
    """

    def prepare(self, module: Any) -> None:
        """Carry over the changes that a user would."""
        now: Dict[str, Any] = tensors(module)
        for name, tensor in now.items():
            if tensor is not self.entries[name]:
                setattr(self.made, name, tensor)
                self.entries[name] = tensor


class Script(_Scripted):
    """``torch.jit.script(module)``; ``training`` is an attribute, every other flag a constant."""

    def make(self, module: Any, x: torch.Tensor) -> Any:
        """Return the program; raises what torch raises."""
        return torch.jit.script(module)

    def prepare(self, module: Any) -> None:
        """Carry over the changes that a user would."""
        super().prepare(module)
        self.made.training = module.training


class Trace(_Scripted):
    """``torch.jit.trace(module, x)``; what tracing did to the buffers is undone."""

    def make(self, module: Any, x: torch.Tensor) -> Any:
        """Return the program; raises what torch raises."""
        with Kept(module), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a number was taken for a constant
            trace: Any = torch.jit.trace
            return trace(module, (x.detach(),), check_trace=False)


class Freeze(Made):
    """``torch.jit.freeze(torch.jit.script(module))``: tensors and flags are constants."""

    def make(self, module: Any, x: torch.Tensor) -> Any:
        """Return the program; raises what torch raises."""
        return torch.jit.freeze(torch.jit.script(module))


PATHS = {"jit.script": Script, "jit.trace": Trace, "jit.freeze": Freeze}
"""Maps the name of a path to its class."""
