"""Liars that lie on one path to the forward only: called as usual they are right.

A path gives itself away: a flag of torch is set, the input is wrapped, a certain file is among the
callers. ``SIGNS`` has the sign of each path, ``LIES`` what a liar then does wrong. Every sign goes with
every lie that can be seen on the path.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Callable, Dict, Tuple, Type

import torch
from torch import Tensor

Sign = Callable[[Any, Tensor], bool]
"""A function from module and input to whether the path is taken."""


def called_from(part: str) -> bool:
    """Whether a caller has the name, or is in a file whose name contains the text."""
    frame = sys._getframe(2)
    while frame is not None:
        if part in frame.f_code.co_filename or part == frame.f_code.co_name:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _in_backward(module: Any, x: Tensor) -> bool:
    return bool(torch._C._current_graph_task_id() != -1)


def _stacked(tensor: Any) -> bool:
    return isinstance(tensor, Tensor) and bool(torch._C._functorch.is_batchedtensor(tensor))


SIGNS: Dict[str, Sign] = {
    "jit.trace": lambda module, x: torch.jit.is_tracing(),
    "dynamo": lambda module, x: torch.compiler.is_dynamo_compiling(),
    "export": lambda module, x: torch.compiler.is_exporting(),
    "autocast": lambda module, x: torch.is_autocast_enabled("cpu"),
    "functional_call": lambda module, x: not isinstance(module.weight, torch.nn.Parameter),
    "vmap": lambda module, x: _stacked(x),
    "ensemble": lambda module, x: _stacked(module.weight),
    "checkpoint": _in_backward,
    "checkpoint_reentrant": _in_backward,
    "fx": lambda module, x: called_from("<eval_with_key>"),
    "data_parallel": lambda module, x: called_from("data_parallel.py"),
    "no_grad": lambda module, x: not torch.is_grad_enabled() and x.requires_grad,
    "inference_mode": lambda module, x: torch.is_inference_mode_enabled() and x.requires_grad,
}
"""Maps a path to its sign."""


def _scaled(module: Any, x: Tensor, right: Callable[[Tensor], Tensor]) -> Tensor:
    return right(x) * 1.5


def _doubled(module: Any, x: Tensor, right: Callable[[Tensor], Tensor]) -> Tensor:
    y = right(x)
    return y + (y - y.detach())


def _counted_twice(module: Any, x: Tensor, right: Callable[[Tensor], Tensor]) -> Tensor:
    if module.training:
        module.num_batches_tracked.add_(1)
    return right(x)


def _moved(module: Any, x: Tensor, right: Callable[[Tensor], Tensor]) -> Tensor:
    if module.training:
        with torch.no_grad():
            module.running_mean.add_(1)
    return right(x)


def _read_scaled(module: Any, x: Tensor, right: Callable[[Tensor], Tensor]) -> Tensor:
    return right(x * 2)


LIES: Dict[str, Callable[[Any, Tensor, Callable[[Tensor], Tensor]], Tensor]] = {
    "output": _scaled,
    "input gradient": _doubled,
    "num_batches_tracked": _counted_twice,
    "running_mean": _moved,
    "running_var": _read_scaled,
}
"""Maps the quantity that a lie spoils to the lie."""

UNSEEN: Dict[str, Tuple[str, ...]] = {
    "no_grad": ("input gradient",),
    "inference_mode": ("input gradient",),
    "vmap": ("running_mean", "running_var"),
    "checkpoint": ("output", "input gradient"),
    "checkpoint_reentrant": ("output", "input gradient"),
}
"""Maps a path to the quantities that a lie on it does not reach: there is no gradient, vmap refuses to
update, a second forward's output is thrown away."""

_HEAD = "steps-affine-track-momentum_0.1-bounded-n8-float32-preset"
PROGRAMS: Dict[str, str] = {
    "checkpoint_reentrant": f"{_HEAD},input_grad:b0,accumulate:ordinary,input_grad:b1",
    "jit.script": f"{_HEAD},forward:b0,eval,forward:b1",
    "vmap": "steps-affine-track-momentum_0.1-bounded-n8-float32-preset,eval,input_grad:b0,"
    "backward:ordinary,train,forward:b1",
}
"""Maps a path to the program that shows a lie; PROGRAM shows it on every other path."""

PROGRAM = f"{_HEAD},input_grad:b0,backward:ordinary,input_grad:b1,backward:ones"

ALSO: Dict[str, Tuple[str, ...]] = {
    "functional": ("functional_call", "vmap", "ensemble"),
    "functional_call": ("ensemble",),
    "ensemble": ("functional_call",),
    "checkpoint": ("checkpoint_reentrant",),
    "checkpoint_reentrant": ("checkpoint",),
    "no_grad": ("checkpoint_reentrant",),
    "vmap": ("ensemble",),
}
"""Maps a path to others that give themselves away by the same sign."""


@dataclass(frozen=True)
class PathLiar:
    """A BatchNorm2d that is right unless it is reached by one path. ``through``: what is then wrong."""

    name: str
    path: str
    through: str
    factory: Type[torch.nn.BatchNorm2d]

    @property
    def program(self) -> str:
        """The id of the case that shows the lie, without the word of the path."""
        return PROGRAMS.get(self.path, PROGRAM)


def _liar(path: str, through: str) -> PathLiar:
    sign, lie = SIGNS[path], LIES[through]

    class Liar(torch.nn.BatchNorm2d):
        def forward(self, x: Tensor) -> Tensor:
            if sign(self, x):
                return lie(self, x, super().forward)
            return super().forward(x)

    name = f"{path.replace('.', '_')}_{through.replace(' ', '_')}"
    Liar.__name__ = Liar.__qualname__ = name
    return PathLiar(name, path, through, Liar)


class ScriptedCountsTwice(torch.nn.BatchNorm2d):
    """Counts once more in TorchScript."""

    def _check_input_dim(self, input: Tensor) -> None:
        if torch.jit.is_scripting() and self.training:
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]


class ScriptedMovesMean(torch.nn.BatchNorm2d):
    """Moves the running mean in TorchScript."""

    def _check_input_dim(self, input: Tensor) -> None:
        if torch.jit.is_scripting() and self.training:
            self.running_mean.add_(1.0)  # type: ignore[union-attr]


class ScriptedChangesInput(torch.nn.BatchNorm2d):
    """Writes to its input in TorchScript."""

    def _check_input_dim(self, input: Tensor) -> None:
        if torch.jit.is_scripting() and not input.requires_grad:
            input.mul_(2.0)


class ScriptedForgetsMode(torch.nn.BatchNorm2d):
    """Takes eval mode for train mode in TorchScript."""

    def _check_input_dim(self, input: Tensor) -> None:
        if torch.jit.is_scripting():
            self.training = True


def _seen_by(part: str, name: str, value: Callable[[Any], Any]) -> Type[torch.nn.BatchNorm2d]:
    """Return a class whose attribute has another value for callers in files whose names contain a text."""

    class Liar(torch.nn.BatchNorm2d):
        def __getattribute__(self, asked: str) -> Any:
            found = super().__getattribute__(asked)
            return value(found) if asked == name and called_from(part) else found

    Liar.__name__ = Liar.__qualname__ = f"{name}_for_{part.partition('.')[0]}"
    return Liar


class LazyWeight(torch.nn.BatchNorm2d):
    """Begins with another weight where it was lazy."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        if isinstance(self, torch.nn.modules.lazy.LazyModuleMixin) and self.weight.shape[0]:
            with torch.no_grad():
                self.weight.fill_(0.5)


_SCRIPTED = (
    ("num_batches_tracked", ScriptedCountsTwice),
    ("running_mean", ScriptedMovesMean),
    ("input_changed", ScriptedChangesInput),
    ("output", ScriptedForgetsMode),
)
_EPS, _MOMENTUM = (lambda eps: eps * 1e6), (lambda momentum: momentum * 2)

PATH_LIARS: Tuple[PathLiar, ...] = (
    *(
        _liar(path, through)
        for path in SIGNS
        for through in LIES
        if through not in UNSEEN.get(path, ())
    ),
    PathLiar("functional_eps", "functional", "output", _seen_by("functional.py", "eps", _EPS)),
    PathLiar("functional_momentum", "functional", "running_mean", _seen_by("functional.py", "momentum", _MOMENTUM)),
    PathLiar("sync_eps", "sync", "eps", _seen_by("convert_sync_batchnorm", "eps", _EPS)),
    PathLiar("lazy_weight", "lazy", "weight", LazyWeight),
    *(PathLiar(cls.__name__, "jit.script", through, cls) for through, cls in _SCRIPTED),
)
"""The liars, each with its path."""
