"""Forwards and backwards whose batch_norm is decomposed into other operators."""

from __future__ import annotations

from cases.steps import FORMS, Step
from cases.variants import NARROW, Variant
from oracle.paths.ahead import MIXED_DTYPE
from oracle.paths.guards import called_as_it_is, of_several_sizes
from oracle.paths.rounding import (
    averages_infinity,
    gradients_in_16_bits,
    gradients_of_rounded_statistics,
    mean_of_infinity,
    update_in_16_bits,
)
from oracle.paths.walk import Advance, allowing, also_inside, tagged
from oracle.semantics import Semantics
from oracle.state import Expected, State

INDUCTOR_SUMS = 1024
"""The largest number of values of which inductor computes the mean from their sum, if the sizes are fixed
and there are several channels."""


def decomposed(one: Advance, path: str) -> Advance:
    """Return the function for a forward on a path that decomposes batch_norm."""

    def forward(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = one(state, step, variant, semantics)
        if called_as_it_is(state, step, variant):
            return found
        if found.output is not None:
            seen = also_inside(state, found, lambda each: _updated(path, state, each))
            return tagged(seen, "decomposed_strides")
        assert found.error is not None
        unchecked = any(each.form in FORMS for each in state.tensors())
        unchecked = unchecked or MIXED_DTYPE in found.error.pattern
        return tagged(found, "decomposed_checks") if unchecked else found

    return forward


def _updated(path: str, before: State, found: Expected) -> Expected:
    """Return the result of a forward that computes and updates the statistics by operators."""
    if found.output is None:
        return found
    inductor = path.startswith("inductor")
    seen = _of_inductor(path, before, found) if inductor else _of_var_mean(before, found)
    narrow = update_in_16_bits(before, seen)
    return seen if narrow is seen else tagged(narrow, "decomposed_update")


def _of_var_mean(before: State, found: Expected) -> Expected:
    """Return the result of a forward whose mean is computed by var_mean."""
    lost = mean_of_infinity(before, found)
    return found if lost is found else tagged(lost, "decomposed_infinity")


def _of_inductor(path: str, before: State, found: Expected) -> Expected:
    """Return the result of a forward whose mean is computed by inductor.

    Of few values inductor takes the mean from their sum, of many it combines the means of parts.
    """
    assert found.output is not None
    shape, size = found.output.shape, found.output.batch.values.size
    fixed = not path.endswith("dynamic") and not of_several_sizes(before, shape)
    summed = fixed and shape[1] > 1 and size <= INDUCTOR_SUMS * shape[1]
    lost = not summed and averages_infinity(before, found)
    return tagged(found, "inductor_infinity") if lost else found


def in_16_bits(one: Advance) -> Advance:
    """Return the function for a step; decomposed operators round the gradients of 16-bit inputs.

    What they have added to ``.grad`` stays there in later steps.
    """

    def perform(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = one(state, step, variant, semantics)
        if found.error is not None or variant.input_dtype not in NARROW:
            return found
        there = [each for each in found.gradients or () if each is not None]
        there += [part for _, grad in found.state.grads() for part in grad.parts]
        outputs = [each.output for each in there if each.output.batch.values.size]
        wide = found.state.dtype not in NARROW
        if wide and any(each.batch_statistics for each in outputs):
            return allowing(found, "decomposed_statistics", gradients_of_rounded_statistics(found))
        return allowing(found, "decomposed_narrow", gradients_in_16_bits(found)) if outputs else found

    return perform
