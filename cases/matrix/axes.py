"""The axes of the matrix and their words."""

from __future__ import annotations

from typing import Dict, Tuple

from cases import suffixes
from cases.construction import AFFINE, MOMENTUM, TRACK
from cases.matrix.mutations import MUTATIONS
from cases.matrix.schedules import MOMENTS, SCHEDULES
from cases.variants import DTYPES, LANES, MATRIX_SHAPES

NO_MUTATION = "no_mutation"
"""The word of the mutation axis for a program without a mutation."""

NEVER = "never"
"""The word of the moment axis for a program without a mutation."""

LEADING: Dict[str, Tuple[str, ...]] = {
    "affine": tuple(AFFINE),
    "track": tuple(TRACK),
    "momentum": tuple(MOMENTUM),
    "schedule": tuple(SCHEDULES),
    "mutation": (NO_MUTATION,) + tuple(MUTATIONS),
    "moment": (NEVER,) + MOMENTS,
    "lane": LANES,
    "shape": MATRIX_SHAPES,
    "dtype": DTYPES,
}
"""Maps an axis to its words. These axes stand at the beginning of every id, in this order."""

AXES: Dict[str, Tuple[str, ...]] = {**LEADING, **suffixes.PROGRAM}
"""Maps every axis to its words. A further axis must be one of ``cases.suffixes``, so that existing ids
keep their meaning."""

Row = Tuple[str, ...]
"""One word for each axis, in the order of AXES: the leading axes, then those of ``cases.suffixes``."""
