"""Where torch is wrong: the oracle is right, the release is not, and exactly how is written down.

A defect is described by the circumstances in which it shows, and by a function from what is right to
what is seen instead. In these circumstances a case must show the defect, exactly, and is reported as a
known defect, never as a pass; a defect that is gone, or has changed, fails the run.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Callable, NamedTuple, Optional, Tuple, Union

import numpy as np

from cases.inputs import batch
from cases.steps import Backward, Forward
from cases.variants import Variant
from oracle import outputs
from oracle.batch_norm import average_factor
from oracle.numerics.budgeted import Budgeted, constant
from oracle.numerics.formats import FORMATS
from oracle.numerics.moving_average import moving_average
from oracle.numerics.normalisation import ExpectedOutput
from oracle.numerics.plain_sums import channels_last_statistics, contiguous_statistics
from oracle.numerics.statistics import Statistics
from oracle.semantics import Release, Rules, Semantics
from oracle.state import Expected, ExpectedError, State, Tensor


class Situation(NamedTuple):
    """Where a forward or backward takes place: the module before it, the step, and what runs it."""

    before: State
    step: Union[Forward, Backward]
    variant: Variant
    semantics: Semantics
    threads: int


Deviation = Callable[[Expected, Situation], Expected]
"""What is right to what is seen; the argument itself outside of the circumstances."""


@dataclass(frozen=True)
class Defect:
    """One known defect.

    ``first``, ``last``: releases, both included, None for the ends of the table. ``circumstances``:
    when it shows. ``instead``: what torch does. ``source``: an issue, or "found by this suite".
    ``avoid``: what a user can do.
    """

    name: str
    first: Optional[Release]
    last: Optional[Release]
    circumstances: str
    instead: str
    source: str
    avoid: str
    deviation: Deviation

    def on(self, release: Release) -> bool:
        """Whether the release has this defect."""
        if self.first is not None and release < self.first:
            return False
        return self.last is None or release <= self.last


def _empty_input_unchecked(right: Expected, situation: Situation) -> Expected:
    step = situation.step
    refused = right.error is not None and "should contain" in right.error.pattern
    if not refused or not isinstance(step, Forward):
        return right
    given = batch(situation.variant, step.batch)
    if given.values.size:
        return right
    rules = Rules(situation.semantics)
    zero = constant(0.0, given.values.shape[1])
    output = ExpectedOutput(
        batch=given,
        mean=zero,
        variance=zero,
        weight=None,
        bias=None,
        eps=1.0,
        batch_statistics=True,
        strides=outputs.strides(given, True, rules),
        requires_grad=bool(
            outputs.trainable(situation.before, given, step.grad, rules)
        ),
    )
    return dataclasses.replace(right, output=output, error=None)


def _zero_features_raise(right: Expected, situation: Situation) -> Expected:
    if right.output is None or situation.before.config.num_features:
        return right
    error = ExpectedError("IndexError", "index 0 out of range for tensor of size .0.")
    return dataclasses.replace(right, output=None, error=error)


def _overflowing_variance_zeroes_output(right: Expected, situation: Situation) -> Expected:
    output = right.output
    if output is None or not output.batch_statistics:
        return right
    overflows = output.variance.values > FORMATS[output.dtype].largest
    if not overflows.any():
        return right
    weight = output.weight or constant(1.0, output.shape[1])
    zeroed = Budgeted(np.where(overflows, 0.0, weight.values), weight.budget)
    return dataclasses.replace(right, output=dataclasses.replace(output, weight=zeroed))


def _channels_last_plain_sums(right: Expected, situation: Situation) -> Expected:
    output = right.output
    if output is None or output.batch.layout != "channels_last" or not output.batch_statistics:
        return right
    _, channels, height, width = output.shape
    if not output.batch.values.size or channels == 1 or height * width == 1:
        return right
    found = channels_last_statistics(output.batch, situation.threads)
    return _with_statistics(right, output, situation.before, found)


def _contiguous_float64_plain_sums(right: Expected, situation: Situation) -> Expected:
    output = right.output
    if output is None or output.dtype != "float64" or not output.batch_statistics:
        return right
    if not output.batch.values.size or output.batch.layout != "contiguous":
        return right
    return _with_statistics(right, output, situation.before, contiguous_statistics(output.batch))


def _with_statistics(
    right: Expected, output: ExpectedOutput, before: State, found: Statistics
) -> Expected:
    """The forward normalised by, and the running buffers updated with, other batch statistics."""
    factor = average_factor(right.state)

    def updated(name: str, new: Budgeted) -> Optional[Tensor]:
        old, after = before.entry(name), right.state.entry(name)
        if not isinstance(old, Tensor) or not isinstance(after, Tensor):
            return None
        if after.numbers is old.numbers:
            return after
        assert isinstance(factor, (int, float))
        fmt = FORMATS[right.state.dtype]
        return after.updated(moving_average(old.numbers, new, float(factor), fmt, exact=False))

    seen = dataclasses.replace(output, mean=found.mean, variance=found.biased_variance)
    graph, *earlier = right.state.graphs
    state = right.state.changed(
        graphs=(graph._replace(output=seen), *earlier),
        running_mean=updated("running_mean", found.mean),
        running_var=updated("running_var", found.unbiased_variance),
    )
    return dataclasses.replace(right, output=seen, state=state)


def _eval_backward_reads_current_buffers(right: Expected, situation: Situation) -> Expected:
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


DEFECTS: Tuple[Defect, ...] = (
    Defect(
        "empty_input_unchecked",
        None,
        None,
        "an input without elements whose number of channels is not the module's",
        "The input is accepted whatever its number of channels, and is counted.",
        "#72821",
        "Check x.shape[1] == module.num_features before an input that may be empty.",
        _empty_input_unchecked,
    ),
    Defect(
        "zero_features_raise",
        (1, 5),
        None,
        "BatchNorm2d(0)",
        "It can be constructed, but a forward counts and then raises IndexError.",
        "#72821, found by this suite to begin with 1.5",
        "Leave the layer out when there are no channels.",
        _zero_features_raise,
    ),
    Defect(
        "overflowing_variance_zeroes_output",
        (1, 10),
        None,
        "batch statistics of a channel whose variance exceeds the dtype's largest number",
        "The output of the channel is the bias alone.",
        "#162489, PR #178123",
        "Scale inputs down, or normalise in float64.",
        _overflowing_variance_zeroes_output,
    ),
    Defect(
        "overflowing_variance_zeroes_output",
        None,
        (1, 8),
        "batch statistics of a channel whose variance exceeds the dtype's largest number",
        "As on 1.10 and later; 1.9 alone is right.",
        "#162489, found by this suite to be right on 1.9",
        "Scale inputs down, or normalise in float64.",
        _overflowing_variance_zeroes_output,
    ),
    Defect(
        "channels_last_plain_sums",
        (1, 10),
        None,
        "batch statistics of a channels_last input, any dtype; it shows where the values of a channel are "
        "many and nearly equal, and depends on the number of threads",
        "Each thread sums in the input's dtype value by value: over 102,400 times 0.3 in float32 the "
        "mean comes out as about 0.3003, thousands of ulps from the contiguous result, which is right "
        "to the last.",
        "found by this suite",
        "Call .contiguous() before a large channels_last input in train mode.",
        _channels_last_plain_sums,
    ),
    Defect(
        "contiguous_float64_plain_sums",
        None,
        None,
        "batch statistics of a contiguous float64 input; it shows where the values of a channel are many "
        "and equal",
        "The kernel sums in float64 value by value: over 4,096 times 101.1 the mean is off by 70 units in "
        "the last place. In float32 it sums in float64, and is right to the last.",
        "found by this suite",
        "Nothing to do: the relative error stays below 1e-13.",
        _contiguous_float64_plain_sums,
    ),
    Defect(
        "eval_backward_reads_current_buffers",
        None,
        None,
        "an eval-mode forward, a train-mode forward of the same module, then the backward of the first",
        "The train-mode forward updates the running buffers in place, which autograd does not see; the "
        "backward normalises with the buffers as they are by then, and gives wrong gradients.",
        "#13402",
        "Call backward before the next train-mode forward, or rebind the buffers to clones before it.",
        _eval_backward_reads_current_buffers,
    ),
)
