"""Steps that differentiate an output of a live module, or call the module inside a transformation."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional, Type, Union

import torch

from cases.attributes import PARAMETERS
from cases.derivatives import (
    ALONE,
    CONSTANT,
    DOUBLES,
    Accumulate,
    Backward,
    Detach,
    Double,
    Jvp,
    Nested,
    Triple,
    Vjp,
)
from cases.inputs import batch, upstream
from cases.steps import Step
from tests.subject.gradients import (
    FurtherBackward,
    Recording,
    derivative,
    further_derivatives,
    gradients,
    observed_gradient,
)
from tests.subject.inputs import Input
from tests.subject.transforms import WAYS, Call


def _recording(live: Any, earlier: int = 0) -> Recording:
    """Return the last forward that returned an output, or an earlier one; raises LookupError."""
    if earlier >= len(live.recordings):
        raise LookupError("no forward has returned an output")
    recording: Recording = live.recordings[earlier]
    return recording


def _upstream(live: Any, recording: Recording, name: str) -> Input:
    """Return an upstream gradient or a direction, as a new tensor in the shape of the input."""
    return Input(upstream(live.variant, recording.given, name), live.device)


def _backward(live: Any, step: Backward) -> None:
    """Call ``torch.autograd.grad`` of an output."""
    recording = _recording(live, step.earlier)
    given = _upstream(live, recording, step.upstream)
    try:
        live.seen["gradients"] = gradients(recording, given.tensor, step, live.gradients, live.device)
    finally:
        live.seen["input_changed"] = given.changed()


def _accumulate(live: Any, step: Accumulate) -> None:
    """Call ``output.backward`` of the last output."""
    recording = _recording(live)
    given = _upstream(live, recording, step.upstream)
    try:
        recording.output.backward(given.tensor, retain_graph=step.retain)
    finally:
        live.seen["input_changed"] = given.changed()


def _differentiate_further(live: Any, step: Union[Double, Triple]) -> None:
    """Differentiate the gradients of the last output, in fixed directions, once or twice."""
    recording = _recording(live)
    names = (step.upstream, step.direction, *((step.along,) if isinstance(step, Triple) else ()))
    given = [_upstream(live, recording, name) for name in names]
    directions = [
        given[1].tensor,
        *(_direction(live, name, leaf) for name, leaf in zip(PARAMETERS, recording.leaves[1:])),
    ]
    along = given[2].tensor if isinstance(step, Triple) else None
    if isinstance(step, Triple):  # the bias's gradient does not depend on the input
        recording = recording._replace(leaves=(*recording.leaves[:2], None))
    differentiated = DOUBLES[step.way if isinstance(step, Double) else "double"]
    pairs = zip(DOUBLES["double"], directions)
    wanted = tuple(along if name in differentiated else None for name, along in pairs)
    way = step.way if isinstance(step, Double) else ""
    asked = FurtherBackward(given[0].tensor, wanted, along, way == ALONE, way == CONSTANT)
    try:
        live.seen["derivatives"] = further_derivatives(recording, asked, live.device)
    finally:
        live.seen["input_changed"] = any(each.changed() for each in given)


def _direction(live: Any, name: str, leaf: Optional[torch.Tensor]) -> torch.Tensor:
    """Return the direction of the gradient of a parameter, which may have another dtype by now."""
    direction: torch.Tensor = live.new_tensor(name)
    return direction if leaf is None else direction.to(leaf.dtype)


def _call_inside(live: Any, step: Union[Jvp, Vjp, Nested]) -> None:
    """Call the module inside a function that differentiates it."""
    values = batch(live.variant, step.batch)
    name = step.upstream if isinstance(step, Vjp) else step.tangent
    given = Input(values, live.device)
    along = Input(upstream(live.variant, values, name), live.device)
    parameters = {name: live.new_tensor(name) for name in PARAMETERS}
    call = Call(live.module, given.tensor, along.tensor, parameters)
    try:
        output, found = WAYS[step.way](call)
        live.seen["output"] = live.observed_output(output, given)
        if not isinstance(step, Vjp) and found is not None:
            name = "output tangent" if isinstance(step, Jvp) else "input 2nd gradient"
            live.seen["derivatives"] = ((name, derivative(found, live.device)),)
        elif found is not None:
            gradient = observed_gradient(found.detach(), (along.tensor,), live.device)
            live.seen["gradients"] = (gradient, None, None)
    finally:
        live.seen["input_changed"] = given.changed() or along.changed()


def _detach(live: Any, step: Detach) -> None:
    """Put the last output without its graph in the place of that output."""
    last = _recording(live)
    live.recordings[0] = last._replace(output=last.output.detach())


DIFFERENTIATIONS: Dict[Type[Step], Callable[..., None]] = {
    Backward: _backward,
    Accumulate: _accumulate,
    Double: _differentiate_further,
    Triple: _differentiate_further,
    Jvp: _call_inside,
    Vjp: _call_inside,
    Nested: _call_inside,
    Detach: _detach,
}
"""Maps the type of a step to the function that performs it on a ``LiveModule``."""
