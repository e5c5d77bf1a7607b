"""Reads the texts by which a module describes itself: its repr, the names of its tensors, its hooks."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any, Callable, Dict, List

import torch

from cases.attributes import TENSORS
from tests.subject import conduct, habits


def _order(module: Any) -> str:
    named = [[name for name, _ in pairs] for pairs in (module.named_parameters(), module.named_buffers())]
    return "; ".join(" ".join(names) for names in (*named, module.state_dict()))


def _returns(module: Any) -> str:
    """Return the names of the methods that return the module; the mode is restored."""
    mode = module.training
    tensors = (each for each in (getattr(module, name) for name in TENSORS) if each is not None)
    place = next(tensors, torch.empty(0)).device
    found = {"train": module.train(bool(mode)), "eval": module.eval(), "to": module.to(place)}
    module.train(bool(mode))
    module.training = mode  # which may be no bool, and train takes none else
    return " ".join(name for name, returned in found.items() if returned is module)


def _parent(module: Any) -> str:
    """Describe the state dict of a Sequential that holds the module: its keys, and the version."""
    state: Any = torch.nn.Sequential(module).state_dict()
    return " ".join(sorted(state)) + f"; version {state._metadata['0']['version']}"


def _entries(module: Any) -> str:
    """Describe a state dict with a prefix, beside the module's own tensors."""
    saved, kept = module.state_dict(prefix="layer."), module.state_dict(keep_vars=True)
    lines = []
    for key in sorted(saved):
        entry, name = saved[key], key.rpartition(".")[2]
        own = getattr(module, name)
        others = [each for each in saved.values() if each.data_ptr() != entry.data_ptr()]
        alone = _storage(entry) not in map(_storage, others)
        lines.append(
            f"{key} {str(entry.dtype)[len('torch.') :]} {list(entry.shape)} grad {entry.requires_grad} "
            f"own {entry is own} shared {entry.data_ptr() == own.data_ptr()} "
            f"kept {kept.get(name) is own} alone {alone}"
        )
    return "; ".join(lines)


def _storage(tensor: torch.Tensor) -> int:
    """Return where the memory begins that a tensor is a part of."""
    storage: Any = getattr(tensor, "untyped_storage", tensor.storage)  # the first is of torch 2.0
    return int(storage().data_ptr())


def _made(factory: Callable[..., Any]) -> str:
    """Describe a module made with the keywords device and dtype, and one made by default in float64."""
    lines = _tensors_of(factory(3, device="meta", dtype=torch.float64))
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        default = factory(3)
    finally:
        torch.set_default_dtype(before)
    return "; ".join([*lines, "by default", *_tensors_of(default)])


def _tensors_of(module: Any) -> List[str]:
    """Return name, dtype and device of the tensors of a module."""
    named = [*module.named_parameters(), *module.named_buffers()]
    return sorted(f"{name} {str(each.dtype)[len('torch.') :]} {each.device}" for name, each in named)


def _methods(module: Any) -> str:
    """Return the names of the converting methods that return the module; a copy is converted."""
    copied = copy.deepcopy(module)
    found = {name: getattr(copied, name)() for name in ("half", "float", "double", "cpu")}
    found["type"] = copied.type(torch.float32)
    found["requires_grad_"] = copied.requires_grad_(False)
    return " ".join(name for name, returned in found.items() if returned is copied)


def _watched(module: Any) -> Any:
    """Return a copy whose forward doubles its input, so that the call alone is tried, in any state."""
    copied = copy.deepcopy(module)
    copied.forward = lambda x: 2 * x
    return copied


def _hooks(module: Any) -> str:
    """Name the hooks that a copy calls, and those that a deep copy of it calls."""
    called: List[str] = []

    def hook(word: str) -> Callable[..., None]:
        return lambda *_: called.append(word)

    watched = _watched(module)
    for number in (1, 2):
        watched.register_forward_pre_hook(hook(f"pre-hook {number}"))
        watched.register_forward_hook(hook(f"hook {number}"))
    watched._register_state_dict_hook(hook("saved"))
    watched._register_load_state_dict_pre_hook(hook("loaded"))
    lines = []
    for each in (watched, copy.deepcopy(watched)):
        each(torch.ones(2, 1, 1, 1))
        each.state_dict()
        empty: Any = OrderedDict()
        empty._metadata = OrderedDict([("", {"version": 2})])
        each.load_state_dict(empty, strict=False)
        lines.append(", ".join(called))
        called.clear()
    return "; ".join(lines)


def _backward_hooks(module: Any) -> str:
    """Name the hooks that a copy calls when its output is differentiated."""
    called: List[str] = []
    watched = _watched(module)
    if not hasattr(watched, "register_full_backward_hook"):
        raise LookupError("the release has no full backward hooks")
    for number in (1, 2):
        word = f"backward hook {number}"
        watched.register_full_backward_hook(lambda *_, word=word: called.append(word))
    watched(torch.ones(2, 1, 1, 1, requires_grad=True)).sum().backward()
    return ", ".join(called)


def _visits(module: Any) -> str:
    """Name what is found under a prefix, and say whether apply visits and returns the module."""
    found = [module.named_parameters("layer"), module.named_buffers("layer")]
    named = [[name for name, _ in pairs] for pairs in (*found, module.named_modules(prefix="layer"))]
    visited: List[Any] = []
    returned = module.apply(visited.append)
    applied = f"applied {[each is module for each in visited]} {returned is module}"
    return "; ".join([*map(" ".join, named), applied])


TEXTS: Dict[str, Callable[[Any, Callable[..., Any]], str]] = {
    "repr": lambda module, _: repr(module).partition("(")[2],
    "keys": lambda module, _: " ".join(sorted(module.state_dict())),
    "parent": lambda module, _: _parent(module),
    "version": lambda module, _: str(module.state_dict()._metadata[""]["version"]),
    "extra_repr": lambda module, _: str(module.extra_repr()),
    "order": lambda module, _: _order(module),
    "returns": lambda module, _: _returns(module),
    "entries": lambda module, _: _entries(module),
    "methods": lambda module, _: _methods(module),
    "made": lambda _, factory: _made(factory),
    "hooks": lambda module, _: _hooks(module),
    "backward_hooks": lambda module, _: _backward_hooks(module),
    "visits": lambda module, _: _visits(module),
    "tensors": lambda _, factory: conduct.tensors(factory),
    "calls": lambda _, factory: conduct.calls(factory),
    "habits": lambda _, factory: habits.habits(factory),
}
"""Maps a word of ``Show`` to the text of a module and of what constructs such modules."""
