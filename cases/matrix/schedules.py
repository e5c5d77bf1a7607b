"""The orders in which train-mode and eval-mode batches come, and the moments in them."""

from __future__ import annotations

from typing import Dict, Optional, Tuple

SCHEDULES: Dict[str, str] = {
    "train_only": "TTTT",
    "eval_only": "EE",
    "train_then_eval": "TTEE",
    "eval_then_train": "EETT",
    "alternating": "TTETEE",
    "untrained_eval": "EETE",
}
"""Word to one letter a batch, T in train mode and E in eval mode. untrained_eval starts from the
buffers' initial values 0 and 1; the others overwrite them first (``Preset``)."""

_PAIRS: Dict[str, Tuple[str, ...]] = {
    "between_train": ("TT",),
    "in_eval": ("EE",),
    "between_train_and_eval": ("TE", "ET"),
}
"""Moment to the modes of the batch before it and the batch after it."""

MOMENTS = ("before_first_forward",) + tuple(_PAIRS)
"""When a mutation happens: before any batch; between two consecutive train-mode batches; between two
consecutive eval-mode batches; where the mode changes, just before it does."""


def moment(schedule: str, when: str) -> Optional[int]:
    """The number of batches before the first place that ``when`` names, None if there is none."""
    if when == "before_first_forward":
        return 0
    modes = SCHEDULES[schedule]
    places = range(1, len(modes))
    return next((n for n in places if modes[n - 1 : n + 1] in _PAIRS[when]), None)
