"""Numbers and batches as Python text that a script can hold."""

from __future__ import annotations

from typing import Optional, Sequence

import numpy as np

from cases.inputs.storage import numpy_dtype, stored

SHORT = 16
"""Batches of up to this many numbers are always written out."""


def number(value: float, dtype: str) -> str:
    """Return the shortest text that torch reads back as this number of this dtype."""
    held = np.dtype(numpy_dtype(dtype))
    if held.kind == "f" and held.itemsize < 8 and np.isfinite(value):
        text = repr(float(str(held.type(value))))
        if held.type(float(text)) == held.type(value):
            return text
    return repr(value)


def listed(values: np.ndarray, dtype: str) -> str:
    """Return the values as the text of a flat list."""
    return "[" + ", ".join(number(value, dtype) for value in values.reshape(-1).tolist()) + "]"


def keyword(dtype: str) -> str:
    """Return the keyword argument that makes a tensor of this dtype; empty for torch's default."""
    return "" if dtype == "float32" else f", dtype=torch.{dtype}"


def pattern(shape: Sequence[int], dtype: str, scale: float = 1.0, middle: float = 0.0) -> np.ndarray:
    """Return multiples of 1/4 from -1.5 to 2.25, times ``scale``, plus ``middle``, computed in float64.

    A narrow dtype is reached by way of float32, as in torch.
    """
    steps = np.arange(int(np.prod(shape)), dtype=np.float64) * 7 % 16 / 4 - 1.5
    values = (steps * scale + middle).reshape(shape)
    return stored(values.astype(np.float32) if dtype.endswith("float16") else values, dtype)


def pattern_text(shape: Sequence[int], dtype: str, scale: float = 1.0, middle: float = 0.0) -> str:
    """Return the text that makes the values of ``pattern`` in torch, bit for bit."""
    count = int(np.prod(shape))
    text = f"torch.arange({count}, dtype=torch.float64) * 7 % 16 / 4 - 1.5"
    if (scale, middle) != (1.0, 0.0):
        text = f"({text}) * {scale!r} + {middle!r}"
    narrowed = ".float()" if dtype.endswith("float16") else ""
    converted = "" if dtype == "float64" else f"{narrowed}.to(torch.{dtype})"
    return f"({text}).reshape({list(shape)}){converted}"


def batch_text(values: np.ndarray, dtype: str, most: int) -> Optional[str]:
    """Return the text of a contiguous torch tensor of a dtype with these values, bit for bit.

    None where it would be a list of more than ``most`` numbers.
    """
    shape = list(values.shape)
    flat = values.reshape(-1)
    if flat.size > 1 and flat.tobytes() == flat[:1].tobytes() * flat.size:
        return f"torch.full({shape}, {number(flat[0].item(), dtype)}{keyword(dtype)})"
    if flat.size > SHORT and values.tobytes() == pattern(shape, dtype).tobytes():
        return pattern_text(shape, dtype)
    if flat.size > most:
        return None
    return f"torch.tensor({listed(flat, dtype)}{keyword(dtype)}).reshape({shape})"
