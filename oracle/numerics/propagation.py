"""How errors travel through an addition: the part of the budgets that follows a computation step by step.

The notation is that of ``oracle.numerics.bounds``. If a and b are known up to the errors d and e, the
rounded sum of what a correct implementation holds in their place is off by at most

    d + e + u * (|a + b| + d + e)
"""

from __future__ import annotations

import numpy as np

from oracle.numerics.formats import FLOAT64, Format


def accumulated(total: np.ndarray, errors: np.ndarray, fmt: Format) -> np.ndarray:
    """Budget of one addition whose result is stored in ``fmt``; all shapes are alike.

    ``total``: the exact sum. ``errors``: the budgets of the two summands, added. A narrow format is added
    in float32 and rounded once more on storing; the oracle adds in float64.
    """
    units = fmt.unit + (fmt.arithmetic.unit if fmt is not fmt.arithmetic else 0.0) + FLOAT64.unit
    return np.asarray(errors + units * (np.abs(total) + errors))
