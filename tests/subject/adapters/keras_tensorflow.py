"""Keras 3's BatchNormalization on its TensorFlow backend: see ``tests.subject.adapters.keras_layer``."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from typing import Any, Tuple

import keras
import tensorflow as tf

from tests.subject.adapters.keras_layer import KerasLayer, Pullback


class KerasTensorFlow(KerasLayer):
    """The layer, differentiated by TensorFlow's GradientTape."""

    implementation = f"keras {keras.__version__} (tensorflow {tf.__version__})"

    def recorded(self, given: Any, training: bool) -> Tuple[Any, Pullback]:
        """Record the forward by the backend's own means of differentiation."""
        leaves = [given, *(each.value for each in self.parameters())]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(given)
            output = self.layer(given, training=training)

        def pullback(gradient: Any) -> Tuple[Any, ...]:
            return tuple(tape.gradient(output, leaves, output_gradients=tf.cast(gradient, output.dtype)))

        return output, pullback
