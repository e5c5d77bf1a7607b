"""Settings of torch on which a result may depend, where they are not the usual ones."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Tuple

import torch


class Setting(NamedTuple):
    """How a setting is read, its value in a fresh process, and the line that sets it."""

    read: Callable[[], Any]
    usual: Any
    line: str


SETTINGS: Tuple[Setting, ...] = (
    Setting(torch.get_default_dtype, torch.float32, "torch.set_default_dtype({})"),
    Setting(torch.is_grad_enabled, True, "torch.set_grad_enabled({})"),
)


def surroundings() -> Tuple[str, ...]:
    """The lines that give a fresh process the settings of this one."""
    return tuple(each.line.format(each.read()) for each in SETTINGS if each.read() != each.usual)
