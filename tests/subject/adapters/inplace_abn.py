"""inplace-abn's InPlaceABN without its activation.

Conventions (https://github.com/mapillary/inplace_abn): it overwrites its input with its output, so it
gets a copy that is no leaf, and it has no activation with activation="identity". The weight "is forced
to be positive": the backward recomputes the input from the output, for which it uses |weight| + eps.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import inplace_abn
import torch

from tests.subject.adapters.torch_layer import TorchLayer


class InPlaceABN(TorchLayer):
    """inplace_abn.InPlaceABN with activation="identity"."""

    offers = TorchLayer.offers | {"affine", "track_running_stats", "momentum_none", "counter"}
    implementation = f"inplace-abn {version('inplace-abn')} (torch {torch.__version__.partition('+')[0]})"

    def __init__(self, num_features: int, eps: float, momentum: Any, dtype: str, **offered: bool) -> None:
        layer = inplace_abn.InPlaceABN(num_features, eps, momentum, activation="identity", **offered)
        super().__init__(layer, dtype)

    def called(self, given: Any) -> Any:
        """Return what the layer returns for a copy of the tensor."""
        return self.module(given.clone())
