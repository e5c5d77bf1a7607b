"""Settings of torch on which a result may depend, where they differ from torch's defaults."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Tuple

import torch


class Setting(NamedTuple):
    """A setting: how it is read, its value in a fresh process, and the line that sets it."""

    read: Callable[[], Any]
    usual: Any
    line: str


SETTINGS: Tuple[Setting, ...] = (
    Setting(torch.get_default_dtype, torch.float32, "torch.set_default_dtype({})"),
    Setting(torch.is_grad_enabled, True, "torch.set_grad_enabled({})"),
)


def surroundings() -> Tuple[str, ...]:
    """Return the lines that give a fresh process the settings of this process."""
    return tuple(each.line.format(each.read()) for each in SETTINGS if each.read() != each.usual)
