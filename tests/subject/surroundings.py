"""Settings of torch on which a result may depend, and that no step of a module may leave changed."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Tuple

import numpy as np
import torch

_SUBNORMAL = 5e-324
"""The smallest positive float64."""


def _without_subnormals() -> bool:
    """Whether the processor takes subnormal numbers for 0, as after torch.set_flush_denormal(True)."""
    return not np.multiply(_SUBNORMAL, 1.0)


def _deterministic() -> bool:
    """Whether torch uses only deterministic algorithms; False before 1.8, which cannot tell."""
    asked = getattr(torch, "are_deterministic_algorithms_enabled", None)
    return bool(asked and asked())


def _set_deterministic(value: bool) -> None:
    torch.use_deterministic_algorithms(value)


def _warns_only() -> bool:
    """Whether deterministic algorithms are asked for, but not demanded; False before 1.11."""
    asked = getattr(torch, "is_deterministic_algorithms_warn_only_enabled", None)
    return bool(asked and asked())


def _set_warns_only(value: bool) -> None:
    torch.use_deterministic_algorithms(_deterministic(), warn_only=value)


def _autocast() -> Tuple[Any, ...]:
    """Whether calls on the CPU are in mixed precision, and its dtype; empty before 2.4."""
    if not hasattr(torch, "get_autocast_dtype"):
        return ()
    return torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")


def _set_autocast(value: Tuple[Any, ...]) -> None:
    torch.set_autocast_enabled("cpu", value[0])
    torch.set_autocast_dtype("cpu", value[1])


def _cudnn() -> Tuple[bool, ...]:
    """The flags of the library of kernels for GPUs, which torch has without a GPU, too."""
    flags = torch.backends.cudnn
    return flags.enabled, flags.benchmark, flags.deterministic


def _set_cudnn(value: Tuple[bool, ...]) -> None:
    torch.backends.cudnn.enabled, torch.backends.cudnn.benchmark = value[:2]
    torch.backends.cudnn.deterministic = value[2]


def _precision() -> str:
    """The precision of products of matrices; empty before 1.12."""
    asked = getattr(torch, "get_float32_matmul_precision", None)
    return str(asked()) if asked else ""


def _set_precision(value: str) -> None:
    torch.set_float32_matmul_precision(value)


class Watched(NamedTuple):
    """A setting that no step may leave changed: its name in messages, how it is read and written.

    ``usual``: its value in a fresh process. ``line``: the line of a script that sets it; "" where the
    script needs none.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], Any]
    usual: Any = None
    line: str = ""


WATCHED: Tuple[Watched, ...] = (
    Watched(
        "torch.is_grad_enabled()",
        torch.is_grad_enabled,
        torch.set_grad_enabled,
        True,
        "torch.set_grad_enabled({})",
    ),
    Watched(
        "the default dtype",
        torch.get_default_dtype,
        torch.set_default_dtype,
        torch.float32,
        "torch.set_default_dtype({})",
    ),
    Watched("torch.get_num_threads()", torch.get_num_threads, torch.set_num_threads),
    Watched("the flushing of subnormal numbers", _without_subnormals, torch.set_flush_denormal),
    Watched("torch.is_anomaly_enabled()", torch.is_anomaly_enabled, torch.set_anomaly_enabled),
    Watched("torch.are_deterministic_algorithms_enabled()", _deterministic, _set_deterministic),
    Watched(
        "the state of the random numbers",
        lambda: torch.get_rng_state().numpy().tobytes(),
        lambda state: torch.set_rng_state(torch.from_numpy(np.frombuffer(state, np.uint8).copy())),
    ),
    Watched("torch.is_deterministic_algorithms_warn_only_enabled()", _warns_only, _set_warns_only),
    Watched("mixed precision", _autocast, _set_autocast),
    Watched("torch.backends.cudnn", _cudnn, _set_cudnn),
    Watched("torch.get_float32_matmul_precision()", _precision, _set_precision),
    Watched("NumPy's reaction to overflow", np.geterr, lambda value: np.seterr(**value)),
)
"""The settings of the process that a call of a module could change."""

CHECKED_AFTER_A_CALL = 1
"""The number of settings, from the first of WATCHED, that are compared as soon as a call returns: the
context of the call restores these when it ends, so a later comparison would miss the change."""


def settings(count: int = len(WATCHED)) -> Tuple[Any, ...]:
    """Return the present values of the first ``count`` settings of WATCHED."""
    return tuple([each.read() for each in WATCHED[:count]])


def restore(before: Tuple[Any, ...]) -> Tuple[str, ...]:
    """Write the values ``before`` to the first settings of WATCHED that differ; return their names."""
    after = settings(len(before))
    changed = [(each, old) for each, old, new in zip(WATCHED, before, after) if old != new]
    for each, old in changed:
        each.write(old)
    return tuple(each.name for each, _ in changed)


def surroundings() -> Tuple[str, ...]:
    """Return the lines that give a fresh process the settings of this process."""
    scripted = [each for each in WATCHED if each.line]
    return tuple(each.line.format(each.read()) for each in scripted if each.read() != each.usual)
