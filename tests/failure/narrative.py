"""Tells a case step by step: what every step was expected to show, and what it showed."""

from __future__ import annotations

from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from cases.attributes import FLAGS, TENSORS
from cases.case import Case
from cases.derivatives import GRADIENTS
from cases.inputs import batch
from cases.spelling import token
from cases.steps import Step, forwards
from oracle.accumulation import grad_values
from oracle.backward import gradient_values
from oracle.derivatives import derivative_values
from oracle.expectations import Expectations
from oracle.numerics.normalisation import output_values
from oracle.semantics import Semantics
from oracle.state import Counter, Entry, Expected, Tensor
from tests.comparison.promises import promised
from tests.comparison.step import compare, compare_error
from tests.comparison.tally import Tally
from tests.failure.script import constructor
from tests.subject.foreign import safe_repr
from tests.subject.observation import Observation
from tests.subject.subject import Subject
from tests.verdict.program import program
from tests.verdict.result import observed

MOST = 12
"""Arrays of up to this many values are shown in full."""

FIRST = 4
"""The number of values of a longer array that are shown."""


class Line(NamedTuple):
    """A quantity after a step. ``always``: it is shown even if the step has not changed it."""

    quantity: str
    seen: str
    expected: str
    always: bool = False


def narrative(case: Case, subject: Subject, semantics: Semantics) -> List[str]:
    """Run the case and tell it: each step shows what it has changed, the last step everything."""
    judged = program(case, subject, semantics)
    right, observations = judged.expected, observed(judged)
    steps: Tuple[Optional[Step], ...] = (None, *case.steps)
    lines: List[str] = []
    earlier: Sequence[Line] = ()
    for number, (step, want, got) in enumerate(zip(steps, right, observations)):
        told = [each for each in _lines(want, got) if promised(each.quantity, judged.promise)]
        last = number == len(observations) - 1
        lines.append(_head(case, number, step))
        tally = _verdicts(right, number, got, judged.promise)
        lines += _texts(told, earlier if not last else (), tally)
        lines += [f"       clause of the contract: {each.name}" for each in judged.met.get(number, ())]
        lines += [f"       asked of the release: {name}" for name in _sides(want, semantics)]
        earlier = told
    if judged.rest is not None:
        lines.append(f"{judged.rest.step:>4} and the rest is not applicable: {judged.rest.reason}")
    return lines


def _head(case: Case, number: int, step: Optional[Step]) -> str:
    if step is None:
        return f"{number:>4} {constructor(case.config, case.variant.module_dtype, 'BatchNorm2d')}"
    given = [batch(case.variant, each.batch) for each in forwards(step)[-1:]]
    inputs = [f"input {brief(each.values)} {each.dtype} {each.layout}" for each in given]
    return "  ".join([f"{number:>4} {token(step)}", *inputs])


def _sides(want: Expected, semantics: Semantics) -> List[str]:
    """Return the switches that decided the step, and whether they hold."""
    sides = {name: "holds" if name in semantics.holding else "does not hold" for name in want.switches}
    return [f"{name} ({side})" for name, side in sides.items()]


def _verdicts(right: Expectations, number: int, got: Observation, promise: str) -> Tally:
    """Return the comparison of the step, as the verdict makes it."""
    tally = Tally(promise)
    if number == 0 and (right[0].error is not None or got.raised is not None):
        compare_error(right[0].error, got.raised, tally)
    else:
        compare(right[number - 1].state if number else None, right[number], got, tally)
    return tally


def _texts(told: Sequence[Line], earlier: Sequence[Line], tally: Tally) -> Iterator[str]:
    """Return the texts of each new line: what was seen, what was expected, and how near they are."""
    wrong = {each.quantity: each for each in tally.mismatches}
    margins = tally.margins()
    for line in told:
        if line in earlier and not line.always and line.quantity not in wrong:
            continue
        share = max(map(abs, margins[line.quantity].share)) if line.quantity in margins else 0.0
        near = f", error at most {share:.2g} of its budget" if share else ""
        if line.quantity in wrong:
            mismatch = wrong.pop(line.quantity)
            place = f" at {list(mismatch.index)}" if mismatch.index else ""
            yield from _both(line.quantity, line.seen, f"{line.expected}   DIFFERS{place}")
        elif line.seen == line.expected:
            yield f"       {line.quantity:<21} {line.seen}   as expected{near}"
        else:
            yield from _both(line.quantity, line.seen, f"{line.expected}   agrees{near}")
    for mismatch in wrong.values():
        yield from _both(mismatch.quantity, mismatch.got, f"{mismatch.expected}   DIFFERS")


def _both(quantity: str, seen: str, expected: str) -> Iterator[str]:
    yield f"       {quantity:<21} seen      {seen}"
    yield f"       {'':<21} expected  {expected}"


def _lines(want: Expected, got: Observation) -> Iterator[Line]:
    """Return everything that a step shows, in short."""
    if want.error is not None or got.raised is not None:
        seen = "nothing" if got.raised is None else f"{got.raised.kind}: {got.raised.message.strip()}"
        raises = "nothing" if want.error is None else f"{want.error.kind} matching {want.error.pattern!r}"
        yield Line("exception", seen, raises, always=True)
    if want.output is not None or got.output is not None:
        seen = "nothing" if got.output is None else brief(got.output.values)
        right = "nothing" if want.output is None else brief(output_values(want.output).values)
        yield Line("output", seen, right, always=True)
    yield from _gradients(want, got)
    yield from _grads(want, got)
    yield from _derivatives(want, got)
    if want.text is not None or got.text is not None:
        yield Line("text", safe_repr(got.text), repr(want.text), always=True)
    for name, entry, tensor in zip(TENSORS, want.state.entries(), got.tensors):
        yield Line(name, "None" if tensor is None else brief(tensor.values), _entry(entry))
    for name, value, seen_value in zip(FLAGS, want.state.flags(), got.flags):
        yield Line(name, safe_repr(seen_value), repr(value))


def _gradients(want: Expected, got: Observation) -> Iterator[Line]:
    if want.gradients is None and got.gradients is None:
        return
    nothing = (None,) * len(GRADIENTS)
    for name, right, seen in zip(GRADIENTS, want.gradients or nothing, got.gradients or nothing):
        yield Line(
            f"{name} gradient",
            "nothing" if seen is None else brief(seen.values),
            "nothing" if right is None else brief(gradient_values(right).values),
            always=True,
        )


def _derivatives(want: Expected, got: Observation) -> Iterator[Line]:
    right, seen = {each.quantity: each for each in want.derivatives}, dict(got.derivatives)
    for name in dict.fromkeys([*right, *seen]):
        yield Line(
            name,
            brief(seen[name].values) if name in seen else "nothing",
            brief(derivative_values(right[name]).values) if name in right else "nothing",
            always=True,
        )


def _grads(want: Expected, got: Observation) -> Iterator[Line]:
    right, seen = dict(want.state.grads()), dict(got.grads)
    for name in dict.fromkeys([*right, *seen]):
        yield Line(
            f"{name}.grad",
            brief(seen[name].values) if name in seen else "None",
            brief(grad_values(right[name]).values) if name in right else "None",
        )


def _entry(entry: Entry) -> str:
    if isinstance(entry, Counter):
        return str(entry.value)
    return brief(entry.numbers.values) if isinstance(entry, Tensor) else "None"


def brief(values: np.ndarray) -> str:
    """Return an array in short: all values, or the first ones, the shape and the finite range."""
    flat = values.reshape(-1)
    if values.ndim == 0:
        return str(values.item())
    if flat.size > 1 and (flat == flat[0]).all():
        return f"{flat[0]:.6g} in all {flat.size} places of {values.shape}"
    texts = [f"{value:.6g}" for value in flat[: MOST if flat.size <= MOST else FIRST].tolist()]
    if flat.size <= MOST:
        return f"[{', '.join(texts)}]" if values.ndim == 1 else f"[{', '.join(texts)}] of {values.shape}"
    finite = flat[np.isfinite(flat)]
    text = f"[{', '.join(texts)}, ...] of {values.shape}"
    if finite.size:
        text += f" from {finite.min():.6g} to {finite.max():.6g}"
    others = flat.size - finite.size
    return text + (f", {others} not finite" if others else "")
