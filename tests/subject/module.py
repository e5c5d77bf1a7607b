"""Drives one live module: performs steps, and observes everything after each."""

from __future__ import annotations

import copy
import pickle
from typing import Any, Callable, Dict, List, Optional, Tuple, Type

import numpy as np
import torch

from cases.attributes import FLAGS, TENSORS
from cases.case import Case
from cases.construction import Config
from cases.inputs import attached, batch, upstream
from cases.state_dicts import TABLE
from cases.steps import (
    CONVERSIONS,
    Accumulate,
    Backward,
    Convert,
    Copy,
    Double,
    Forward,
    Forwards,
    LoadStateDict,
    Show,
    Step,
    forwards,
)
from cases.variants import ATTACHED_COUNT, Variant
from tests.subject import conversions
from tests.subject.attributes import ATTRIBUTE_ACTIONS
from tests.subject.gradients import Recording, gradients, grads, seconds
from tests.subject.inputs import Input
from tests.subject.observation import Observation, ObservedOutput, Raised, same_bytes
from tests.subject.reading import attribute, dtype_name, numbers, observed
from tests.subject.state_dicts import Loading, Source, made

Factory = Callable[..., Any]
"""The class under test, or a function that constructs it."""


def construct(factory: Factory, config: Config, dtype: str) -> Any:
    """Call ``factory`` with BatchNorm2d's arguments; raises whatever it raises."""
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
        self._earlier: Optional[Tuple[torch.Tensor, np.ndarray]] = None
        self._seen: Dict[str, Any] = {}
        self._recordings: List[Recording] = []
        self._gradients: List[torch.Tensor] = []

    def perform(self, step: Optional[Step]) -> Observation:
        """Perform ``step`` (None: nothing, after construction) and observe the module."""
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
            grads=grads([*self._inputs(), *zip(TENSORS, tensors)]),
            **self._seen,
        )

    def _inputs(self) -> List[Tuple[str, Any]]:
        """Return the input of the last forward that returned an output, if there is one."""
        return [("input", each.leaves[0]) for each in self._recordings[:1]]

    def forward(self, step: Forward) -> None:
        """Call ``module(batch)`` with a new input tensor."""
        given = Input(batch(self.variant, step.batch))
        leaf = given.tensor.detach().requires_grad_() if step.grad == "input_grad" else given.tensor
        leaves = (leaf, attribute(self.module, "weight"), attribute(self.module, "bias"))
        try:
            with CONTEXTS[step.grad]():
                output = self._hooked(leaf) if step.grad == "hooked" else self.module(leaf)
            self._seen["output"] = self._observed_output(output, given)
            self._recordings = [Recording(given.batch, output, leaves), *self._recordings[:1]]
        finally:
            self._seen["input_changed"] = self._seen.get("input_changed", False) or given.changed()

    def _hooked(self, leaf: torch.Tensor) -> Any:
        """Call the module with hooks on it; the text names the hooks that were called."""
        with conversions.Hooks(self.module) as hooks:
            output = self.module(leaf)
        self._seen["text"] = " ".join(hooks.called)
        return output

    def backward(self, step: Backward) -> None:
        """Call ``torch.autograd.grad`` of an output, with a new upstream gradient tensor."""
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

    def accumulate(self, step: Accumulate) -> None:
        """Call ``output.backward`` of the last output, with a new upstream gradient tensor."""
        if not self._recordings:
            raise LookupError("no forward has returned an output")
        recording = self._recordings[0]
        given = Input(upstream(self.variant, recording.given, step.upstream))
        try:
            recording.output.backward(given.tensor, retain_graph=step.retain)
        finally:
            self._seen["input_changed"] = given.changed()

    def double(self, step: Double) -> None:
        """Differentiate the gradients of the last output, in fixed directions."""
        if not self._recordings:
            raise LookupError("no forward has returned an output")
        recording = self._recordings[0]
        given = Input(upstream(self.variant, recording.given, step.upstream))
        along = Input(upstream(self.variant, recording.given, step.direction))
        vectors = (self.new_tensor("weight"), self.new_tensor("bias"))
        try:
            self._seen["seconds"] = seconds(recording, given.tensor, (along.tensor, *vectors))
        finally:
            self._seen["input_changed"] = given.changed() or along.changed()

    def _observed_output(self, output: Any, given: Input) -> ObservedOutput:
        """Observe an output, and whether the output before it has changed since."""
        kept = numbers(output).copy()
        earlier, self._earlier = self._earlier, (output, kept)
        return ObservedOutput(
            values=kept,
            dtype=dtype_name(output.dtype),
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
        """Ask the module for a text."""
        self._seen["text"] = conversions.TEXTS[step.what](self.module)

    def convert(self, step: Convert) -> None:
        """Convert the module; earlier outputs are not differentiated after it."""
        conversions.convert(self.module, step.how)
        self.dtype = CONVERSIONS[step.how]
        self._recordings = []

    def load(self, step: LoadStateDict) -> None:
        """Load a state dict, and note whether the load changed the state dict."""
        contents = TABLE[step.what]
        source = Source(made(contents, tuple(self.module.state_dict()), self.new_tensor))
        try:
            self._seen["text"] = Loading(self.module, contents, source).perform()
        finally:
            self._seen["input_changed"] = source.changed()
        if contents.assign:
            self.dtype = contents.entries[0].dtype or self.dtype

    def new_tensor(self, name: str) -> torch.Tensor:
        """Return the tensor that is attached or loaded as ``name``."""
        if name == "num_batches_tracked":
            return torch.tensor(ATTACHED_COUNT, dtype=torch.long)
        values = torch.from_numpy(attached(name, self.config.num_features).copy())
        return values.to(getattr(torch, self.dtype))


def _forwards(live: LiveModule, step: Forwards) -> None:
    for each in forwards(step):
        live.forward(each)


ACTIONS: Dict[Type[Step], Callable[..., None]] = {
    Forward: LiveModule.forward,
    Backward: LiveModule.backward,
    Accumulate: LiveModule.accumulate,
    Double: LiveModule.double,
    Forwards: _forwards,
    Copy: LiveModule.copy,
    LoadStateDict: LiveModule.load,
    Show: LiveModule.show,
    Convert: LiveModule.convert,
    **ATTRIBUTE_ACTIONS,
}
"""Maps the type of a step to the function that performs it."""

CONTEXTS: Dict[str, Callable[[], Any]] = {
    "grad": torch.enable_grad,
    "input_grad": torch.enable_grad,
    "hooked": torch.enable_grad,
    "no_grad": torch.no_grad,
    "inference": lambda: torch.inference_mode(),  # some releases of torch lack it
}
"""Maps a word of ``cases.steps.GRADS`` to the context in which a forward is called."""


def observe(case: Case, factory: Factory) -> List[Observation]:
    """Observe the subject after construction and after every step.

    If the module cannot be constructed there is one observation, with the exception alone.
    """
    try:
        live = LiveModule(factory, case.config, case.variant)
    except Exception as error:  # whatever the subject raises is the observation
        return [Observation(None, Raised(type(error).__name__, str(error)), (), (), ())]
    return [live.perform(step) for step in (None, *case.steps)]
