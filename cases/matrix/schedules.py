"""The orders in which train-mode and eval-mode batches follow each other, and their moments."""

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
"""Maps a word to one letter per batch, T in train mode and E in eval mode. untrained_eval starts from the
buffers' initial values 0 and 1; the others overwrite them first (``Preset``)."""

_PAIRS: Dict[str, Tuple[str, ...]] = {
    "between_train": ("TT",),
    "in_eval": ("EE",),
    "between_train_and_eval": ("TE", "ET"),
}
"""Maps a moment to the modes of the batch before it and the batch after it."""

MOMENTS = ("before_first_forward",) + tuple(_PAIRS)
"""The moments of a mutation: before any batch; between two consecutive batches in train mode; between two
consecutive batches in eval mode; directly before the mode changes."""


def moment(schedule: str, when: str) -> Optional[int]:
    """Return the number of batches before the first place that ``when`` names; None: no such place."""
    if when == "before_first_forward":
        return 0
    modes = SCHEDULES[schedule]
    places = range(1, len(modes))
    return next((n for n in places if modes[n - 1 : n + 1] in _PAIRS[when]), None)
