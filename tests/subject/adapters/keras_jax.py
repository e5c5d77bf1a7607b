"""Keras 3's BatchNormalization on its JAX backend: see ``tests.subject.adapters.keras_layer``."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

from typing import Any, Tuple

import jax
import keras

from tests.subject.adapters.keras_layer import KerasLayer, Pullback

jax.config.update("jax_enable_x64", True)


class KerasJax(KerasLayer):
    """The layer, differentiated by JAX through ``stateless_call``."""

    implementation = f"keras {keras.__version__} (jax {jax.__version__})"

    def recorded(self, given: Any, training: bool) -> Tuple[Any, Pullback]:
        """Record the forward by the backend's own means of differentiation."""
        statistics = [each.value for each in self.layer.non_trainable_variables]

        def call(given: Any, *parameters: Any) -> Any:
            return self.layer.stateless_call(list(parameters), statistics, given, training=training)

        parameters = [each.value for each in self.layer.trainable_variables]
        output, pullback, new = jax.vjp(call, given, *parameters, has_aux=True)
        for variable, value in zip(self.layer.non_trainable_variables, new):
            variable.assign(value)
        return output, lambda gradient: pullback(gradient.astype(output.dtype))
