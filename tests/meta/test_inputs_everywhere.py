"""The inputs are the same on every machine, with every Python and NumPy: a few of them, as they must be."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from cases.inputs import batch
from cases.variants import Variant


def test_dyadic_values() -> None:
    """Before NumPy 2, an unsigned 64-bit number modulo an int is a float64, which has lost its last bits."""
    found = batch(Variant("exact", "n2", "float32"), "b0").values[:, :4, 0, 0]
    assert found.tolist() == [[0.75, 36.0, -65.0, 2.5], [-0.75, 4.0, -63.0, -1.0]]


@pytest.mark.parametrize(
    ("variant", "digest"),
    [
        (Variant("exact", "n30", "float64"), "71b6ab2ae18f9c1c"),
        (Variant("bounded", "n30", "float32"), "73a4c0fecbeaa7ba"),
        (Variant("bounded", "n8", "bfloat16", 7), "e5580df5b506a7e6"),
    ],
)
def test_digests(variant: Variant, digest: str) -> None:
    data = np.ascontiguousarray(batch(variant, "b1").values, dtype="<f8").tobytes()
    assert hashlib.sha256(data).hexdigest()[:16] == digest
