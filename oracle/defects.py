"""Where torch is wrong: the oracle is right, the release is not, and exactly how is written down.

A defect is described by the circumstances in which it shows, and by a function from what is right to
what is seen instead. In these circumstances a case must show the defect, exactly, and is reported as a
known defect, never as a pass; a defect that is gone, or has changed, fails the run.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Callable, NamedTuple, Optional, Tuple

import numpy as np

from cases.inputs import batch
from cases.steps import Forward
from cases.variants import Variant
from oracle import outputs
from oracle.batch_norm import average_factor
from oracle.numerics.budgeted import Budgeted, constant
from oracle.numerics.formats import FORMATS
from oracle.numerics.moving_average import moving_average
from oracle.numerics.normalisation import ExpectedOutput
from oracle.numerics.plain_sums import plain_statistics
from oracle.semantics import Release, Rules, Semantics
from oracle.state import Expected, ExpectedError, State, Tensor


class Situation(NamedTuple):
    """Where a forward takes place: the module before it, the forward, and what runs it."""

    before: State
    step: Forward
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
    if right.error is None or "should contain" not in right.error.pattern:
        return right
    given = batch(situation.variant, situation.step.batch)
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
        requires_grad=outputs.requires_grad(situation.before, given, situation.step.grad, rules),
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
    given = output.batch
    _, channels, height, width = given.values.shape
    if not given.values.size or channels == 1 or height * width == 1:
        return right
    found = plain_statistics(given, situation.threads)
    factor = average_factor(right.state)

    def updated(name: str, new: Budgeted) -> Optional[Tensor]:
        before, after = situation.before.entry(name), right.state.entry(name)
        if not isinstance(before, Tensor) or not isinstance(after, Tensor):
            return None
        if after.numbers is before.numbers:
            return after
        assert isinstance(factor, (int, float))
        fmt = FORMATS[right.state.dtype]
        return after.holding(moving_average(before.numbers, new, float(factor), fmt, exact=False))

    return dataclasses.replace(
        right,
        output=dataclasses.replace(output, mean=found.mean, variance=found.biased_variance),
        state=right.state.changed(
            running_mean=updated("running_mean", found.mean),
            running_var=updated("running_var", found.unbiased_variance),
        ),
    )


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
)
