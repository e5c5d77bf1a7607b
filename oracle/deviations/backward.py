"""The deviations of backwards: buffers that a later forward has updated, a bias without a weight."""

from __future__ import annotations

import dataclasses

from cases.steps import Backward
from oracle.deviations.situation import Situation
from oracle.state import Expected, ExpectedError, Tensor

UNDEFINED = ExpectedError("RuntimeError", "Expected a (proper Tensor but got None|Tensor of type)")


def eval_backward_reads_current_buffers(right: Expected, situation: Situation) -> Expected:
    """The backward of an eval-mode forward reads the present values of the running buffers."""
    if right.gradients is None or not isinstance(situation.step, Backward):
        return right
    graph = situation.before.graphs[int(situation.step.earlier)]
    output = graph.output
    current = {}
    for saved in graph.saved:
        tensor = situation.before.entry(saved.name)
        if isinstance(tensor, Tensor) and tensor.identity is saved.identity:
            current[saved.name] = tensor.numbers
    weight = current.get("weight", output.weight)
    mean, variance = output.mean, output.variance
    if not output.batch_statistics:
        mean, variance = current.get("running_mean", mean), current.get("running_var", variance)
    if weight is output.weight and mean is output.mean and variance is output.variance:
        return right
    seen = dataclasses.replace(output, weight=weight, mean=mean, variance=variance)
    gradients = tuple(
        None if each is None else dataclasses.replace(each, output=seen) for each in right.gradients
    )
    return dataclasses.replace(right, gradients=gradients)


def double_backward_needs_weight(right: Expected, situation: Situation) -> Expected:
    """Without a weight, the bias's term of the upstream gradient's derivative is undefined.

    If the input's gradient contributes a term, torch raises; else it takes the undefined term for 0.
    """
    if not any("bias" in second.differentiated for second in right.seconds):
        return right
    output = right.seconds[0].output
    if output.weight is not None or not output.batch.values.size:
        return right
    if "input" in right.seconds[0].differentiated:
        return dataclasses.replace(right, seconds=(), error=UNDEFINED)
    nothing = tuple(dataclasses.replace(second, differentiated=()) for second in right.seconds)
    return dataclasses.replace(right, seconds=nothing)
