"""The batch that a user gives in a file."""

from __future__ import annotations

import numpy as np

from cases.inputs.storage import stored
from cases.variants import Given, Variant

OWN = "own"
"""The name of this batch in a program."""


def own(variant: Variant, values: np.ndarray) -> Given:
    """Return the batch with these float64 values, shape (N, C, H, W), rounded to the variant's dtype."""
    rounded = stored(values, variant.input_dtype)
    return Given(OWN, rounded.shape, str(rounded.dtype), rounded.tobytes())
