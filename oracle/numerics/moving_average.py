"""The moving average that a train-mode forward writes into the running buffers."""

from __future__ import annotations

from typing import Optional

import numpy as np

from oracle.numerics import bounds
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.exactness import exactly_averaged
from oracle.numerics.formats import Format


def moving_average(
    old: Budgeted,
    new: Budgeted,
    factor: float,
    fmt: Format,
    exact: bool,
    working: Optional[Format] = None,
) -> Budgeted:
    """Return (1 - factor) * old + factor * new, per channel, as a buffer of format ``fmt`` stores it.

    ``factor`` is taken as the float64 number it is and may lie outside [0, 1]: torch does not check
    momentum. The formula is taken literally, so a NaN in ``old`` survives factor 1 and a NaN in ``new``
    factor 0. ``exact``: the budget is 0 wherever no operation rounds. The result is the unrounded
    mathematical value; its budget says how far the stored value may have drifted from it. A value beyond
    the format's largest number is an infinity. With an infinite factor, a value that may or may not be 0
    makes the result undetermined; so does a factor or term out of the range of the arithmetic where that
    decides between an infinity and a NaN. ``working``: the format of the arithmetic, where that is not
    the one that ``fmt`` implies.
    """
    working = working or fmt.arithmetic
    with np.errstate(invalid="ignore", over="ignore"):
        values = (1.0 - factor) * old.values + factor * new.values
        budget = bounds.running(old.values, old.budget, new.values, new.budget, factor, working)
        if fmt is not working:
            budget += bounds.stored(values, fmt, budget)
        if exact:
            settled = exactly_averaged(old.values, new.values, factor, fmt.bits)
            budget = np.where(settled & (old.budget == 0) & (new.budget == 0), 0.0, budget)
        beyond = np.abs(values) > fmt.largest
    values = np.where(beyond, np.copysign(np.inf, values), values)
    budget = np.where(np.isfinite(values), budget, np.nan)
    undetermined = np.isinf(old.budget) | np.isinf(new.budget)
    if np.isinf(factor):
        undetermined |= _may_be_zero(old) | _may_be_zero(new)
    else:
        undetermined |= _out_of_range(old.values, new.values, factor, working)
    nonnegative = old.nonnegative and new.nonnegative and 0 <= factor <= 1
    return Budgeted(values, np.where(undetermined, np.inf, budget), nonnegative)


def _out_of_range(old: np.ndarray, new: np.ndarray, factor: float, working: Format) -> np.ndarray:
    """Say where inf * 0 or inf - inf may come up that the formula does not have. Shapes (C,).

    A factor beyond the largest number is an infinity in the arithmetic, unless its format is wider; one
    below the smallest normal number may be 0.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        kept, taken = (1.0 - factor) * old, factor * new
        overflows = (np.abs(kept) > working.largest) | (np.abs(taken) > working.largest)
        found = np.isfinite(old) & np.isfinite(new) & overflows & (np.sign(kept) != np.sign(taken))
    if abs(factor) > working.largest:
        return np.ones_like(found)
    return np.asarray(found | ((0 < abs(factor) < working.tiny) & np.isinf(new)))


def _may_be_zero(numbers: Budgeted) -> np.ndarray:
    """Say where a correct value may be 0 or not, within its budget."""
    return np.asarray((np.abs(numbers.values) <= numbers.budget) & (numbers.budget > 0))
