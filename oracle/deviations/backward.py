"""The deviation of a backward that reads buffers which a later forward has updated."""

from __future__ import annotations

import dataclasses

from cases.steps import Backward
from oracle.deviations.situation import Situation
from oracle.state import Expected, Tensor


def eval_backward_reads_current_buffers(right: Expected, situation: Situation) -> Expected:
    """The backward of an eval-mode forward reads the running buffers as they are by then."""
    if right.gradients is None or not isinstance(situation.step, Backward):
        return right
    graph = situation.before.graphs[int(situation.step.earlier)]
    if graph.output.batch_statistics:
        return right
    numbers = {}
    for saved in graph.saved:
        tensor = situation.before.entry(saved.name)
        if isinstance(tensor, Tensor) and tensor.identity is saved.identity:
            numbers[saved.name] = tensor.numbers
    mean = numbers.get("running_mean", graph.output.mean)
    variance = numbers.get("running_var", graph.output.variance)
    if mean is graph.output.mean and variance is graph.output.variance:
        return right
    seen = dataclasses.replace(graph.output, mean=mean, variance=variance)
    gradients = tuple(
        None if each is None else dataclasses.replace(each, output=seen) for each in right.gradients
    )
    return dataclasses.replace(right, gradients=gradients)
