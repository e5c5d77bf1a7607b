"""The deviations of backwards: buffers that a later forward has updated, a bias without a weight,
statistics that are taken for constants."""

from __future__ import annotations

import dataclasses

from cases.derivatives import Backward, Double, Nested
from oracle.deviations.situation import Situation, with_derivatives
from oracle.expected_derivatives import THIRD, ExpectedDerivative
from oracle.state import Expected, ExpectedError

UNDEFINED = ExpectedError("RuntimeError", "Expected a (proper Tensor but got None|Tensor of type)")


def eval_backward_reads_current_buffers(right: Expected, situation: Situation) -> Expected:
    """The backward of an eval-mode forward reads the present values of the running buffers, and of a
    weight that was written unseen by autograd."""
    if right.gradients is None or not isinstance(situation.step, Backward):
        return right
    graph = situation.before.graphs[int(situation.step.earlier)]
    output = graph.output
    current = {saved.name: saved.numbers for saved in graph.saved}
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
    found = right.derivatives
    if not isinstance(situation.step, Double) or not any("bias" in each.differentiated for each in found):
        return right
    output = found[0].output
    if output.weight is not None or not output.batch.values.size:
        return right
    if "input" in found[0].differentiated:
        return dataclasses.replace(right, derivatives=(), error=UNDEFINED)
    nothing = tuple(dataclasses.replace(each, differentiated=()) for each in found)
    return dataclasses.replace(right, derivatives=nothing)


def third_derivative_of_constant_statistics(right: Expected, situation: Situation) -> Expected:
    """A third derivative in train mode takes mean and inverse deviation for constants of the input."""

    def seen(each: ExpectedDerivative) -> ExpectedDerivative:
        if each.kind != THIRD or each.name != "input" or not each.output.batch_statistics:
            return each
        return dataclasses.replace(each, statistics_constant=True)

    return with_derivatives(right, seen)


def derivative_of_tangent_of_constant_statistics(right: Expected, situation: Situation) -> Expected:
    """The derivative of a tangent in train mode takes mean and inverse deviation for constants."""
    step, found = situation.step, right.derivatives
    if not isinstance(step, Nested) or step.way == "func_jvp_vjp" or not found:
        return right
    output = found[0].output
    if not output.batch_statistics or not output.batch.values.size:
        return right
    seen = dataclasses.replace(found[0], statistics_constant=True, forward=step.way == "func_jvp_jvp")
    return dataclasses.replace(right, derivatives=(seen,))
