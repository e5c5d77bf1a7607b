"""Compares the statements of the public texts with what was observed.

The formulas are the plain ones of the texts, in float64 and separate from the oracle, so that a claim is
not judged by the specification it might contradict. The budget is the oracle's.
"""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Type, Union

import numpy as np

from cases.attributes import FLAGS, TENSORS
from cases.case import Case
from cases.claims import Claim
from cases.claims.checks import (
    Changed,
    Check,
    Differs,
    Equals,
    HasFlag,
    HasKeys,
    HasShape,
    Near,
    Prints,
    Raises,
    Returns,
    Unchanged,
)
from cases.inputs import batch
from cases.steps import forwards
from oracle.expectations import Expectations
from oracle.numerics.normalisation import output_values, plane
from oracle.state import Expected, Tensor
from reports.rows import MODULE, PROMISES, STATE, VALUES
from tests.comparison.promises import promised
from tests.subject.observation import Observation

CLEARLY = 100.0
"""The number of budgets beyond which a value counts as another value."""


class Seen(NamedTuple):
    """The observation of one step: arrays and budgets by quantity; flags; the exception's class."""

    arrays: Dict[str, np.ndarray]
    budgets: Dict[str, np.ndarray]
    flags: Dict[str, object]
    raised: str


class Transcript(NamedTuple):
    """The observations of a case, step by step; step 0 is construction."""

    case: Case
    steps: List[Seen]

    def batches(self, number: int) -> List[np.ndarray]:
        """Return the inputs of all forwards up to step ``number`` that did not raise."""
        done = zip(self.case.steps[:number], self.steps[1:])
        return [
            batch(self.case.variant, each.batch).values.astype(np.float64)
            for step, seen in done
            if not seen.raised
            for each in forwards(step)
        ]


def _seen(expected: Expected, got: Observation) -> Seen:
    arrays, budgets = {}, {}
    for name, tensor in zip(TENSORS, got.tensors):
        entry = expected.state.entry(name)
        if tensor is not None:
            arrays[name] = tensor.values
        if isinstance(entry, Tensor):
            budgets[name] = entry.numbers.budget
    if got.output is not None and expected.output is not None:
        arrays["output"] = got.output.values
        budgets["output"] = output_values(expected.output).budget
    raised = "" if got.raised is None else got.raised.kind
    return Seen(arrays, budgets, dict(zip(FLAGS, got.flags)), raised)


SPACE = (0, 2, 3)
"""The axes of a batch (N, C, H, W) over which the statistics of a channel are taken."""


def _normalised(x: np.ndarray, variance: np.ndarray) -> np.ndarray:
    centred = x - plane(x.mean(SPACE))
    return np.asarray(centred / np.sqrt(plane(variance) + 1e-5))


def _scaled(seen: Seen, normalised: np.ndarray) -> np.ndarray:
    weight, bias = (seen.arrays[name].astype(np.float64) for name in ("weight", "bias"))
    return np.asarray(normalised * plane(weight) + plane(bias))


Formula = Callable[[Seen, List[np.ndarray]], np.ndarray]

FORMULAS: Dict[str, Formula] = {
    "zero": lambda seen, x: np.zeros(()),
    "one": lambda seen, x: np.ones(()),
    "batch mean": lambda seen, x: x[-1].mean(SPACE),
    "a tenth of the batch mean": lambda seen, x: 0.1 * x[-1].mean(SPACE),
    "unbiased variance": lambda seen, x: x[-1].var(SPACE, ddof=1),
    "biased variance": lambda seen, x: x[-1].var(SPACE),
    "0.9 and a tenth of the unbiased variance": (lambda seen, x: 0.9 + 0.1 * x[-1].var(SPACE, ddof=1)),
    "0.9 and a tenth of the biased variance": lambda seen, x: 0.9 + 0.1 * x[-1].var(SPACE),
    "mean of the batch means": lambda seen, x: np.mean([b.mean(SPACE) for b in x], axis=0),
    "mean of the unbiased variances": (
        lambda seen, x: np.mean([b.var(SPACE, ddof=1) for b in x], axis=0)
    ),
    "mean of all data": lambda seen, x: np.concatenate(x).mean(SPACE),
    "variance of all data": lambda seen, x: np.concatenate(x).var(SPACE, ddof=1),
    "normalised by the biased variance": lambda seen, x: _normalised(x[-1], x[-1].var(SPACE)),
    "normalised by the unbiased variance": (lambda seen, x: _normalised(x[-1], x[-1].var(SPACE, ddof=1))),
    "normalised by the initial buffers": lambda seen, x: x[-1] / np.sqrt(1.0 + 1e-5),
    "scaled and shifted": lambda seen, x: _scaled(seen, _normalised(x[-1], x[-1].var(SPACE))),
    "divided by the variance": (
        lambda seen, x: _scaled(seen, (x[-1] - plane(x[-1].mean(SPACE))) / plane(x[-1].var(SPACE)))
    ),
}
"""The formulas that checks name, as functions of the step's observation and the inputs so far."""


def _printed(seen: Seen, quantity: str) -> Tuple[str, ...]:
    values = seen.arrays[quantity]
    if quantity == "num_batches_tracked":
        return (str(values.item()),)
    if quantity != "output":
        return tuple(f"{value:.4f}" for value in values.tolist())
    planes = values.reshape(values.shape[0] * values.shape[1], -1)
    words = [{f"{value + 0.0:.4f}" for value in each.tolist()} for each in planes]
    return tuple("/".join(sorted(each)) for each in words)


def _difference(
    check: Union[Equals, Differs, Near], transcript: Transcript
) -> Tuple[np.ndarray, np.ndarray]:
    """Return |observed - formula| and the oracle's budget, a number for each element of the quantity."""
    seen = transcript.steps[check.step]
    value = FORMULAS[check.formula](seen, transcript.batches(check.step))
    error = np.abs(seen.arrays[check.quantity].astype(np.float64) - value)
    return error, seen.budgets[check.quantity]


def _same(check: Union[Unchanged, Changed], transcript: Transcript, name: str) -> bool:
    now, then = (transcript.steps[step].arrays[name] for step in (check.step, check.since))
    return now.tobytes() == then.tobytes()


def _prints(check: Prints, transcript: Transcript) -> Optional[str]:
    printed = _printed(transcript.steps[check.step], check.quantity)
    return None if printed == check.words else f"{check.quantity} prints {printed}"


def _has_flag(check: HasFlag, transcript: Transcript) -> Optional[str]:
    value = transcript.steps[check.step].flags[check.name]
    same = value == check.value and type(value) is type(check.value)
    return None if same else f"{check.name} is {value!r}"


def _has_keys(check: HasKeys, transcript: Transcript) -> Optional[str]:
    keys = set(transcript.steps[check.step].arrays) - {"output"}
    return None if keys == set(check.names) else f"present are {sorted(keys)}"


def _has_shape(check: HasShape, transcript: Transcript) -> Optional[str]:
    shape = transcript.steps[check.step].arrays[check.quantity].shape
    return None if shape == check.shape else f"{check.quantity} has shape {shape}"


def _equals(check: Equals, transcript: Transcript) -> Optional[str]:
    error, budget = _difference(check, transcript)
    # A second budget allows for the formula's own float64 rounding.
    near = bool((error <= 2 * budget + 1e-14).all())
    return None if near else f"{check.quantity} is not the {check.formula}"


def _differs(check: Differs, transcript: Transcript) -> Optional[str]:
    error, budget = _difference(check, transcript)
    away = bool((error > CLEARLY * budget).any())
    return None if away else f"{check.quantity} is not told apart from the {check.formula}"


def _near(check: Near, transcript: Transcript) -> Optional[str]:
    distance = float(_difference(check, transcript)[0].mean())
    inside = check.least <= distance <= check.most
    return None if inside else f"{check.quantity} is {distance:.4g} from the {check.formula}"


def _unchanged(check: Unchanged, transcript: Transcript) -> Optional[str]:
    moved = [name for name in check.quantities if not _same(check, transcript, name)]
    return f"{', '.join(moved)} changed" if moved else None


def _changed(check: Changed, transcript: Transcript) -> Optional[str]:
    stayed = [name for name in check.quantities if _same(check, transcript, name)]
    return f"{', '.join(stayed)} did not change" if stayed else None


def _raises(check: Union[Raises, Returns], transcript: Transcript) -> Optional[str]:
    expected = check.kind if isinstance(check, Raises) else ""
    raised = transcript.steps[check.step].raised
    return None if raised == expected else f"raised {raised or 'nothing'}"


CHECKS: Dict[Type[Check], Callable[..., Optional[str]]] = {
    Prints: _prints,
    HasFlag: _has_flag,
    HasKeys: _has_keys,
    HasShape: _has_shape,
    Equals: _equals,
    Differs: _differs,
    Near: _near,
    Unchanged: _unchanged,
    Changed: _changed,
    Raises: _raises,
    Returns: _raises,
}
"""Maps the type of a check to a function that returns what contradicts the check: a text, or None."""


def _wrong(check: Check, transcript: Transcript) -> Optional[str]:
    """Return the observation that contradicts the check, or None."""
    quantity = getattr(check, "quantity", None)
    if quantity is not None and quantity not in transcript.steps[check.step].arrays:
        return f"there is no {quantity}"
    return CHECKS[type(check)](check, transcript)


LEAST: Dict[Type[Check], str] = {HasFlag: STATE, HasKeys: STATE, Raises: MODULE}
"""Maps the type of a check to the least promise that includes what it asks; others ask for numbers."""


def _is_promised(check: Check, promise: str) -> bool:
    """Whether the check asks only for what the subject promises."""
    least = LEAST.get(type(check), VALUES)
    names = getattr(check, "quantities", (getattr(check, "quantity", "output"),))
    return PROMISES.index(least) <= PROMISES.index(promise) and all(
        promised(name, promise) for name in names
    )


def contradicted(
    claim: Claim, expected: Expectations, observations: Sequence[Observation], promise: str
) -> List[str]:
    """Return the contradictions of the observations to the claim's checks; empty when they agree.

    Checks of what the subject does not promise are left out.
    """
    steps = [_seen(*pair) for pair in zip(expected, observations)]
    transcript = Transcript(claim.case, steps)
    asked = (check for check in claim.checks if _is_promised(check, promise))
    found = (_wrong(check, transcript) for check in asked)
    return [text for text in found if text is not None]
