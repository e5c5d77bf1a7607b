"""The situation of a step: everything that a known defect may depend on."""

from __future__ import annotations

import dataclasses
from typing import Callable, NamedTuple

from cases.steps import Step
from cases.variants import Variant
from oracle.batch_norm import hands_over_buffers
from oracle.expected_derivatives import ExpectedDerivative, ExpectedGradient
from oracle.semantics import Rules, Semantics
from oracle.state import Expected, State


class Situation(NamedTuple):
    """The situation of a step: the module before it, the step, and what runs it."""

    before: State
    step: Step
    variant: Variant
    semantics: Semantics
    threads: int

    @property
    def gaps(self) -> bool:
        """Whether a tensor that the kernel is handed has gaps in memory."""
        return self.before.gaps(hands_over_buffers(self.before, Rules(self.semantics)))


Deviation = Callable[[Expected, Situation], Expected]
"""A function from what is right to what is seen. Outside of the circumstances it returns its argument."""


def with_gradients(
    right: Expected, change: Callable[[ExpectedGradient], ExpectedGradient]
) -> Expected:
    """Return the expectation with every gradient changed, ``right`` itself if none changes."""
    found = right.gradients or ()
    seen = tuple(None if each is None else change(each) for each in found)
    if all(a is b for a, b in zip(seen, found)):
        return right
    return dataclasses.replace(right, gradients=seen)


def with_derivatives(
    right: Expected, change: Callable[[ExpectedDerivative], ExpectedDerivative]
) -> Expected:
    """Return the expectation with every derivative changed, ``right`` itself if none changes."""
    seen = tuple(map(change, right.derivatives))
    if all(a is b for a, b in zip(seen, right.derivatives)):
        return right
    return dataclasses.replace(right, derivatives=seen)
