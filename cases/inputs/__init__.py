"""The batches and vectors that steps name, as NumPy arrays."""

from cases.inputs.batches import Batch, batch
from cases.inputs.vectors import attached, preset

__all__ = ["Batch", "attached", "batch", "preset"]
