"""Drives one live module: performs steps, observes everything after each."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from functools import lru_cache
from operator import attrgetter, is_
from typing import Any, Callable, Dict, Optional, Tuple

import numpy as np
import torch

from cases.construction import Config
from cases.inputs import attached, batch, preset
from cases.steps import (
    Attach,
    Copy,
    Count,
    Drop,
    Forward,
    Forwards,
    LoadStateDict,
    Mode,
    Preset,
    Reset,
    SetAttribute,
    Show,
    Step,
    forwards,
)
from cases.variants import ATTACHED_COUNT, Variant
from tests.subject.inputs import Input, tensor_of
from tests.subject.observation import (
    FLAGS,
    TENSORS,
    Observation,
    ObservedOutput,
    Raised,
    other_bytes,
)
from tests.subject.reading import DTYPES, Reader, attribute, numbers

Factory = Callable[..., Any]

FLOATING = TENSORS[:4]


class NotConstructed(Exception):
    """The subject's constructor raised."""

    def __init__(self, raised: Raised) -> None:
        super().__init__(f"{raised.kind}: {raised.message}")
        self.raised = raised


def _raised(error: Exception) -> Raised:
    return Raised(type(error).__name__, str(error))


def construct(factory: Factory, config: Config, dtype: str) -> Any:
    """``factory`` called with BatchNorm2d's arguments; raises whatever it raises."""
    if config.call == "positional":
        module = factory(config.num_features, *(value for _, value in config.passed()))
    else:
        arguments: Dict[str, object] = dict(config.passed())
        if config.call == "dtype":
            return factory(config.num_features, dtype=getattr(torch, dtype), **arguments)
        module = factory(config.num_features, **arguments)
    return module.double() if dtype == "float64" else module


class LiveModule:
    """A subject in the middle of a program."""

    def __init__(self, factory: Factory, config: Config, variant: Variant) -> None:
        """Constructs the module; raises NotConstructed when the constructor does."""
        self._factory = factory
        self._config = config
        self._variant = variant
        self._dtype = getattr(torch, variant.dtype)
        try:
            self.module = construct(factory, config, variant.dtype)
        except Exception as error:  # whatever the subject raises is the observation
            raise NotConstructed(_raised(error)) from error
        self._before: Tuple[Any, ...] = (None,) * len(TENSORS)
        self._readers = [Reader() for _ in TENSORS]
        self._earlier: Optional[Tuple[np.ndarray, np.ndarray]] = None

    def perform(self, step: Optional[Step]) -> Observation:
        """Performs ``step`` (None: nothing, right after construction) and observes the module."""
        output, raised, changed = None, None, False
        overwritten, shown = False, None
        shared: Tuple[str, ...] = ()
        try:
            if type(step) is Forwards:
                *unseen, step = forwards(step)
                for each in unseen:
                    given = tensor_of(batch(self._variant, each.batch))
                    try:
                        self._forward(given.tensor, each.grad)
                    finally:
                        changed = given.changed() or changed
            if type(step) is Forward:
                given = tensor_of(batch(self._variant, step.batch))
                try:
                    returned = self._forward(given.tensor, step.grad)
                    output, overwritten = self._observed_output(returned, given)
                finally:
                    changed = given.changed() or changed
            elif type(step) is Copy:
                shared = self._copy(step.how)
            elif type(step) is Show:
                shown = self._show(step.what)
            elif step is not None:
                _ACTIONS[type(step)](self, step)
        except Exception as error:  # whatever the subject raises is the observation
            raised = _raised(error)
        if changed:
            tensor_of.cache_clear()
        observed = self._observed(output, raised, changed, shared)
        if overwritten or shown is not None:
            observed = observed._replace(earlier_output_changed=overwritten, shown=shown)
        return observed

    def _forward(self, given: torch.Tensor, grad: str) -> Any:
        if grad == "grad":
            return self.module(given)
        if grad == "input_grad":
            return self.module(given.detach().requires_grad_())
        with torch.no_grad():
            return self.module(given)

    def _show(self, what: str) -> str:
        if what == "repr":
            return repr(self.module).partition("(")[2]
        state = self.module.state_dict()
        if what == "keys":
            return " ".join(sorted(state))
        return str(state._metadata[""]["version"])

    def _observed(
        self,
        output: Optional[ObservedOutput],
        raised: Optional[Raised],
        changed: bool,
        shared: Tuple[str, ...],
    ) -> Observation:
        now = self._read(_tensors, TENSORS)
        before = self._before
        self._before = now
        tensors = tuple([reader.observe(tensor) for reader, tensor in zip(self._readers, now)])
        same = tuple(map(is_, now, before))
        flags = self._read(_flags, FLAGS)
        return Observation(output, raised, tensors, same, flags, changed, shared)

    def _read(self, get: Callable[[Any], Tuple[Any, ...]], names: Tuple[str, ...]) -> Tuple[Any, ...]:
        """What ``get`` gives of the module; where that raises, with an Unreadable for what does."""
        try:
            return get(self.module)
        except Exception:  # whatever the subject raises is the observation
            return tuple(attribute(self.module, name) for name in names)

    def _observed_output(self, output: Any, given: Input) -> Tuple[ObservedOutput, bool]:
        """What is visible of an output, and whether the earlier one is another by now."""
        values = numbers(output)
        kept = values.copy("A")
        earlier, self._earlier = self._earlier, (values, kept)
        observed = ObservedOutput(
            kept,
            DTYPES[output.dtype],
            output.is_contiguous(),
            output.dim() == 4 and output.is_contiguous(memory_format=torch.channels_last),
            output.requires_grad,
            output.numel() > 0 and output.data_ptr() == given.pointer,
        )
        return observed, earlier is not None and other_bytes(*earlier)

    def _copy(self, how: str) -> Tuple[str, ...]:
        original = self.module
        if how == "deepcopy":
            renewed = copy.deepcopy(original)
        elif how == "pickle":
            renewed = pickle.loads(pickle.dumps(original))
        else:
            renewed = construct(self._factory, self._config, self._variant.dtype)
            renewed.load_state_dict(original.state_dict())
            renewed.train(original.training)
        self.module = renewed
        return tuple(
            name
            for name in TENSORS
            if _pointer(renewed, name) is not None
            and _pointer(renewed, name) == _pointer(original, name)
        )

    def _new_tensor(self, name: str) -> torch.Tensor:
        if name == "num_batches_tracked":
            return torch.tensor(ATTACHED_COUNT, dtype=torch.long)
        return torch.from_numpy(attached(name, self._config.num_features).copy()).to(self._dtype)

    def attach(self, step: Attach) -> None:
        """``module.<name> = <tensor or Parameter>``."""
        tensor = self._new_tensor(step.name)
        if step.kind != "tensor":
            tensor = torch.nn.Parameter(tensor, requires_grad=step.kind == "trainable")
        setattr(self.module, step.name, tensor)

    def preset(self, step: Preset) -> None:
        """Copies the preset numbers into what is there."""
        with torch.no_grad():
            for name in FLOATING:
                tensor = getattr(self.module, name)
                if tensor is not None:
                    tensor.copy_(_preset_tensor(name, self._config.num_features))

    def load(self, step: LoadStateDict) -> None:
        """Loads one of the made-up state dicts into the live module."""
        state: OrderedDict[str, torch.Tensor] = OrderedDict()
        if step.what == "empty":
            self.module.load_state_dict(state, strict=False)
            return
        own = self.module.state_dict()
        for name in FLOATING:
            if name in own:
                state[name] = self._new_tensor(name)
        if step.what in ("plain", "longer") and "num_batches_tracked" in own:
            state["num_batches_tracked"] = self._new_tensor("num_batches_tracked")
        if step.what == "longer" and "running_mean" in state:
            state["running_mean"] = torch.cat([state["running_mean"], state["running_mean"][:1]])
        if step.what in ("no_counter", "longer"):
            state._metadata = own._metadata  # type: ignore[attr-defined]
        if step.what == "version_1":
            state._metadata = OrderedDict([("", {"version": 1})])  # type: ignore[attr-defined]
        self.module.load_state_dict(state)


def _tensors(module: Any) -> Tuple[Any, ...]:
    return tuple([getattr(module, name) for name in TENSORS])  # attrgetter is slower for these


_flags: Callable[[Any], Tuple[Any, ...]] = attrgetter(*FLAGS)


@lru_cache(maxsize=None)
def _preset_tensor(name: str, channels: int) -> torch.Tensor:
    return torch.from_numpy(preset(name, channels).copy())


def _pointer(module: Any, name: str) -> Optional[int]:
    tensor = getattr(module, name)
    return None if tensor is None else int(tensor.data_ptr())


def _set_mode(live: LiveModule, step: Mode) -> None:
    if step.training:
        live.module.train()
    else:
        live.module.eval()


def _set_attribute(live: LiveModule, step: SetAttribute) -> None:
    setattr(live.module, step.name, step.value)


def _drop(live: LiveModule, step: Drop) -> None:
    setattr(live.module, step.name, None)


def _count(live: LiveModule, step: Count) -> None:
    live.module.num_batches_tracked.fill_(step.value)


def _reset(live: LiveModule, step: Reset) -> None:
    getattr(live.module, step.method)()


_ACTIONS: Dict[type, Callable[..., None]] = {
    Mode: _set_mode,
    SetAttribute: _set_attribute,
    Drop: _drop,
    Attach: LiveModule.attach,
    Preset: LiveModule.preset,
    Count: _count,
    Reset: _reset,
    LoadStateDict: LiveModule.load,
}
