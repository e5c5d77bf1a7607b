"""A small BatchNorm2d in NumPy, and its adapter: the example of README.md.

``BatchNorm`` is the port. It knows neither torch nor the suite. It takes and returns arrays of its
dtype, and computes in float64.
"""

from __future__ import annotations

from typing import Any, Tuple

import numpy as np

from tests.subject.adapter import Adapter

Array = np.ndarray
SPACE = (0, 2, 3)


class BatchNorm:
    """Batch normalisation over (N, H, W) of arrays of shape (N, C, H, W)."""

    def __init__(
        self, channels: int, eps: float = 1e-5, momentum: float = 0.1, dtype: str = "float32"
    ) -> None:
        self.eps, self.momentum, self.dtype = eps, momentum, dtype
        self.gamma, self.beta = np.ones(channels, dtype), np.zeros(channels, dtype)
        self.mean, self.var = np.zeros(channels, dtype), np.ones(channels, dtype)

    def __call__(self, x: Array, training: bool) -> Array:
        """Normalise ``x``; in training by its own statistics, which are averaged into mean and var."""
        wide = x.astype(np.float64)
        mean, var = self.mean.astype(np.float64), self.var.astype(np.float64)
        if training and x.size:
            n = x.size // x.shape[1]
            mean, var = wide.mean(SPACE), wide.var(SPACE)
            self.mean = self._averaged(self.mean, mean)
            self.var = self._averaged(self.var, var * n / (n - 1))
        self.training, self.scale = training, 1 / np.sqrt(var + self.eps)
        self.normal = (wide - _plane(mean)) * _plane(self.scale)
        self.weight = self.gamma.astype(np.float64)
        y: Array = self.normal * _plane(self.weight) + _plane(self.beta)
        return y.astype(self.dtype)

    def _averaged(self, old: Array, new: Array) -> Array:
        return ((1 - self.momentum) * old + self.momentum * new).astype(self.dtype)

    def backward(self, dy: Array) -> Tuple[Array, Array, Array]:
        """Return the gradients for the last input, gamma and beta."""
        g = dy.astype(np.float64)
        dgamma, dbeta = (g * self.normal).sum(SPACE), g.sum(SPACE)
        if self.training and g.size:
            n = g.size // g.shape[1]
            g = g - (_plane(dbeta) + self.normal * _plane(dgamma)) / n
        dx = g * _plane(self.weight * self.scale)
        return dx.astype(self.dtype), dgamma.astype(self.dtype), dbeta.astype(self.dtype)


def _plane(values: Array) -> Array:
    return values[:, None, None]


NAMES = {"weight": "gamma", "bias": "beta", "running_mean": "mean", "running_var": "var"}
"""Maps torch's names to those of the port."""


class NumpyPort(Adapter):
    """The adapter of ``BatchNorm``."""

    implementation = f"numpy {np.__version__}"
    offers = Adapter.offers | {"float64", "backward", "retain", "set:eps", "set:momentum", "copy", "load"}

    def __init__(self, num_features: int, eps: float, momentum: Any, dtype: str, **offered: bool) -> None:
        self.layer = BatchNorm(num_features, eps, momentum, dtype)

    def forward(self, x: Array, training: bool, record: bool = True) -> Array:
        """Call the port."""
        return self.layer(x, training)

    def backward(self, gradient: Array, earlier: bool = False) -> Tuple[Array, Array, Array]:
        """Call the port's own backward."""
        return self.layer.backward(gradient)

    def read(self, name: str) -> Array:
        """Return an array of the port, which has names of its own."""
        array: Array = getattr(self.layer, NAMES[name])
        return array

    def write(self, name: str, values: Array) -> None:
        """Replace an array of the port."""
        setattr(self.layer, NAMES[name], values.astype(self.layer.dtype))

    def set(self, name: str, value: Any) -> None:
        """Set eps or momentum, which the port calls the same."""
        setattr(self.layer, name, value)
