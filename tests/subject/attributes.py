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


def _overwrite(live: Any, step: Overwrite) -> None:
    conversions.overwrite(live.module, live.config.num_features, live.device)


def _preset(live: Any, step: Preset) -> None:
    with torch.no_grad():
        for name in FLOATING:
            tensor = getattr(live.module, name, None)
            if tensor is not None:
                values = torch.from_numpy(preset(name, live.config.num_features).copy())
                tensor.copy_(live.device.to(values.to(tensor.dtype)))


def _zero_grad(live: Any, step: ZeroGrad) -> None:
    if step.to_zeros:
        live.module.zero_grad(set_to_none=False)
    else:
        live.module.zero_grad()


ATTRIBUTE_ACTIONS: Dict[Type[Step], Callable[..., object]] = {
    Mode: _mode,
    SetAttribute: lambda live, step: setattr(live.module, step.name, step.value),
    Drop: lambda live, step: setattr(live.module, step.name, None),
    Attach: lambda live, step: conversions.attach(live.module, step, live.new_tensor(step.name)),
    Alias: lambda live, step: setattr(live.module, step.name, getattr(live.module, step.source)),
    RequireGrad: lambda live, step: live.module.requires_grad_(step.value),
    Overwrite: _overwrite,
    Preset: _preset,
    Count: lambda live, step: live.module.num_batches_tracked.fill_(step.value),
    Reset: lambda live, step: getattr(live.module, step.method)(),
    ZeroGrad: _zero_grad,
}
"""Maps the type of a step to the function that performs it on a ``tests.subject.module.LiveModule``."""
