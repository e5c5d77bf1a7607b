"""Loads made-up state dicts into a live module."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Callable, Dict

import torch

from cases.attributes import FLOATING

NewTensor = Callable[[str], torch.Tensor]
"""Makes the tensor that is loaded as the entry of this name."""


def _entries(own: Any, new_tensor: NewTensor, counter: bool) -> Any:
    """A state dict with new tensors for the entries that the module has."""
    names = [name for name in FLOATING if name in own]
    if counter and "num_batches_tracked" in own:
        names.append("num_batches_tracked")
    return OrderedDict((name, new_tensor(name)) for name in names)


def _empty(own: Any, new_tensor: NewTensor) -> Any:
    return OrderedDict()


def _legacy(own: Any, new_tensor: NewTensor) -> Any:
    return _entries(own, new_tensor, counter=False)


def _no_counter(own: Any, new_tensor: NewTensor) -> Any:
    state = _entries(own, new_tensor, counter=False)
    state._metadata = own._metadata
    return state


def _version_1(own: Any, new_tensor: NewTensor) -> Any:
    state = _entries(own, new_tensor, counter=False)
    state._metadata = OrderedDict([("", {"version": 1})])
    return state


def _plain(own: Any, new_tensor: NewTensor) -> Any:
    return _entries(own, new_tensor, counter=True)


def _longer(own: Any, new_tensor: NewTensor) -> Any:
    state = _entries(own, new_tensor, counter=True)
    state._metadata = own._metadata
    if "running_mean" in state:
        state["running_mean"] = torch.cat([state["running_mean"], state["running_mean"][:1]])
    return state


CONTENTS: Dict[str, Callable[[Any, NewTensor], Any]] = {
    "legacy": _legacy,
    "empty": _empty,
    "no_counter": _no_counter,
    "version_1": _version_1,
    "plain": _plain,
    "longer": _longer,
}
"""Word of ``LoadStateDict`` to a state dict, from the module's own and new tensors."""


def load(module: Any, what: str, new_tensor: NewTensor) -> None:
    """Loads one of CONTENTS into the live module; raises whatever that raises."""
    state = CONTENTS[what](module.state_dict(), new_tensor)
    module.load_state_dict(state, strict=what != "empty")
