"""Rebuilds one channel of the suite's own batches in a script, from integers, with NumPy."""

from __future__ import annotations

import re
from typing import Dict, List, Optional

import numpy as np

from cases.inputs.regimes import VALUES
from cases.inputs.streams import bell, stream
from cases.variants import Variant, regimes

BELL: List[str] = [
    "def bell(key, n):  # the suite's values: Philox's raw 64-bit stream, which NumPy guarantees",
    "    raw = np.random.Philox(key=np.array(key, dtype=np.uint64)).random_raw(4 * n) >> np.uint64(11)",
    "    uniform = raw.astype(np.float64) * 2.0**-52 - 1.0",
    "    return uniform.reshape(4, n).sum(axis=0) * np.sqrt(0.75)",
]
"""The lines that define ``bell`` of ``cases.inputs.streams``."""

WIDE = ("float32", "float64")
"""The dtypes whose values are rebuilt. NumPy lacks bfloat16, and float16 values are rescaled."""

FORMULAS: Dict[str, str] = {
    "normal": "(1.0 + 0.25 * {k}) * z + ({k} - 1.0)",
    "offset_1e3": "1e3 + 3.0 * {k} + z",
    "offset_1e6": "1e6 + 16.0 * {k} + z",
    "small": "1e-3 * ((1 + {k}) * z + 2.0)",
    "tiny": "1e-18 * ((1 + {k}) * z + 1.0)",
    "huge": "1e12 * ((1 + {k}) * z + 0.5)",
    "outlier": "np.where(np.arange(len(z)) == (7 * {k} + 3) % len(z), 100.0, 0.01 * z)",
    "alternating": (
        "(1.0 - 2.0 * (np.arange(len(z)) % 2)) * (1.0 + np.abs(z) / 4 + 0.25 * {k})"
    ),
    "subnormal": "{tiny!r} / 8 * z",
}
"""Maps a regime to the text of its formula in ``cases.inputs.regimes``; others are not pseudo-random."""


def rebuilt(variant: Variant, name: str, channel: int, values: np.ndarray) -> Optional[str]:
    """Return the text of channel ``channel`` of the suite's batch ``name`` as a torch tensor.

    ``values``: the channel, shape (N, 1, H, W). None where the formula does not give these bits: for a
    batch of another kind, another regime, or with a NaN in it.
    """
    number = re.fullmatch("b([0-9]+)", name)
    regime = regimes(variant)[channel]
    if number is None or regime not in FORMULAS or variant.input_dtype not in WIDE:
        return None
    dtype, shape = str(values.dtype), list(values.shape)
    tiny = float(np.finfo(dtype).tiny)
    source = stream(variant, f"{name} {channel}")
    key = source.state["state"]["key"].tolist()
    suites = VALUES[regime](bell(source, values.size), int(number.group(1)), tiny)
    if suites.astype(dtype).tobytes() != values.tobytes():
        return None
    formula = FORMULAS[regime].format(k=number.group(1), tiny=tiny)
    made = f"(lambda z: {formula})(bell({key}, {values.size}))"
    return f"torch.from_numpy({made}.reshape({shape}).astype(np.{dtype}))"
