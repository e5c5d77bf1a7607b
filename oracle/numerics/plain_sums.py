"""Batch statistics from sums that add value by value in the dtype of the arithmetic.

torch's kernels sum in this way for channels_last inputs and for contiguous float64 inputs
(``oracle.defects``). The errors of equal or nearly equal terms all point the same way, so no bound for
independent roundings covers them. The sums here repeat the additions one by one, so the result is known
to within a few roundings.
"""

from __future__ import annotations

import numpy as np

from cases.inputs import Batch
from cases.inputs.layouts import DENSE
from oracle.numerics import bounds
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.formats import FORMATS
from oracle.numerics.statistics import Statistics


def sums_by_rows(batch: Batch) -> bool:
    """Whether torch sums a batch as rows of one value per channel.

    It does if the batch is channels_last, or dense with one pixel per image, which makes it contiguous
    and channels_last at once.
    """
    one_pixel = batch.values.shape[2:] == (1, 1) and batch.memory_format in DENSE
    return one_pixel or batch.memory_format == "channels_last"


def plain_sum(rows: np.ndarray, threads: int) -> np.ndarray:
    """Return the sum of each column, shape (n, C) to (C,), in the dtype of ``rows``.

    Each thread adds up its share of the rows, one after the other; then the sums of the threads are
    added.
    """
    share = -(-len(rows) // threads)
    total = np.zeros(rows.shape[1], dtype=rows.dtype)
    for start in range(0, len(rows), share):
        total = total + np.add.accumulate(rows[start : start + share], axis=0)[-1]
    return total


def channels_last_statistics(batch: Batch, threads: int) -> Statistics:
    """Return the statistics of a non-empty batch, shape (N, C, H, W); the threads share the rows."""
    rows = batch.values.transpose(0, 2, 3, 1).reshape(-1, batch.values.shape[1])
    return _statistics(rows, batch.dtype, threads)


def contiguous_statistics(batch: Batch) -> Statistics:
    """Return the statistics of a non-empty batch, shape (N, C, H, W); one thread sums a whole channel."""
    channels = batch.values.transpose(1, 0, 2, 3).reshape(batch.values.shape[1], -1)
    return _statistics(channels.T, batch.dtype, threads=1)


def _statistics(rows: np.ndarray, dtype: str, threads: int) -> Statistics:
    """Return statistics from rows of one value per channel, shape (n, C), of inputs of a dtype.

    The budgets cover the order in which the sums of the threads are added, and the last roundings.
    """
    fmt = FORMATS[dtype].arithmetic
    rows, n = rows.astype(fmt.dtype), len(rows)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = plain_sum(rows, threads) / rows.dtype.type(n)
        squares = plain_sum((rows - mean) ** 2, threads).astype(np.float64)
        mean = mean.astype(np.float64)
        biased, unbiased = squares / n, squares / max(n - 1, 1)
        magnitude = np.abs(rows).mean(axis=0, dtype=np.float64)
        mean_budget = bounds.mean(mean, magnitude, threads + 1, fmt)
        biased_budget = bounds.biased_variance(biased, mean, mean_budget, threads + 1, fmt)
        unbiased_budget = bounds.unbiased_variance(unbiased, biased_budget, n, fmt)

    def budgeted(values: np.ndarray, budget: np.ndarray, nonnegative: bool = True) -> Budgeted:
        return Budgeted(values, np.where(np.isfinite(values), budget, np.nan), nonnegative)

    return Statistics(
        count=n,
        mean=budgeted(mean, mean_budget, nonnegative=False),
        biased_variance=budgeted(biased, biased_budget),
        unbiased_variance=budgeted(unbiased, unbiased_budget),
    )
