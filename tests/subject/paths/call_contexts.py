"""Paths that call the module in a context of torch, or through a checkpoint."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

from tests.subject.paths.path import Path, PathError


class NoGrad(Path):
    """Calls the module under ``torch.no_grad()``."""

    def forward(self, module: Any, x: torch.Tensor) -> Any:
        """Return the output; raises what the path raises."""
        with torch.no_grad():
            return module(x)


class InferenceMode(Path):
    """Calls the module under ``torch.inference_mode()``."""

    def forward(self, module: Any, x: torch.Tensor) -> Any:
        """Return the output; raises what the path raises."""
        with torch.inference_mode():
            return module(x)


class Autocast(Path):
    """Calls the module under ``torch.autocast("cpu")``, whose dtype is bfloat16."""

    def forward(self, module: Any, x: torch.Tensor) -> Any:
        """Return the output; raises what the path raises."""
        with torch.autocast(x.device.type):
            return module(x)


class Checkpoint(Path):
    """Calls the module through ``torch.utils.checkpoint``: the backward calls it once more."""

    reentrant = False

    def forward(self, module: Any, x: torch.Tensor) -> Any:
        """Return the output; raises what the path raises."""
        with warnings.catch_warnings():  # that no input requires a gradient
            warnings.simplefilter("ignore")
            return checkpoint(module, x, use_reentrant=self.reentrant)


class ReentrantCheckpoint(Checkpoint):
    """The older kind, which runs a backward within a backward."""

    reentrant = True


class CudnnOff(Path):
    """Calls the module with cuDNN turned off."""

    @classmethod
    def check(cls) -> None:
        """Raise PathError where it cannot be taken."""
        if not torch.cuda.is_available():
            raise PathError("cuDNN needs a CUDA device, and torch finds none; leave the path out")

    def forward(self, module: Any, x: torch.Tensor) -> Any:
        """Return the output; raises what the path raises."""
        with torch.backends.cudnn.flags(enabled=False):
            return module(x)


PATHS = {
    "no_grad": NoGrad,
    "inference_mode": InferenceMode,
    "autocast": Autocast,
    "checkpoint": Checkpoint,
    "checkpoint_reentrant": ReentrantCheckpoint,
    "cudnn_off": CudnnOff,
}
"""Maps the name of a path to its class."""
