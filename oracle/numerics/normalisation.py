"""The normalisation: y = (x - mean) / sqrt(variance + eps) * weight + bias, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Optional, Tuple

import numpy as np

from cases.inputs import Batch
from oracle.numerics import bounds
from oracle.numerics.budgeted import Budgeted, constant
from oracle.numerics.devices import CPU, Extra, extra
from oracle.numerics.formats import FORMATS, Format


class OutputValues(NamedTuple):
    """The numbers of an output, gradient or derivative, and how far each may be off.

    Both are float64, of shape (N, C, H, W) or (C,).

    ``undetermined``: the channels in which anything conforms, NaN and infinities included: those whose
    variance + eps is 0 within its error, or whose statistics are undetermined. Shape (C,).
    """

    values: np.ndarray
    budget: np.ndarray
    undetermined: np.ndarray


@dataclass(frozen=True, eq=False)
class ExpectedOutput:
    """The output of a forward; ``output_values`` computes its numbers. Compared by identity.

    ``mean`` and ``variance`` (shape (C,)) are the batch's own (``batch_statistics``), variance biased,
    or the running buffers. An absent weight is 1, an absent bias 0. Non-positive ``variance + eps``
    gives what IEEE 754 says of its root, except that ``flat_at_zero`` makes 1/sqrt(0) a 0.
    ``memory_format``: ``contiguous`` or ``channels_last``. ``requires_grad``: of the output.
    ``working``: the dtype that is computed in, where that is not the one that the input's calls for.
    ``device``: where it is computed.
    """

    batch: Batch
    mean: Budgeted
    variance: Budgeted
    weight: Optional[Budgeted]
    bias: Optional[Budgeted]
    eps: float
    batch_statistics: bool
    memory_format: str
    requires_grad: bool
    flat_at_zero: bool = False
    working: Optional[str] = None
    device: str = CPU

    @property
    def dtype(self) -> str:
        """The input's dtype: the layer never changes it."""
        return self.batch.dtype

    @property
    def arithmetic(self) -> Format:
        """The format that is computed in."""
        return FORMATS[self.dtype].arithmetic if self.working is None else FORMATS[self.working]

    @property
    def extra(self) -> Extra:
        """The roundings of the device beyond those of the CPU."""
        return extra(self.device, self.arithmetic)

    @property
    def shape(self) -> Tuple[int, ...]:
        """The input's shape."""
        return self.batch.values.shape


class Terms(NamedTuple):
    """The terms of each channel that output and gradients are made of, shapes (C,).

    ``inverse``: 1 / sqrt(variance + eps). ``inverse_error``: the relative error that a correct inverse
    may have because of the variance's error. ``weight_error``, ``bias_error``: the absolute errors of
    weight and bias, which are not 0 where they are running buffers, too. ``undetermined``: the channels
    in which anything conforms.
    """

    weight: np.ndarray
    weight_error: np.ndarray
    bias: np.ndarray
    bias_error: np.ndarray
    inverse: np.ndarray
    inverse_error: np.ndarray
    undetermined: np.ndarray


@lru_cache(maxsize=64)
def terms(expected: ExpectedOutput) -> Terms:
    """Compute the terms of an output."""
    mean, variance = expected.mean, expected.variance
    fmt = expected.arithmetic
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        total = variance.values + expected.eps
        inverse = 1.0 / np.sqrt(total)
        lost = bounds.shortfall(variance.values, variance.budget, variance.nonnegative, expected.eps, fmt)
        undetermined = np.isfinite(total) & (np.abs(total) <= lost)
        if expected.flat_at_zero:
            inverse = np.where(total == 0, 0.0, inverse)
            undetermined &= variance.budget > 0
        undetermined |= np.isinf(mean.budget) | np.isinf(variance.budget)
        scale = expected.weight or constant(1.0, mean.channels)
        shift = expected.bias or constant(0.0, mean.channels)
        weight, weight_error, bias_error = scale.values, scale.budget, shift.budget
        undetermined |= np.isinf(weight_error) | np.isinf(bias_error)
        undetermined |= expected.eps > fmt.largest  # an infinity in the arithmetic, or not
        steepest = np.abs(weight * np.where(total == 0, 1.0, inverse))
        undetermined |= steepest > fmt.largest  # a*x + c may be inf - inf where (x - mean)*a is not
        return Terms(
            weight=weight,
            weight_error=np.where(np.isfinite(weight_error), weight_error, 0.0),
            bias=shift.values,
            bias_error=np.where(np.isfinite(bias_error), bias_error, 0.0),
            inverse=inverse,
            inverse_error=bounds.inverse_root(total, lost, variance.budget)
            + bounds.gamma(expected.extra.root, fmt.unit),
            undetermined=undetermined,
        )


def plane(values: np.ndarray) -> np.ndarray:
    """Reshape one number per channel, shape (C,), to combine with (N, C, H, W)."""
    return values[:, None, None]


def all_zero(shape: Tuple[int, ...]) -> OutputValues:
    """Return zeros with a budget of 0, of shape (N, C, H, W) or (C,)."""
    zeros, channels = np.zeros(shape), shape[1 if len(shape) == 4 else 0]
    return OutputValues(zeros, zeros, np.zeros(channels, dtype=bool))


def output_values(expected: ExpectedOutput) -> OutputValues:
    """Compute what a forward must return, with the budget of every element."""
    if not expected.batch.values.size:
        return all_zero(expected.shape)
    x = expected.batch.values.astype(np.float64)
    storage = FORMATS[expected.dtype]
    mean, fmt, found = expected.mean, expected.arithmetic, terms(expected)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        slope = found.weight * found.inverse
        budgets = bounds.output(slope, found.bias, mean, found.inverse_error, fmt)
        # In place, because new arrays of a large input's size would cost more than the arithmetic.
        y = x - plane(mean.values)
        beyond = overflows(y, found, fmt)
        inexact = found.weight_error.any() or found.bias_error.any()
        steepest = found.inverse * (1.0 + found.inverse_error)
        of_affine = np.abs(y) * plane(found.weight_error * steepest) if inexact else 0.0
        y *= plane(slope)
        budget = np.abs(y)
        budget *= plane(budgets.per_deviation)
        budget += plane(budgets.constant)
        budget += np.abs(x, out=x) * plane(budgets.per_input)
        y += plane(found.bias)
        if inexact:
            budget += of_affine + plane(found.bias_error)
        if storage is not fmt:
            budget += bounds.stored(y, storage, budget)
        flat = (found.inverse == 0) & (found.bias_error > 0)  # the variance is an infinity
        if flat.any():
            of_bias = found.bias_error + bounds.stored(found.bias, storage, found.bias_error)
            budget = np.where(plane(flat), plane(of_bias), budget)
    return OutputValues(y, np.where(np.isfinite(y), budget, np.nan), found.undetermined | beyond)


def overflows(deviations: np.ndarray, found: Terms, fmt: Format) -> np.ndarray:
    """Return the channels in which (x - m) / sqrt(v + eps) leaves a format of 16 bits, before the weight.

    A weight of 0 makes a NaN of an infinity. ``deviations``: x - m, or what a gradient has in its place.
    """
    if fmt.arithmetic is fmt:
        return np.zeros(deviations.shape[1], dtype=bool)
    largest = np.where(np.isfinite(deviations), np.abs(deviations), 0.0).max(axis=(0, 2, 3))
    return np.asarray(largest * found.inverse > fmt.largest)
