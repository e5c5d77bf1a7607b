"""A small BatchNorm2d in NumPy, the port that the vectors are tried on. It is written for reading."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Optional, Tuple

import numpy as np

Array = np.ndarray
Saved = Tuple[Any, ...]


class BatchNorm2d:
    """Numbers are computed in float64 and stored in the module's dtype."""

    lacks: FrozenSet[str] = frozenset({"BFloat16", "HugeCounter"})
    """The flags of what this port does not have: NumPy has no bfloat16, and its counter never wraps."""

    def __init__(self, config: Dict[str, Any], dtype: str) -> None:
        self.dtype = dtype
        self.num_features: int = config["num_features"]
        self.eps, self.momentum = float(config["eps"]), config["momentum"]
        self.affine, self.track_running_stats = config["affine"], config["track_running_stats"]
        self.training = True

        def filled(value: float, wanted: bool) -> Optional[Array]:
            return np.full(self.num_features, value, dtype) if wanted else None

        self.weight, self.bias = filled(1, self.affine), filled(0, config["bias"])
        self.running_mean, self.running_var = (
            filled(value, self.track_running_stats) for value in (0, 1)
        )
        self.num_batches_tracked: Optional[int] = 0 if self.track_running_stats else None

    def forward(self, x: Array) -> Tuple[Array, Saved]:
        """Return the output, and what the backward needs."""
        if x.ndim != 4:
            raise ValueError("the input must have four dimensions")
        self.count()
        missing = [each is None for each in (self.running_mean, self.running_var)]
        from_batch = self.uses_batch_statistics(all(missing))
        count = x.shape[0] * x.shape[2] * x.shape[3]
        factor = self.factor()
        self.check(x, from_batch, count, missing)
        wide = x.astype(np.float64)
        if not x.size:
            return x, (wide, None, 0, None, from_batch, x.dtype)
        if from_batch:
            mean, variance = self.statistics(wide)
        else:
            mean, variance = (
                np.asarray(each, np.float64) for each in (self.running_mean, self.running_var)
            )
        if self.training and self.track_running_stats and not all(missing):
            self.update(factor, mean, variance, count)
        scale = self.scale(variance)
        y = (wide - _plane(mean)) * _plane(scale)
        weight = None if self.weight is None else self.weight.copy()
        saved = (y, scale, count, weight, from_batch, x.dtype)
        y = y if self.weight is None else y * _plane(self.weight)
        y = y if self.bias is None else y + _plane(self.bias)
        return y.astype(x.dtype), saved

    def count(self) -> None:
        """Count a batch in train mode."""
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked += 1

    def uses_batch_statistics(self, both_missing: bool) -> bool:
        """Whether the batch's own statistics normalise."""
        return self.training or both_missing

    def factor(self) -> float:
        """Return the share of the batch in the running statistics."""
        if self.momentum is not None:
            return float(self.momentum)
        counts = self.training and self.track_running_stats and self.num_batches_tracked is not None
        return 1.0 / self.num_batches_tracked if counts and self.num_batches_tracked is not None else 0.0

    def check(self, x: Array, from_batch: bool, count: int, missing: Any) -> None:
        """Refuse what cannot be normalised."""
        if from_batch and count == 1:
            raise ValueError("more than one value per channel is needed")
        if self.eps < 0 or (self.eps == 0 and from_batch):
            raise ValueError("eps must be positive")
        used = [self.weight, self.bias]
        if not self.training or self.track_running_stats:
            used += [self.running_mean, self.running_var]
            if missing[0] != missing[1] and x.size:
                raise ValueError("one of running_mean and running_var is missing")
        if any(each is not None and len(each) != x.shape[1] for each in used):
            raise ValueError("the input has another number of channels")

    def statistics(self, x: Array) -> Tuple[Array, Array]:
        """Return mean and biased variance of each channel."""
        mean = x.mean(axis=(0, 2, 3))
        return mean, ((x - _plane(mean)) ** 2).mean(axis=(0, 2, 3))

    def update(self, factor: float, mean: Array, biased: Array, count: int) -> None:
        """Average the running statistics with those of a batch: mean and unbiased variance."""
        for name, new in (("running_mean", mean), ("running_var", biased * (count / (count - 1)))):
            old = getattr(self, name).astype(np.float64)
            setattr(self, name, ((1 - factor) * old + factor * new).astype(self.dtype))

    def scale(self, variance: Array) -> Array:
        """Return the factor that gives a channel the variance 1."""
        return np.asarray(1.0 / np.sqrt(variance + self.eps))

    def backward(self, saved: Saved, upstream: Array) -> Dict[str, Array]:
        """Return the gradients of input, weight and bias."""
        normalised, scale, count, weight, from_batch, dtype = saved
        g = upstream.astype(np.float64)
        if not g.size:
            zeros = np.zeros(g.shape[1])
            return {"grad_input": g, "grad_weight": zeros, "grad_bias": zeros}
        slope = _plane(scale if weight is None else scale * weight)
        products, total = (g * normalised).sum(axis=(0, 2, 3)), g.sum(axis=(0, 2, 3))
        if from_batch:
            g = g - self.removed(normalised, products, total) / count
        return {
            "grad_input": (g * slope).astype(dtype),
            "grad_weight": products.astype(self.dtype),
            "grad_bias": total.astype(self.dtype),
        }

    def removed(self, normalised: Array, products: Array, total: Array) -> Array:
        """Return n times the parts of the upstream gradient along 1 and along x - mean."""
        return np.asarray(_plane(total) + normalised * _plane(products))

    def reset_running_stats(self) -> None:
        """Give the running statistics their initial values."""
        if self.track_running_stats:
            for name, value in (("running_mean", 0), ("running_var", 1)):
                getattr(self, name)[:] = value
            if self.num_batches_tracked is None:
                raise AttributeError("there is no num_batches_tracked")
            self.num_batches_tracked = 0

    def reset_parameters(self) -> None:
        """Give everything its initial values."""
        self.reset_running_stats()
        if self.affine:
            if self.weight is None:
                raise AttributeError("there is no weight")
            self.weight[:] = 1
            if self.bias is not None:
                self.bias[:] = 0


def _plane(values: Any) -> Array:
    return np.asarray(values, np.float64)[:, None, None]
