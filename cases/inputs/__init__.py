"""The batches, upstream gradients and vectors that steps name, as NumPy arrays."""

from cases.inputs.batches import Batch, batch
from cases.inputs.own import OWN
from cases.inputs.upstream import upstream
from cases.inputs.vectors import attached, preset

__all__ = ["OWN", "Batch", "attached", "batch", "preset", "upstream"]
