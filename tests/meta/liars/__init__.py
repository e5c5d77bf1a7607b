"""BatchNorm2d subjects with one deliberate fault each, which the suite must be able to see."""

from __future__ import annotations

from tests.meta.liars import (  # noqa: F401  (importing them fills the registry)
    affine,
    backward_accumulation,
    backward_circumstances,
    backward_graphs,
    backward_input,
    backward_memory,
    backward_needs,
    backward_overwritten,
    backward_parameters,
    backward_statistics,
    backward_subsets,
    backward_sums,
    backward_tangents,
    backward_twice,
    backward_values,
    backward_writes,
    budgets,
    buffers,
    circumstances,
    counter,
    epsilon,
    errors,
    flags,
    inference,
    loading,
    memory,
    momentum,
    networks,
    outputs,
    paths,
    persistence,
    planes,
    protocol,
    refusals,
    resized,
    settings,
    statistics,
    unrecorded,
    values,
    views,
)
from tests.meta.liars.registry import LIARS, Liar

__all__ = ["LIARS", "Liar"]
