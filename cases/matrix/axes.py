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
"""Axis to its words, in the order in which they stand at the beginning of every id."""

AXES: Dict[str, Tuple[str, ...]] = {**LEADING, **suffixes.PROGRAM}
"""Every axis to its words. A further axis is one of ``cases.suffixes``, so that ids that exist keep their
meaning."""

Row = Tuple[str, ...]
"""One word of every axis: the head, with the leading axes, then the tail, with the suffix axes."""
