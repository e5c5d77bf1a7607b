"""Performs a program on an adapter and observes it, in the terms of the verdict. Needs no torch."""

from __future__ import annotations

import pickle
from typing import Any, Callable, Dict, List, Optional, Tuple, Type

import numpy as np

from cases.attributes import COUNTER, FLAGS, FLOATING, TENSORS
from cases.case import Case
from cases.derivatives import GRADIENTS, Backward
from cases.inputs import Batch, attached, batch, preset, upstream
from cases.state_dicts import TABLE
from cases.steps import (
    CONVERSIONS,
    Attach,
    Convert,
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
    Step,
    forwards,
)
from cases.variants import ATTACHED_COUNT
from tests.subject.adapter import Adapter
from tests.subject.foreign import said
from tests.subject.observation import (
    Observation,
    ObservedGradient,
    ObservedOutput,
    ObservedTensor,
    Raised,
)

NUMERIC = "fiub"
"""NumPy's kinds of arrays of numbers."""


def construct(adapter: Type[Adapter], case: Case) -> Adapter:
    """Make a layer with the case's configuration; raises whatever the constructor raises."""
    config = case.config
    switches = {
        "affine": config.affine,
        "track_running_stats": config.track_running_stats,
        "bias": config.bias is not False,
    }
    offered = {name: value for name, value in switches.items() if name in adapter.offers}
    return adapter(
        config.num_features,
        eps=config.eps,
        momentum=config.momentum,
        dtype=case.variant.dtype,
        **offered,
    )


class Driven:
    """An adapter in the middle of a program."""

    def __init__(self, adapter: Type[Adapter], case: Case, flags: bool) -> None:
        """Constructs the layer; raises whatever the constructor raises.

        ``flags``: the flags are observed, too.
        """
        self.adapter = adapter
        self.case = case
        self.layer = construct(adapter, case)
        self.training = True
        self._flags = flags
        self._seen: Dict[str, Any] = {}
        self._recordings: List[Tuple[Batch, str]] = []
        self._earlier: Optional[Tuple[np.ndarray, bytes]] = None

    def perform(self, step: Optional[Step]) -> Observation:
        """Perform ``step`` (None: nothing, after construction) and observe the layer."""
        self._seen = {"output": None, "raised": None}
        try:
            if step is not None:
                with np.errstate(all="ignore"):  # some inputs are not finite, on purpose
                    ACTIONS[type(step)](self, step)
        except Exception as error:  # whatever the subject raises is the observation
            self._seen["raised"] = Raised(type(error).__name__, str(error))
        return Observation(
            tensors=tuple(self._tensor(name) for name in TENSORS),
            same_objects=(False,) * len(TENSORS),
            flags=tuple(self._flag(name) for name in FLAGS),
            **self._seen,
        )

    def _tensor(self, name: str) -> Optional[ObservedTensor]:
        if name == COUNTER and "counter" not in self.adapter.offers:
            return None
        try:
            values = self.layer.read(name)
            return None if values is None else ObservedTensor(*_taken(values), False, False)
        except Exception as error:  # reading is foreign code, too
            return ObservedTensor(np.empty(0), said(error), False, False)

    def _flag(self, name: str) -> object:
        if not self._flags:
            return None
        try:
            return self.training if name == "training" else self.layer.flag(name)
        except Exception as error:  # a flag is foreign code, too
            return said(error)

    def forward(self, step: Forward) -> None:
        """Call ``forward`` with an array of its own."""
        given = batch(self.case.variant, step.batch)
        x = np.array(given.values)
        recorded = {"record": False} if step.way == "no_grad" else {}
        y = self.layer.forward(x, self.training, **recorded)
        self._seen["input_changed"] = (
            self._seen.get("input_changed", False) or x.tobytes() != given.values.tobytes()
        )
        changed = self._earlier is not None and self._earlier[0].tobytes() != self._earlier[1]
        values, dtype = _taken(y)
        self._earlier = (np.asarray(y), np.asarray(y).tobytes())
        self._seen["output"] = ObservedOutput(values, dtype, True, True, True, False, changed)
        self._recordings = [(given, step.way), *self._recordings[:1]]

    def backward(self, step: Backward) -> None:
        """Call ``backward`` with an upstream gradient of its own; keep what torch would give."""
        given, way = self._recordings[step.earlier]
        gradient = np.array(upstream(self.case.variant, given, step.upstream).values)
        kept = gradient.tobytes()
        found = self.layer.backward(gradient, **({"earlier": True} if step.earlier else {}))
        self._seen["input_changed"] = gradient.tobytes() != kept
        if len(found) != len(GRADIENTS):
            raise TypeError(f"backward returns {len(found)} gradients; {', '.join(GRADIENTS)} are needed")
        wanted = (way == "input_grad", True, True)
        self._seen["gradients"] = tuple(
            ObservedGradient(*_taken(each), True, True, False)
            if there and each is not None
            else None
            for there, each in zip(wanted, found)
        )

    def copy(self, step: Copy) -> None:
        """Replace the layer by a copy of it."""
        if step.how == "pickle":
            self.layer = pickle.loads(pickle.dumps(self.layer))
        elif step.how == "deepcopy":
            self.layer = self.layer.copy()
        else:
            renewed = construct(self.adapter, self.case)
            renewed.load(self._state(TENSORS))
            self.layer = renewed
        self._recordings = []

    def _state(self, names: Tuple[str, ...]) -> Dict[str, np.ndarray]:
        there = names if "counter" in self.adapter.offers else FLOATING
        found = {name: self.layer.read(name) for name in names if name in there}
        return {name: np.array(values) for name, values in found.items() if values is not None}

    def load(self, step: LoadStateDict) -> None:
        """Load the entries that the layer holds, with the values that are attached under their names."""
        entries = {entry.name: entry for entry in TABLE[step.what].entries}
        held = self._state(tuple(entries))
        self.layer.load({name: self.new_values(entries[name].source) for name in held})

    def preset(self, step: Preset) -> None:
        """Write known values into every parameter and running statistic that is there."""
        for name in FLOATING:
            if self.layer.read(name) is not None:
                self.layer.write(name, np.array(preset(name, self.case.config.num_features)))

    def set_attribute(self, step: SetAttribute) -> None:
        """Set a flag; the mode is an argument of each forward."""
        if step.name == "training":
            self.training = bool(step.value)
        else:
            self.layer.set(step.name, step.value)

    def new_values(self, name: str) -> np.ndarray:
        """Return the values that are attached or loaded as ``name``."""
        if name == COUNTER:
            return np.array(ATTACHED_COUNT, dtype=np.int64)
        return np.array(attached(name, self.case.config.num_features))


def _taken(values: Any) -> Tuple[np.ndarray, str]:
    """Return a copy of an array, in float64 where NumPy lacks the dtype, and the dtype's name."""
    array = np.array(values)
    name = str(array.dtype)
    if array.dtype.kind not in NUMERIC and name != "bfloat16":
        raise TypeError(f"no array of numbers but {type(values).__name__} of {name}")
    return (array.astype(np.float64) if name == "bfloat16" else array), name


def _mode(driven: Driven, step: Mode) -> None:
    driven.training = step.training


def _forwards(driven: Driven, step: Forwards) -> None:
    for each in forwards(step):
        driven.forward(each)


def _count(driven: Driven, step: Count) -> None:
    driven.layer.write(COUNTER, np.array(step.value, dtype=np.int64))


def _attach(driven: Driven, step: Attach) -> None:
    driven.layer.write(step.name, driven.new_values(step.name))


ACTIONS: Dict[Type[Any], Callable[[Driven, Any], None]] = {
    Forward: Driven.forward,
    Forwards: _forwards,
    Backward: Driven.backward,
    Mode: _mode,
    Preset: Driven.preset,
    SetAttribute: Driven.set_attribute,
    Drop: lambda driven, step: driven.layer.drop(step.name),
    Attach: _attach,
    Count: _count,
    Reset: lambda driven, step: driven.layer.reset(step.method),
    Copy: Driven.copy,
    LoadStateDict: Driven.load,
    Convert: lambda driven, step: driven.layer.convert(CONVERSIONS[step.how]),
}
"""Maps the type of a step that an adapter may offer to the function that performs it."""


def drive(case: Case, adapter: Type[Adapter], flags: bool) -> List[Observation]:
    """Observe an adapter after construction and after every step, all of which it offers."""
    try:
        driven = Driven(adapter, case, flags)
    except Exception as error:  # whatever the subject raises is the observation
        return [Observation(None, Raised(type(error).__name__, str(error)), (), (), ())]
    return [driven.perform(step) for step in (None, *case.steps)]
