"""The batches, upstream gradients and vectors that steps name, as NumPy arrays."""

from cases.inputs.batches import Batch, batch
from cases.inputs.upstream import upstream
from cases.inputs.vectors import attached, preset

__all__ = ["Batch", "attached", "batch", "preset", "upstream"]
