"""In which order train-mode and eval-mode batches come."""

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
"""Word to one letter a batch. untrained_eval starts from the buffers' initial values 0 and 1; the
others overwrite them first (``Preset``)."""

MOMENTS = ("before_first_forward", "between_train", "in_eval", "between_train_and_eval")
"""When a mutation happens: before any batch; between two consecutive train-mode batches; between two
consecutive eval-mode batches; where the mode changes, just before it does."""


def moment(schedule: str, when: str) -> Optional[int]:
    """The number of batches before the first place that ``when`` names, None if there is none."""
    modes = SCHEDULES[schedule]
    if when == "before_first_forward":
        return 0
    for batches in range(1, len(modes)):
        pair = modes[batches - 1 : batches + 1]
        kinds: Dict[str, Tuple[str, ...]] = {
            "between_train": ("TT",),
            "in_eval": ("EE",),
            "between_train_and_eval": ("TE", "ET"),
        }
        if pair in kinds[when]:
            return batches
    return None
