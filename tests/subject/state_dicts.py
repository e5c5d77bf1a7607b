"""Loads state dicts that cases describe into a live module."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import torch

from cases.attributes import COUNTER, TENSORS
from cases.state_dicts import Entry, StateDict
from tests.subject.devices import HERE, Device
from tests.subject.foreign import safe_repr
from tests.subject.observation import same_bytes
from tests.subject.reading import numbers

NewTensor = Callable[[str], torch.Tensor]
"""A function that makes the tensor that is loaded as the entry of this name."""


def _tensor(entry: Entry, new_tensor: NewTensor, device: Device) -> torch.Tensor:
    """Return the tensor of one entry, in the entry's shape and dtype."""
    tensor = new_tensor(entry.source)
    if entry.name == COUNTER:
        dtype = getattr(torch, entry.dtype or "int64")
        return device.to(torch.full(entry.shape, entry.number, dtype=dtype))
    if entry.longer:
        tensor = torch.cat([tensor, tensor[: entry.longer]])
    tensor = tensor.to(getattr(torch, entry.dtype)) if entry.dtype else tensor
    return torch.nn.Parameter(tensor) if entry.parameter else tensor


def made(contents: StateDict, held: Tuple[str, ...], new_tensor: NewTensor, device: Device = HERE) -> Any:
    """Return the state dict for a module whose own state dict has the names ``held``."""
    state: Any = OrderedDict()
    for entry in contents.given(held):
        state[contents.prefix + entry.name] = _tensor(entry, new_tensor, device)
    for name in contents.others:
        state[contents.prefix + name] = torch.zeros(1)
    if contents.version is not None:
        state._metadata = OrderedDict([(contents.prefix[:-1], {"version": contents.version})])
    return state


class Source:
    """A state dict before it is loaded; ``changed`` tells whether the load wrote to it."""

    def __init__(self, state: Any) -> None:
        self.state = state
        self._tensors = dict(state)
        self._values = {key: numbers(tensor).copy() for key, tensor in state.items()}
        self._metadata = self._current_metadata()

    def _current_metadata(self) -> Dict[str, Dict[str, object]]:
        metadata = getattr(self.state, "_metadata", None) or {}
        return {key: dict(value) for key, value in metadata.items()}

    def changed(self) -> bool:
        """Whether keys, tensors, their bits or the metadata differ from those that were made."""
        if list(self.state) != list(self._tensors) or self._current_metadata() != self._metadata:
            return True
        return any(
            tensor is not self._tensors[key] or not same_bytes(numbers(tensor), self._values[key])
            for key, tensor in self.state.items()
        )


class Loading(NamedTuple):
    """A load of a state dict into a live module."""

    module: Any
    contents: StateDict
    source: Source
    device: Device = HERE

    def perform(self) -> str:
        """Load the state dict; return the text of the result, raise whatever loading raises."""
        module, contents = self.module, self.contents
        options = {"assign": True} if contents.assign else {}
        inspect.signature(module.load_state_dict).bind({}, **options)  # before the module is emptied
        if contents.emptied:
            if not hasattr(module, "to_empty"):
                raise LookupError("the release has no to_empty")
            for parameter in module.parameters():
                parameter.grad = None
            counter = module.num_batches_tracked
            counted = None if counter is None else int(counter)
            module.to("meta")
            module.to_empty(device=self.device.name)
            if counted is not None:  # any number may be there now, and this decides what a forward raises
                module.num_batches_tracked.fill_(counted)
        target = torch.nn.Sequential(module) if contents.parent else module
        found = target.load_state_dict(self.source.state, strict=contents.strict, **options)
        if not hasattr(found, "missing_keys") or not hasattr(found, "unexpected_keys"):
            return safe_repr(found)
        named: List[Tuple[str, List[str]]] = [
            ("missing", found.missing_keys),
            ("unexpected", found.unexpected_keys),
            ("shared", self._shared()),
        ]
        return "; ".join(" ".join([word, *sorted(names)]) for word, names in named)

    def _shared(self) -> List[str]:
        """Return the names of tensors that lie in the memory of an entry of the state dict."""
        places = {tensor.data_ptr() for tensor in self.source.state.values()}
        tensors = {name: getattr(self.module, name) for name in TENSORS}
        return [name for name, own in tensors.items() if own is not None and own.data_ptr() in places]
