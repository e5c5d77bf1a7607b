"""The batch that a user gives in a file."""

from __future__ import annotations

import numpy as np

from cases.inputs.storage import stored
from cases.variants import Given, Variant

OWN = "own"
"""Its name in a program."""


def own(variant: Variant, values: np.ndarray) -> Given:
    """The batch with these values, float64 of shape (N, C, H, W), rounded to the variant's dtype."""
    rounded = stored(values, variant.input_dtype)
    return Given(OWN, rounded.shape, str(rounded.dtype), rounded.tobytes())
