"""Drives one live module: performs steps, and observes everything after each."""

from __future__ import annotations

import copy
import pickle
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple, Type

import numpy as np
import torch

from cases.attributes import COUNTER, FLAGS, TENSORS
from cases.case import Case
from cases.construction import Config
from cases.inputs import attached, batch
from cases.paths import EAGER
from cases.state_dicts import TABLE
from cases.steps import (
    CONVERSIONS,
    OVERWRITTEN,
    WITH_GRADIENT,
    Convert,
    Copy,
    Forward,
    Forwards,
    LoadStateDict,
    Show,
    Step,
    forwards,
)
from cases.variants import ATTACHED_COUNT, Variant
from reports.rows import MODULE
from tests.subject import DEFAULT, conversions, descriptions
from tests.subject.attributes import ATTRIBUTE_ACTIONS
from tests.subject.contexts import CONTEXTS, HANDED, Hooks
from tests.subject.devices import HERE, Device
from tests.subject.differentiation import DIFFERENTIATIONS
from tests.subject.gradients import Recording, grads
from tests.subject.inputs import Input
from tests.subject.observation import Observation, ObservedOutput, Raised, same_bytes
from tests.subject.paths import load
from tests.subject.reading import attribute, numbers, observed
from tests.subject.state_dicts import Loading, Source, made
from tests.subject.subject import Subject
from tests.subject.surroundings import CHECKED_AFTER_A_CALL, restore, settings

SETTING_CHANGED = "SettingChanged"
"""The exception class that an observation gets if a step raises nothing but leaves a setting of torch
changed. A path may change settings, so a step on a path never gets it."""

Factory = Callable[..., Any]
"""The class under test, or a function that constructs it."""


def construct(factory: Factory, config: Config, dtype: str, device: Device = HERE) -> Any:
    """Call ``factory`` with BatchNorm2d's arguments, on the device; raises whatever it raises."""
    if config.call == "positional":
        module = factory(config.num_features, *(value for _, value in config.passed()))
    else:
        arguments: Dict[str, object] = dict(config.passed())
        if config.call == "dtype":
            made = factory(config.num_features, dtype=getattr(torch, dtype), **arguments)
            return device.move(made)
        module = factory(config.num_features, **arguments)
    module = device.move(module)
    return module if dtype == "float32" else module.to(getattr(torch, dtype))


class LiveModule:
    """A subject in the middle of a program."""

    def __init__(
        self,
        factory: Factory,
        config: Config,
        variant: Variant,
        device: Device = HERE,
        path: Optional[Callable[[], Any]] = None,
    ) -> None:
        """Constructs the module; raises whatever the constructor raises. ``path``: None for a call."""
        self.factory = factory
        self._new_path, self.path = path, path and path()
        self.config = config
        self.variant = variant
        self.device = device
        before = settings()
        self.module = construct(factory, config, variant.module_dtype, device)
        self._changed: Tuple[str, ...] = restore(before)  # shown by the next step
        self.dtype = variant.module_dtype
        self._before: Tuple[Any, ...] = (None,) * len(TENSORS)
        self._earlier: Optional[Tuple[torch.Tensor, np.ndarray]] = None
        self.seen: Dict[str, Any] = {}
        self.recordings: List[Recording] = []
        self.gradients: List[torch.Tensor] = []

    def perform(self, step: Optional[Step]) -> Observation:
        """Perform ``step`` (None: nothing, after construction) and observe the module."""
        self.seen = {"output": None, "raised": None}
        before = settings()
        try:
            if step is not None:
                ACTIONS[type(step)](self, step)
                self.device.wait()
        except Exception as error:  # whatever the subject raises is the observation
            self.seen["raised"] = Raised(type(error).__name__, str(error))
        changed, self._changed = (*self._changed, *restore(before)), ()
        if changed and self.path is None and self.seen["raised"] is None:
            self.seen["raised"] = Raised(SETTING_CHANGED, f"changed: {', '.join(changed)}")
        tensors = tuple([attribute(self.module, name) for name in TENSORS])
        same = tuple([new is old for new, old in zip(tensors, self._before)])
        self._before = tensors
        return Observation(
            tensors=tuple([observed(tensor, self.device) for tensor in tensors]),
            same_objects=same,
            flags=tuple([attribute(self.module, name) for name in FLAGS]),
            grads=grads([*self._inputs(), *zip(TENSORS, tensors)], self.device),
            **self.seen,
        )

    def _inputs(self) -> List[Tuple[str, Any]]:
        """Return the input of the last forward that returned an output, if there is one."""
        return [("input", each.leaves[0]) for each in self.recordings[:1]]

    def forward(self, step: Forward) -> None:
        """Call ``module(batch)`` with a new input tensor."""
        given = Input(batch(self.variant, step.batch), self.device)
        self._called = partial(self.path.forward, self.module) if self.path else self.module
        leaf = given.tensor
        if step.way in WITH_GRADIENT:
            leaf = leaf.detach().requires_grad_()
        leaves = (leaf, attribute(self.module, "weight"), attribute(self.module, "bias"))
        try:
            with CONTEXTS[step.way]():
                handed = HANDED[step.way](leaf) if step.way in HANDED else leaf
                if step.way == "detached":  # no step differentiates with respect to the tensor before it
                    leaves = (handed, *leaves[1:])
                before = settings(CHECKED_AFTER_A_CALL)
                output = self._hooked(leaf) if step.way == "hooked" else self._called(handed)
                self._changed += restore(before)
            self.seen["output"] = self.observed_output(output, given)
            self.recordings = [Recording(given.batch, output, leaves), *self.recordings[:2]]
        finally:
            self.seen["input_changed"] = self.seen.get("input_changed", False) or given.changed()
        if step.way in OVERWRITTEN:
            (output if step.way == "output_overwritten" else leaf).detach().zero_()
            self._earlier = output, numbers(output).copy()

    def _hooked(self, leaf: torch.Tensor) -> Any:
        """Call the module with hooks on it; the text names the hooks that were called."""
        with Hooks(self.module) as hooks:
            output = self._called(leaf)
        self.seen["text"] = " ".join(hooks.called)
        return output

    def observed_output(self, output: Any, given: Input) -> ObservedOutput:
        """Observe an output, and whether the output before it has changed since."""
        kept = numbers(output).copy()
        earlier, self._earlier = self._earlier, (output, kept)
        return ObservedOutput(
            values=kept,
            dtype=self.device.dtype_of(output),
            contiguous=output.is_contiguous(),
            channels_last=output.dim() == 4
            and output.is_contiguous(memory_format=torch.channels_last),
            requires_grad=output.requires_grad,
            shares_input=output.numel() > 0 and output.data_ptr() == given.tensor.data_ptr(),
            earlier_output_changed=earlier is not None
            and not same_bytes(numbers(earlier[0]), earlier[1]),
        )

    def copy(self, step: Copy) -> None:
        """Replace the module by a copy, and note which tensors share memory with the original."""
        original = self.module
        if step.how == "deepcopy":
            renewed = copy.deepcopy(original)
        elif step.how == "pickle":
            renewed = pickle.loads(pickle.dumps(original))
        elif step.how == "copy":
            renewed = copy.copy(original)
        else:
            renewed = construct(self.factory, self.config, self.dtype, self.device)
            renewed.load_state_dict(original.state_dict())
            renewed.train(bool(original.training))
            renewed.training = original.training  # which may be no bool, and train takes none else
        self.module = renewed
        self.path = self._new_path and self._new_path()
        pairs = {name: (attribute(renewed, name), attribute(original, name)) for name in TENSORS}
        self.seen["shared"] = tuple(
            name
            for name, pair in pairs.items()
            if all(isinstance(each, torch.Tensor) for each in pair)
            and pair[0].data_ptr() == pair[1].data_ptr()
        )

    def show(self, step: Show) -> None:
        """Ask the module, or its class, for a text."""
        self.seen["text"] = descriptions.TEXTS[step.what](self.module, self.factory)

    def convert(self, step: Convert) -> None:
        """Convert the module."""
        conversions.convert(self.module, step.how)
        self.dtype = CONVERSIONS[step.how] or self.dtype

    def load(self, step: LoadStateDict) -> None:
        """Load a state dict, and note whether the load changed the state dict."""
        contents = TABLE[step.what]
        held = tuple(self.module.state_dict())
        source = Source(made(contents, held, self.new_tensor, self.device))
        try:
            self.seen["text"] = Loading(self.module, contents, source, self.device).perform()
        finally:
            self.seen["input_changed"] = source.changed()
        if contents.assign:
            self.dtype = contents.entries[0].dtype or self.dtype

    def new_tensor(self, name: str) -> torch.Tensor:
        """Return the tensor that is attached or loaded as ``name``."""
        if name == COUNTER:
            return self.device.to(torch.tensor(ATTACHED_COUNT, dtype=torch.long))
        values = torch.from_numpy(attached(name, self.config.num_features).copy())
        return self.device.to(values.to(getattr(torch, self.dtype)))


def _forwards(live: LiveModule, step: Forwards) -> None:
    for each in forwards(step):
        live.forward(each)


ACTIONS: Dict[Type[Step], Callable[..., object]] = {
    Forward: LiveModule.forward,
    Forwards: _forwards,
    Copy: LiveModule.copy,
    LoadStateDict: LiveModule.load,
    Show: LiveModule.show,
    Convert: LiveModule.convert,
    **DIFFERENTIATIONS,
    **ATTRIBUTE_ACTIONS,
}
"""Maps the type of a step to the function that performs it."""


def eager(
    factory: Factory, name: Optional[str] = None, promise: str = MODULE, device: Device = HERE
) -> Subject:
    """Return the subject that a class is when it is called as usual.

    ``name``: as given to ``--subject``; by default that of the class. On the CPU, torch's own class and a
    class with an attribute ``sums_exactly`` that is True sum exactly. Its attribute ``implementation`` is
    its name and version in reports.
    """
    own = factory is torch.nn.BatchNorm2d
    return Subject(
        name=name or (DEFAULT if own else _name(factory)),
        observe=lambda case: observe(case, factory, device),
        promise=promise,
        device=device.name,
        contract=device.contract,
        models=device.models,
        sums_exactly=device is HERE and (own or bool(getattr(factory, "sums_exactly", False))),
        implementation=getattr(factory, "implementation", None),
    )


def _name(factory: Factory) -> str:
    """Return the name of a class as --subject has it."""
    return f"{getattr(factory, '__module__', '')}:{getattr(factory, '__qualname__', repr(factory))}"


def observe(case: Case, factory: Factory, device: Device = HERE) -> List[Observation]:
    """Observe the subject after construction and after every step.

    If the module cannot be constructed there is one observation, with the exception alone.
    """
    path = None if case.path == EAGER else load(case.path)
    factory = factory if path is None else path.factory(factory)
    try:
        live = LiveModule(factory, case.config, case.variant, device, path)
    except Exception as error:  # whatever the subject raises is the observation
        return [Observation(None, Raised(type(error).__name__, str(error)), (), (), ())]
    return [live.perform(step) for step in (None, *case.steps)]
