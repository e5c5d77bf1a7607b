"""Drives one live module: performs steps, observes everything after each."""

from __future__ import annotations

import copy
import pickle
from typing import Any, Callable, Dict, List, Optional, Tuple, Type

import numpy as np
import torch

from cases.attributes import FLAGS, FLOATING, TENSORS
from cases.case import Case
from cases.construction import Config
from cases.inputs import attached, batch, preset, upstream
from cases.state_dicts import TABLE
from cases.steps import (
    CONVERSIONS,
    Alias,
    Attach,
    Backward,
    Convert,
    Copy,
    Count,
    Drop,
    Forward,
    Forwards,
    LoadStateDict,
    Mode,
    Overwrite,
    Preset,
    RequireGrad,
    Reset,
    SetAttribute,
    Show,
    Step,
    forwards,
)
from cases.variants import ATTACHED_COUNT, Variant
from tests.subject import conversions
from tests.subject.gradients import Recording, gradients
from tests.subject.inputs import Input
from tests.subject.observation import Observation, ObservedOutput, Raised, same_bytes
from tests.subject.reading import attribute, dtype_name, numbers, observed
from tests.subject.state_dicts import Loading, Source, made

Factory = Callable[..., Any]
"""The class under test, or whatever constructs it."""


def construct(factory: Factory, config: Config, dtype: str) -> Any:
    """``factory`` called with BatchNorm2d's arguments; raises whatever it raises."""
    if config.call == "positional":
        module = factory(config.num_features, *(value for _, value in config.passed()))
    else:
        arguments: Dict[str, object] = dict(config.passed())
        if config.call == "dtype":
            return factory(config.num_features, dtype=getattr(torch, dtype), **arguments)
        module = factory(config.num_features, **arguments)
    return module if dtype == "float32" else module.to(getattr(torch, dtype))


class LiveModule:
    """A subject in the middle of a program."""

    def __init__(self, factory: Factory, config: Config, variant: Variant) -> None:
        """Constructs the module; raises whatever the constructor raises."""
        self.factory = factory
        self.config = config
        self.variant = variant
        self.module = construct(factory, config, variant.module_dtype)
        self.dtype = variant.module_dtype
        self._before: Tuple[Any, ...] = (None,) * len(TENSORS)
        self._earlier: Optional[Tuple[np.ndarray, np.ndarray]] = None
        self._seen: Dict[str, Any] = {}
        self._recordings: List[Recording] = []
        self._gradients: List[torch.Tensor] = []

    def perform(self, step: Optional[Step]) -> Observation:
        """Performs ``step`` (None: nothing, right after construction) and observes the module."""
        self._seen = {"output": None, "raised": None}
        try:
            if step is not None:
                ACTIONS[type(step)](self, step)
        except Exception as error:  # whatever the subject raises is the observation
            self._seen["raised"] = Raised(type(error).__name__, str(error))
        tensors = tuple([attribute(self.module, name) for name in TENSORS])
        same = tuple([now is before for now, before in zip(tensors, self._before)])
        self._before = tensors
        return Observation(
            tensors=tuple([observed(tensor) for tensor in tensors]),
            same_objects=same,
            flags=tuple([attribute(self.module, name) for name in FLAGS]),
            **self._seen,
        )

    def forward(self, step: Forward) -> None:
        """``module(batch)`` with an input of its own."""
        given = Input(batch(self.variant, step.batch))
        leaf = given.tensor.detach().requires_grad_() if step.grad == "input_grad" else given.tensor
        leaves = (leaf, attribute(self.module, "weight"), attribute(self.module, "bias"))
        try:
            with torch.set_grad_enabled(step.grad != "no_grad"):
                output = self._hooked(leaf) if step.grad == "hooked" else self.module(leaf)
            self._seen["output"] = self._observed_output(output, given)
            self._recordings = [Recording(given.batch, output, leaves), *self._recordings[:1]]
        finally:
            self._seen["input_changed"] = self._seen.get("input_changed", False) or given.changed()

    def _hooked(self, leaf: torch.Tensor) -> Any:
        """A call while the module has hooks, and the text of those that were called."""
        with conversions.Hooks(self.module) as hooks:
            output = self.module(leaf)
        self._seen["text"] = " ".join(hooks.called)
        return output

    def backward(self, step: Backward) -> None:
        """``torch.autograd.grad`` of an output, with an upstream gradient of its own."""
        if int(step.earlier) >= len(self._recordings):
            raise LookupError("no forward has returned an output")
        recording = self._recordings[int(step.earlier)]
        given = Input(upstream(self.variant, recording.given, step.upstream))
        try:
            self._seen["gradients"] = gradients(
                recording, given.tensor, step.retain, self._gradients
            )
        finally:
            self._seen["input_changed"] = given.changed()

    def _observed_output(self, output: Any, given: Input) -> ObservedOutput:
        """Observe an output, and whether the output before it has changed since."""
        values = numbers(output)
        kept = values.copy()
        earlier, self._earlier = self._earlier, (values, kept)
        return ObservedOutput(
            values=kept,
            dtype=dtype_name(output.dtype),
            contiguous=output.is_contiguous(),
            channels_last=output.dim() == 4
            and output.is_contiguous(memory_format=torch.channels_last),
            requires_grad=output.requires_grad,
            shares_input=output.numel() > 0 and output.data_ptr() == given.tensor.data_ptr(),
            earlier_output_changed=earlier is not None and not same_bytes(*earlier),
        )

    def copy(self, step: Copy) -> None:
        """Goes on with a copy of the module, and notes which tensors share memory with the original."""
        original = self.module
        if step.how == "deepcopy":
            renewed = copy.deepcopy(original)
        elif step.how == "pickle":
            renewed = pickle.loads(pickle.dumps(original))
        elif step.how == "copy":
            renewed = copy.copy(original)
        else:
            renewed = construct(self.factory, self.config, self.dtype)
            renewed.load_state_dict(original.state_dict())
            renewed.train(original.training)
        self.module = renewed
        pairs = {name: (getattr(renewed, name), getattr(original, name)) for name in TENSORS}
        self._seen["shared"] = tuple(
            name
            for name, (new, old) in pairs.items()
            if new is not None and old is not None and new.data_ptr() == old.data_ptr()
        )

    def show(self, step: Show) -> None:
        """Asks the module for a text."""
        self._seen["text"] = conversions.TEXTS[step.what](self.module)

    def convert(self, step: Convert) -> None:
        """Converts the module; the outputs before it are not differentiated any more."""
        conversions.convert(self.module, step.how)
        self.dtype = CONVERSIONS[step.how]
        self._recordings = []

    def load(self, step: LoadStateDict) -> None:
        """Loads a state dict, and notes whether that was changed."""
        contents = TABLE[step.what]
        source = Source(made(contents, tuple(self.module.state_dict()), self.new_tensor))
        try:
            self._seen["text"] = Loading(self.module, contents, source).perform()
        finally:
            self._seen["input_changed"] = source.changed()
        if contents.assign:
            self.dtype = contents.entries[0].dtype or self.dtype

    def new_tensor(self, name: str) -> torch.Tensor:
        """The tensor that is attached or loaded as ``name``."""
        if name == "num_batches_tracked":
            return torch.tensor(ATTACHED_COUNT, dtype=torch.long)
        values = torch.from_numpy(attached(name, self.config.num_features).copy())
        return values.to(getattr(torch, self.dtype))


def _forwards(live: LiveModule, step: Forwards) -> None:
    for each in forwards(step):
        live.forward(each)


def _mode(live: LiveModule, step: Mode) -> None:
    if step.training:
        live.module.train()
    else:
        live.module.eval()


def _set_attribute(live: LiveModule, step: SetAttribute) -> None:
    setattr(live.module, step.name, step.value)


def _drop(live: LiveModule, step: Drop) -> None:
    setattr(live.module, step.name, None)


def _attach(live: LiveModule, step: Attach) -> None:
    conversions.attach(live.module, step, live.new_tensor(step.name))


def _alias(live: LiveModule, step: Alias) -> None:
    setattr(live.module, step.name, getattr(live.module, step.source))


def _require_grad(live: LiveModule, step: RequireGrad) -> None:
    live.module.requires_grad_(step.value)


def _overwrite(live: LiveModule, step: Overwrite) -> None:
    conversions.overwrite(live.module, live.config.num_features)


def _preset(live: LiveModule, step: Preset) -> None:
    with torch.no_grad():
        for name in FLOATING:
            tensor = getattr(live.module, name)
            if tensor is not None:
                tensor.copy_(torch.from_numpy(preset(name, live.config.num_features).copy()))


def _count(live: LiveModule, step: Count) -> None:
    live.module.num_batches_tracked.fill_(step.value)


def _reset(live: LiveModule, step: Reset) -> None:
    getattr(live.module, step.method)()


ACTIONS: Dict[Type[Step], Callable[..., None]] = {
    Forward: LiveModule.forward,
    Backward: LiveModule.backward,
    Forwards: _forwards,
    Mode: _mode,
    SetAttribute: _set_attribute,
    Drop: _drop,
    Attach: _attach,
    Preset: _preset,
    Count: _count,
    Reset: _reset,
    Copy: LiveModule.copy,
    LoadStateDict: LiveModule.load,
    Show: LiveModule.show,
    Convert: LiveModule.convert,
    RequireGrad: _require_grad,
    Alias: _alias,
    Overwrite: _overwrite,
}
"""Type of a step to what performs it."""

def observe(case: Case, factory: Factory) -> List[Observation]:
    """Observe the subject after construction and after every step.

    Of a module that cannot be constructed there is one observation, with the exception alone.
    """
    try:
        live = LiveModule(factory, case.config, case.variant)
    except Exception as error:  # whatever the subject raises is the observation
        return [Observation(None, Raised(type(error).__name__, str(error)), (), (), ())]
    return [live.perform(step) for step in (None, *case.steps)]
