"""The attributes of a BatchNorm2d instance, by name: its tensors and its flags."""

from __future__ import annotations

PARAMETERS = ("weight", "bias")
"""The affine parameters, shape (C,), floating point."""

STATISTICS = ("running_mean", "running_var")
"""The running statistics, shape (C,), floating point."""

BUFFERS = STATISTICS + ("num_batches_tracked",)
"""The registered buffers; num_batches_tracked is an int64 scalar."""

FLOATING = PARAMETERS + STATISTICS
"""The tensors of the module's floating-point dtype."""

TENSORS = FLOATING + ("num_batches_tracked",)
"""The tensors of a module. Each of them is a tensor or None."""

FLAGS = ("num_features", "eps", "momentum", "affine", "track_running_stats", "training")
"""The plain attributes: the constructor's arguments as the module keeps them, and ``training``."""
