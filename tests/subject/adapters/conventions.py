"""Clauses about running statistics, for conventions that frameworks document and torch does not share.

A clause says exactly what is seen instead: later steps, such as a forward in eval mode, follow from it.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Iterator, NamedTuple, Optional

import numpy as np

from cases.inputs import Batch, batch
from cases.steps import forwards
from oracle.numerics import bounds
from oracle.numerics.budgeted import Budgeted
from oracle.numerics.formats import FORMATS
from oracle.numerics.moving_average import moving_average
from oracle.numerics.statistics import by_channel, statistics
from oracle.state import Expected, State, Tensor
from tests.subject.contract import Circumstances, Clause


def same(momentum: float) -> float:
    """Return the momentum: the factor of the batch is the number that was given."""
    return momentum


def float32_complement(momentum: float) -> float:
    """Return the factor of the batch where 1 - momentum is kept as a float32, and subtracted from 1."""
    return 1.0 - float(np.float32(1.0 - momentum))


class Convention(NamedTuple):
    """How a framework computes the statistics of a batch, averages them, and normalises.

    ``biased``: the running variance averages the biased variance. ``factor``: a function from torch's
    momentum to the factor of the batch. ``textbook``: the variance is mean(x**2) - mean(x)**2, which
    cancels where the mean is large. ``float32_eps``: eps is rounded to float32.
    """

    biased: bool = False
    factor: Callable[[float], float] = same
    textbook: bool = False
    float32_eps: bool = False

    def average_clause(self, reason: str, source: str) -> Clause:
        """Return the clause of the average, for every forward that updates the running statistics."""
        return Clause("running_statistics", reason, source, when=_updates, instead=self._instead)

    def textbook_clause(self, reason: str, source: str) -> Clause:
        """Return the clause of the textbook formula: it applies to a batch on which the formula shows."""
        return Clause("textbook_variance", reason, source, when=_cancels, instead=self._instead)

    def eps_clause(self, reason: str, source: str) -> Clause:
        """Return the clause of eps, for forwards in float64.

        In float32 the rounding of eps is no more than that of the arithmetic.
        """
        return Clause("float32_eps", reason, source, when=_in_float64, instead=self._instead)

    def _instead(self, right: Expected, there: Circumstances) -> Expected:
        """Return what is seen instead of ``right``."""
        state, output = self._averaged(right.state, there), right.output
        if output is None or not output.batch.values.size:
            return dataclasses.replace(right, state=state)
        if self.textbook and output.batch_statistics:
            variance = textbook_variance(output.batch, output.variance)
            output = dataclasses.replace(output, variance=variance)
        if self.float32_eps:
            output = dataclasses.replace(output, eps=float(np.float32(output.eps)))
        graphs = (state.graphs[0]._replace(output=output), *state.graphs[1:])
        return dataclasses.replace(right, output=output, state=state.changed(graphs=graphs))

    def _averaged(self, state: State, there: Circumstances) -> State:
        """Return the state after the step with the running statistics of this convention."""
        before = there.before
        factor = self.factor(before.momentum)
        for name in ("running_mean", "running_var") if _updates(there) else ():
            numbers, tensor = before.entry(name).numbers, state.entry(name)
            for given in _batches(there):
                new = self._statistic(name, given)
                numbers = moving_average(numbers, new, factor, FORMATS[state.dtype], exact=False)
            assert isinstance(tensor, Tensor)
            state = state.written(tensor.updated(numbers))
        return state

    def _statistic(self, name: str, given: Batch) -> Budgeted:
        found = statistics(given, False)
        if name == "running_mean":
            return found.mean
        biased = found.biased_variance
        if self.textbook:
            biased = textbook_variance(given, biased)
        if self.biased:
            return biased
        scale = found.count / (found.count - 1)
        return Budgeted(found.unbiased_variance.values, biased.budget * scale, biased.nonnegative)


def textbook_variance(given: Batch, variance: Budgeted) -> Budgeted:
    """Return the biased variance with the error that mean(x**2) - mean(x)**2, at least 0, may have.

    Both terms are about mean(x**2) in size. The first has k + 1 roundings, the second twice the mean's
    k + 1 and that of the square, and the difference has one more. Where half of the variance may be lost,
    or the squares overflow, anything conforms.
    """
    fmt = FORMATS[given.dtype].arithmetic
    channels = by_channel(given.values)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.square(channels).mean(axis=1)
        roundings = 3 * bounds.depth(channels.shape[1]) + 5
        budget = variance.budget + bounds.gamma(roundings, fmt.unit) * squares
        lost = (budget > variance.values / 2) & (squares > fmt.tiny)
        lost |= squares * channels.shape[1] > fmt.largest
    lost &= np.isfinite(variance.values)
    return dataclasses.replace(variance, budget=np.where(lost, np.inf, budget))


def _batches(there: Circumstances) -> Iterator[Batch]:
    """Yield the batches of a step that have values, none for a step that is no forward."""
    for each in () if there.step is None else forwards(there.step):
        given = batch(there.case.variant, each.batch)
        if given.values.size:
            yield given


def _updates(there: Circumstances) -> bool:
    """Whether the step is a forward that updates both running statistics, with a factor that is not 0."""
    before: Optional[State] = there.before
    if before is None or not (before.training and before.track_running_stats and before.momentum):
        return False
    there_are = before.running_mean is not None and before.running_var is not None
    return there_are and next(_batches(there), None) is not None


def _in_float64(there: Circumstances) -> bool:
    """Whether the step is a forward in float64."""
    return there.case.variant.input_dtype == "float64" and next(_batches(there), None) is not None


def _cancels(there: Circumstances) -> bool:
    """Whether the step is a train-mode forward on a batch whose mean is large beside its spread."""
    before: Optional[State] = there.before
    if before is None or not before.training:
        return False
    return any(_large_mean(each) for each in _batches(there))


def _large_mean(given: Batch) -> bool:
    found = statistics(given, False)
    with np.errstate(over="ignore", invalid="ignore"):
        return bool((np.square(found.mean.values) > 100 * found.biased_variance.values).any())
