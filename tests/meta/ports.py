"""Ports that lie, one wrong number each, and adapters that offer too little or too much."""

from __future__ import annotations

from typing import Any, Dict, Tuple, Type

import numpy as np

from tests.subject.adapter import Adapter
from tests.subject.adapters.numpy_port import SPACE, Array, BatchNorm, NumpyPort


class SwappedMomentum(BatchNorm):
    """Takes momentum for the share of the old statistics."""

    def _averaged(self, old: Array, new: Array) -> Array:
        return (self.momentum * old + (1 - self.momentum) * new).astype(self.dtype)


class BiasedRunningVariance(BatchNorm):
    """Averages the biased variance."""

    def _averaged(self, old: Array, new: Array) -> Array:
        if old is self.var:
            new = self.biased
        return super()._averaged(old, new)

    def __call__(self, x: Array, training: bool) -> Array:
        self.biased = x.astype(np.float64).var(SPACE)
        return super().__call__(x, training)


class EpsOutsideOfTheRoot(BatchNorm):
    """Divides by sqrt(variance) + eps."""

    def __call__(self, x: Array, training: bool) -> Array:
        eps, self.eps = self.eps, 0.0
        super().__call__(x, training)
        self.eps = eps
        deviation = self.normal / self.scale[:, None, None]
        self.scale = 1 / (1 / self.scale + eps)
        self.normal = deviation * self.scale[:, None, None]
        y = self.normal * self.weight[:, None, None] + self.beta[:, None, None]
        return np.asarray(y.astype(self.dtype))


class BatchStatisticsInEval(BatchNorm):
    """Normalises by the batch in eval, too, without averaging."""

    def __call__(self, x: Array, training: bool) -> Array:
        kept = self.mean, self.var
        y = super().__call__(x, True)
        if not training:
            self.mean, self.var = kept
        return y


class WithoutTheMeanOfTheGradient(BatchNorm):
    """Leaves the mean of g out of the gradient of the input."""

    def backward(self, dy: Array) -> Tuple[Array, Array, Array]:
        dx, dgamma, dbeta = super().backward(dy)
        if self.training and dy.size:
            n = dy.size // dy.shape[1]
            dx = dx + (self.weight * self.scale * dbeta / n)[:, None, None]
        return dx.astype(self.dtype), dgamma, dbeta


class SumOfAnInputChannel(BatchNorm):
    """Returns the wrong shape of a gradient: a number for each image, too."""

    def backward(self, dy: Array) -> Tuple[Array, Array, Array]:
        dx, dgamma, dbeta = super().backward(dy)
        return dx, dgamma, dbeta[None, :]


class Lying(NumpyPort):
    """The adapter of a port that lies."""

    port: Type[BatchNorm] = BatchNorm

    def __init__(self, num_features: int, eps: float, momentum: Any, dtype: str, **offered: bool) -> None:
        self.layer = self.port(num_features, eps, momentum, dtype)


class SwappedMomentumPort(Lying):
    """The adapter of ``SwappedMomentum``."""

    port = SwappedMomentum


class BiasedRunningVariancePort(Lying):
    """The adapter of ``BiasedRunningVariance``."""

    port = BiasedRunningVariance


class EpsOutsideOfTheRootPort(Lying):
    """The adapter of ``EpsOutsideOfTheRoot``."""

    port = EpsOutsideOfTheRoot


class BatchStatisticsInEvalPort(Lying):
    """The adapter of ``BatchStatisticsInEval``."""

    port = BatchStatisticsInEval


class WithoutTheMeanOfTheGradientPort(Lying):
    """The adapter of ``WithoutTheMeanOfTheGradient``."""

    port = WithoutTheMeanOfTheGradient


class SumOfAnInputChannelPort(Lying):
    """The adapter of ``SumOfAnInputChannel``."""

    port = SumOfAnInputChannel


LYING: Dict[str, Tuple[Type[Adapter], str]] = {
    "SwappedMomentum": (SwappedMomentumPort, "running_mean"),
    "BiasedRunningVariance": (BiasedRunningVariancePort, "running_var"),
    "EpsOutsideOfTheRoot": (EpsOutsideOfTheRootPort, "output"),
    "BatchStatisticsInEval": (BatchStatisticsInEvalPort, "output"),
    "WithoutTheMeanOfTheGradient": (WithoutTheMeanOfTheGradientPort, "input gradient"),
    "SumOfAnInputChannel": (SumOfAnInputChannelPort, "bias gradient shape"),
}
"""Maps a name to an adapter of a port that lies, and to a quantity that shows it."""


class TwoGradients(NumpyPort):
    """Returns two gradients."""

    def backward(self, gradient: Array, earlier: bool = False) -> Any:
        """Leave out the last."""
        return super().backward(gradient)[:2]


class NoArray(NumpyPort):
    """Returns no array."""

    def forward(self, x: Array, training: bool, record: bool = True) -> Any:
        """Return a list of texts in train mode."""
        return ["no", "array"] if training else super().forward(x, training)


class Raising(NumpyPort):
    """Raises in every forward of eval."""

    def forward(self, x: Array, training: bool, record: bool = True) -> Array:
        """Raise in eval."""
        if not training:
            raise RuntimeError("no eval today")
        return super().forward(x, training)


class Nothing(Adapter):
    """Offers nothing at all."""


class Unwritable(NumpyPort):
    """Ignores what is written."""

    def write(self, name: str, values: Array) -> None:
        """Ignore the values."""


class Modeless(NumpyPort):
    """Has neither train nor eval among its offers."""

    offers = frozenset({"float32"})


class Boasting(NumpyPort):
    """Offers a word that nobody knows."""

    offers = NumpyPort.offers | {"teleport"}


class NarrowFloat64(NumpyPort):
    """Says that it accepts float64, and computes in float32."""

    def __init__(self, num_features: int, eps: float, momentum: Any, dtype: str, **offered: bool) -> None:
        self.layer = BatchNorm(num_features, eps, momentum)


class Stateful(NumpyPort):
    """Promises the state: counts batches, and has the flags."""

    promise = "state"
    offers = NumpyPort.offers | {"counter"}
    num_features, affine, track_running_stats = 11, True, True

    def __init__(self, num_features: int, eps: float, momentum: Any, dtype: str, **offered: bool) -> None:
        super().__init__(num_features, eps, momentum, dtype)
        self.num_features, self.count = num_features, np.array(0)

    def forward(self, x: Array, training: bool, record: bool = True) -> Array:
        """Check the input as torch does, and count."""
        if x.ndim != 4 or x.shape[1] != self.num_features:
            raise ValueError("another shape")
        if training and x.size // x.shape[1] < 2:
            self.count = self.count + 1
            raise ValueError("one value")
        y = super().forward(x, training)
        self.count = self.count + training
        return y

    def read(self, name: str) -> Array:
        """Return the counter as well."""
        return self.count if name == "num_batches_tracked" else super().read(name)

    def write(self, name: str, values: Array) -> None:
        """Write the counter as well."""
        if name == "num_batches_tracked":
            self.count = values
        else:
            super().write(name, values)

    def flag(self, name: str) -> Any:
        """Return a flag."""
        return getattr(self.layer if name in ("eps", "momentum") else self, name)


class Uncounted(Stateful):
    """Forgets to count."""

    def forward(self, x: Array, training: bool, record: bool = True) -> Array:
        """Leave the counter where it is."""
        count = self.count
        y = super().forward(x, training)
        self.count = count
        return y
