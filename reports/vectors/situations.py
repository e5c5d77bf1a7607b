"""The flags that follow from numbers: unusual inputs, outputs and settings."""

from __future__ import annotations

from functools import lru_cache
from typing import Iterable, List, Tuple

import numpy as np

from cases.case import Case
from cases.construction import DEFAULTS
from cases.inputs import Batch
from cases.steps import Value
from oracle.numerics.normalisation import ExpectedOutput
from oracle.state import State
from reports.vectors.numbers import Numbers

DTYPES = {
    "float32": (),
    "float64": ("Float64",),
    "float16": ("Float16",),
    "bfloat16": ("BFloat16",),
    "mixed_float16": ("Float16", "MixedPrecision"),
    "mixed_bfloat16": ("BFloat16", "MixedPrecision"),
}
"""Maps the dtype of a variant to the flags of what it needs."""

LARGE_MEAN = 1000
"""The ratio of mean to spread from which on a channel has the flag LargeMean."""

LONG_SUM = 1000
"""The number of values in a channel from which on an input has the flag LongSum."""


def of_case(case: Case) -> List[str]:
    """Return the flags of construction and dtype."""
    config = case.config
    found = list(DTYPES[case.variant.dtype])
    if not config.affine:
        found.append("NoAffine")
    elif config.bias is False:
        found.append("NoBias")
    if not config.track_running_stats:
        found.append("Untracked")
    return found + of_setting("momentum", config.momentum) + of_setting("eps", config.eps)


def of_setting(name: str, value: Value) -> List[str]:
    """Return the flags of a value that is passed or assigned as momentum or eps."""
    if name == "momentum":
        if value is None:
            return ["MomentumNone"]
        return [] if isinstance(value, (int, float)) and 0 <= value <= 1 else ["UnusualMomentum"]
    return ["UnusualEps"] if name == "eps" and value != DEFAULTS["eps"] else []


@lru_cache(maxsize=1024)
def _of_values(given: Batch) -> Tuple[str, ...]:
    values = given.values
    if not values.size:
        return ("EmptyBatch",)
    if values.ndim != 4:
        return ()
    found = []
    channels = values.astype(np.float64).transpose(1, 0, 2, 3).reshape(values.shape[1], -1)
    if not np.isfinite(channels).all():
        found.append("NonFinite")
    spread = channels.max(axis=1) - channels.min(axis=1)
    if (spread == 0).any():
        found.append("ConstantChannel")
    with np.errstate(invalid="ignore"):
        if ((np.abs(channels[:, 0]) > LARGE_MEAN * spread) & (spread > 0)).any():
            found.append("LargeMean")
    if channels.shape[1] > LONG_SUM:
        found.append("LongSum")
    return tuple(found)


def of_input(given: Batch) -> List[str]:
    """Return the flags of an input."""
    return list(_of_values(given))


def of_forward(state: State, output: ExpectedOutput, numbers: Numbers) -> List[str]:
    """Return the flags of how an output is normalised, and of its budgets."""
    found = ["BatchStatisticsInEval"] if output.batch_statistics and not state.training else []
    return found + of_numbers([numbers])


def of_numbers(numbers: Iterable[Numbers]) -> List[str]:
    """Return the flags of expected values and their budgets."""
    return ["Undetermined"] if any(np.isinf(each.budget).any() for each in numbers) else []
