"""Keras 3's BatchNormalization on its torch backend: see ``tests.subject.adapters.keras_layer``."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

from typing import Any, Tuple

import keras
import torch

from tests.subject.adapters.keras_layer import KerasLayer, Pullback


class KerasTorch(KerasLayer):
    """The layer, differentiated by torch."""

    implementation = f"keras {keras.__version__} (torch {torch.__version__.partition('+')[0]})"

    def recorded(self, given: Any, training: bool) -> Tuple[Any, Pullback]:
        """Record the forward by the backend's own means of differentiation."""
        given.requires_grad_()
        output = self.layer(given, training=training)
        leaves = [given, *(each.value for each in self.parameters())]

        def pullback(gradient: Any) -> Tuple[Any, ...]:
            return torch.autograd.grad(output, leaves, gradient.to(output.dtype), retain_graph=True)

        return output, pullback
