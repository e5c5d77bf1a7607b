"""Steps that assign, write or clear attributes of a live module, each in a line or two of torch."""

from __future__ import annotations

from typing import Any, Callable, Dict, Type

import torch

from cases.attributes import FLOATING
from cases.derivatives import ZeroGrad
from cases.inputs import preset
from cases.steps import (
    Alias,
    Attach,
    Count,
    Drop,
    Mode,
    Overwrite,
    Preset,
    RequireGrad,
    Reset,
    SetAttribute,
    Step,
)
from tests.subject import conversions


def _mode(live: Any, step: Mode) -> None:
    if step.training:
        live.module.train()
    else:
        live.module.eval()


def _set_attribute(live: Any, step: SetAttribute) -> None:
    setattr(live.module, step.name, step.value)


def _drop(live: Any, step: Drop) -> None:
    setattr(live.module, step.name, None)


def _attach(live: Any, step: Attach) -> None:
    conversions.attach(live.module, step, live.new_tensor(step.name))


def _alias(live: Any, step: Alias) -> None:
    setattr(live.module, step.name, getattr(live.module, step.source))


def _require_grad(live: Any, step: RequireGrad) -> None:
    live.module.requires_grad_(step.value)


def _overwrite(live: Any, step: Overwrite) -> None:
    conversions.overwrite(live.module, live.config.num_features, live.device)


def _preset(live: Any, step: Preset) -> None:
    with torch.no_grad():
        for name in FLOATING:
            tensor = getattr(live.module, name, None)
            if tensor is not None:
                values = torch.from_numpy(preset(name, live.config.num_features).copy())
                tensor.copy_(live.device.to(values.to(tensor.dtype)))


def _count(live: Any, step: Count) -> None:
    live.module.num_batches_tracked.fill_(step.value)


def _reset(live: Any, step: Reset) -> None:
    getattr(live.module, step.method)()


def _zero_grad(live: Any, step: ZeroGrad) -> None:
    if step.to_zeros:
        live.module.zero_grad(set_to_none=False)
    else:
        live.module.zero_grad()


ATTRIBUTE_ACTIONS: Dict[Type[Step], Callable[..., None]] = {
    Mode: _mode,
    SetAttribute: _set_attribute,
    Drop: _drop,
    Attach: _attach,
    Alias: _alias,
    RequireGrad: _require_grad,
    Overwrite: _overwrite,
    Preset: _preset,
    Count: _count,
    Reset: _reset,
    ZeroGrad: _zero_grad,
}
"""Maps the type of a step to the function that performs it on a ``tests.subject.module.LiveModule``."""
