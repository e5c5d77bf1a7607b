"""The expectations: what construction and every step of a program must show."""

from __future__ import annotations

import dataclasses
from typing import List, Optional, Sequence, Tuple, Union

from cases.attributes import STATISTICS
from cases.case import Case
from cases.derivatives import CALLING, Accumulate, Backward, Double, Jvp, Nested, Triple, Vjp
from cases.steps import Forward, Forwards, LoadStateDict, forwards
from oracle import refusals
from oracle.accumulation import accumulated, found_again
from oracle.defects import Defect
from oracle.deviations import CALLED, DEVIATIONS, Situation
from oracle.meanings import advance, begin
from oracle.paths import as_called, constructed, stepping
from oracle.refusals import Refusal
from oracle.semantics import Rules, Semantics
from oracle.state import Expected, Inside, Tensor
from oracle.transforms import call, check_call, differentiated, input_alone

DEVIATING = (Forward, Backward, Accumulate, Double, Triple, Jvp, Vjp, Nested, LoadStateDict)
"""The types of the steps in which a known defect may show, in addition to ``Forwards``."""

Expectations = Tuple[Expected, ...]
"""The expectations of construction and of every step; only construction's where it must fail."""


def expectations(case: Case, semantics: Semantics) -> Expectations:
    """Compute what is right on the release; on a path, what its contract says instead."""
    expected = [constructed(case.path, begin(case.config, case.variant.module_dtype, semantics))]
    perform = stepping(case.path)
    if expected[0].error is None:
        for step in case.steps:
            expected.append(perform(expected[-1].state, step, case.variant, semantics))
    return tuple(expected)


def deviating(
    case: Case, expected: Expectations, semantics: Semantics, defects: Sequence[Defect], threads: int
) -> Optional[Expectations]:
    """Compute what is seen with all of the defects; None where no step is in their circumstances.

    ``expected``: what is right. ``threads``: torch's number of threads. Where several defects show at one
    step, each is applied to the result of the one before it.
    """
    if not in_circumstances(case, expected, semantics, defects, threads):
        return None
    seen: List[Expected] = [expected[0]]
    perform = stepping(case.path)
    deviates = False
    for step, right in zip(case.steps, expected[1:]):
        before = seen[-1].state
        if deviates:
            right = perform(before, step, case.variant, semantics)
        found = right
        situation = Situation(before, as_called(case.path, step), case.variant, semantics, threads)
        if isinstance(step, Forwards):
            found = _series(right, situation, step, case.path, defects)
        elif isinstance(step, DEVIATING):
            found = _shown(right, situation, defects)
        deviates = deviates or found is not right
        seen.append(found)
    return tuple(seen)


def in_circumstances(
    case: Case, expected: Expectations, semantics: Semantics, defects: Sequence[Defect], threads: int
) -> bool:
    """Whether a step of the program is in the circumstances of one of the defects.

    ``expected``: what is right, or what is seen with other defects. ``threads``: torch's number of
    threads.
    """
    perform = stepping(case.path)
    for step, before, right in zip(case.steps, expected, expected[1:]):
        state = before.state
        for part in forwards(step) if isinstance(step, Forwards) else (step,):
            if part is not step:
                right = perform(state, part, case.variant, semantics)
            if isinstance(part, DEVIATING):
                called = as_called(case.path, part)
                situation = Situation(state, called, case.variant, semantics, threads)
                if _shown(right, situation, defects) is not right:
                    return True
            if right.error is not None:
                break
            state = right.state
    return False


def _shown(right: Expected, situation: Situation, defects: Sequence[Defect]) -> Expected:
    """Return the result of a step with the defects; outside of their circumstances, ``right`` itself."""
    step = situation.step
    if right.inside is not None:
        return _shown_inside(right, right.inside, situation, defects)
    if isinstance(step, Accumulate):
        before, variant = found_again(situation.before), situation.variant
        returned = advance(before, step.backward, variant, situation.semantics)
        wrong = _shown(returned, situation._replace(before=before, step=step.backward), defects)
        return right if wrong is returned else accumulated(right, wrong)
    if isinstance(step, CALLING):
        return _called(right, situation, step, defects)
    if isinstance(step, Forward) and right.error == refusals.not_one_dimensional(False).error:
        return _updated_and_refused(right, situation, defects)
    found = right
    for defect in defects:
        found = DEVIATIONS[defect.name](found, situation)
    return found


def _updated_and_refused(right: Expected, situation: Situation, defects: Sequence[Defect]) -> Expected:
    """Return the result of a forward with the defects if it refuses a weight or bias after the update.

    The buffers are those of the same forward with a weight and bias of shape (C,).
    """
    before = situation.before
    rows = {name: before.entry(name) for name in before.affine_rows}
    dense = {
        name: tensor._replace(form="") for name, tensor in rows.items() if isinstance(tensor, Tensor)
    }
    if not dense:  # a statistic is a row, which is refused before anything is updated
        return right
    accepted = situation._replace(before=before.changed(**dense))
    usual = advance(accepted.before, situation.step, situation.variant, situation.semantics)
    seen = _shown(usual, accepted, defects)
    if seen is usual or seen.output is None:
        return right
    buffers = {name: seen.state.entry(name) for name in STATISTICS}
    return dataclasses.replace(right, state=right.state.changed(**buffers))


def _shown_inside(
    right: Expected, inside: Inside, situation: Situation, defects: Sequence[Defect]
) -> Expected:
    """Return the result of a step of a path if the path and the module inside it have the defects."""
    there = situation._replace(before=inside.before, step=inside.step or situation.step)
    shown = _shown(inside.shown, there, defects)
    outside = inside.outside(shown)
    found = outside if outside.inside is None else _shown(outside, situation, defects)
    if shown is inside.shown and found is outside:
        return right
    return dataclasses.replace(found, clauses=right.clauses, text=right.text, inside=None)


def _called(
    right: Expected, situation: Situation, step: Union[Jvp, Vjp, Nested], defects: Sequence[Defect]
) -> Expected:
    """Return the result of a step of CALLING if its forward or backward has the defects."""
    before, variant, rules = situation.before, situation.variant, Rules(situation.semantics)
    try:
        check_call(before, step, variant, rules)
    except Refusal:
        return right
    returned = advance(before, call(step), variant, situation.semantics)
    wrong = _shown(returned, situation._replace(step=call(step)), defects)
    seen = right
    if wrong is not returned:
        seen = differentiated(before, step, wrong, variant, rules)
    # If the forward raises, ``right`` has its gradients by a defect that is not one of ``defects``.
    if isinstance(step, Vjp) and seen.gradients is not None and wrong.output is not None:
        alone = input_alone(wrong.state)
        after = situation._replace(before=alone, step=Backward(step.upstream))
        gradients = advance(alone, after.step, variant, situation.semantics)
        shown = _shown(gradients, after, defects)
        if shown is not gradients and shown.gradients is not None:
            seen = dataclasses.replace(seen, gradients=(shown.gradients[0], None, None))
    for defect in defects:
        if defect.name in CALLED:
            seen = CALLED[defect.name](seen, situation)
    return seen


def _series(
    right: Expected, situation: Situation, step: Forwards, path: str, defects: Sequence[Defect]
) -> Expected:
    """Return the result of a series of forwards on a path, up to the first that raises."""
    shown, deviates = Expected(situation.before), False
    perform = stepping(path)
    for each in forwards(step):
        here = situation._replace(before=shown.state, step=as_called(path, each))
        alone = perform(shown.state, each, situation.variant, situation.semantics)
        shown = _shown(alone, here, defects)
        deviates = deviates or shown is not alone
        if shown.error is not None:
            break
    return shown if deviates else right
