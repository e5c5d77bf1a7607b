"""The attributes of a BatchNorm2d instance, by name: its tensors and its flags."""

from __future__ import annotations

PARAMETERS = ("weight", "bias")
"""The affine parameters, shape (C,), floating point."""

STATISTICS = ("running_mean", "running_var")
"""The running statistics, shape (C,), floating point."""

COUNTER = "num_batches_tracked"
"""The counter of batches, an int64 scalar."""

BUFFERS = (*STATISTICS, COUNTER)
"""The registered buffers."""

FLOATING = (*PARAMETERS, *STATISTICS)
"""The tensors of the module's floating-point dtype."""

TENSORS = (*FLOATING, COUNTER)
"""The tensors of a module. Each of them is a tensor or None."""

FLAGS = ("num_features", "eps", "momentum", "affine", "track_running_stats", "training")
"""The plain attributes: the constructor's arguments as the module keeps them, and ``training``."""
