"""Whether a sentence holds on a release, according to the oracle."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Callable, Dict, NamedTuple, Type

import numpy as np

from cases import claims
from cases.attributes import STATISTICS, TENSORS
from cases.case import Case
from cases.catalogue import find
from cases.derivatives import GRADIENTS
from cases.inputs import batch
from cases.steps import Forward
from oracle.answers import checks
from oracle.answers.answer import Proof, Sentence
from oracle.answers.checks import Check
from oracle.expectations import Expectations, expectations
from oracle.semantics import Semantics, first_alike
from oracle.state import Counter, Expected, State, Tensor
from oracle.switch import Release


class Transcript(NamedTuple):
    """A case, and what its construction and steps must show."""

    case: Case
    steps: Expectations


def holds(sentence: Sentence, release: Release) -> bool:
    """Whether every check of the sentence holds on the release."""
    return all(_holds(proof, first_alike(release)) for proof in sentence.proofs)


@lru_cache(maxsize=None)
def _holds(proof: Proof, rules: Semantics) -> bool:
    claim = claims.CASES.get(proof.case)
    if claim is not None and not proof.checks:
        return claim.refuted_where not in rules.holding
    case = find(proof.case)
    transcript = Transcript(case, expectations(case, rules))
    if transcript.steps[0].error is not None and any(check.step for check in proof.checks):
        return False
    return all(_CHECKS[type(check)](check, transcript) for check in proof.checks)


def _numbers(state: State, name: str) -> np.ndarray:
    """Return the numbers of an entry, float64; an entry that is None has none."""
    entry = state.entry(name)
    if isinstance(entry, Counter):
        return np.array([entry.value])
    return entry.numbers.values if isinstance(entry, Tensor) else np.zeros(0)


def _counts(check: checks.Counts, transcript: Transcript) -> bool:
    counter = transcript.steps[check.step].state.num_batches_tracked
    return (None if counter is None else counter.value) == check.value


def _same(check: Any, transcript: Transcript, name: str) -> bool:
    then, now = (_numbers(transcript.steps[step].state, name) for step in (check.since, check.step))
    return np.array_equal(then, now, equal_nan=True)


def _raises(check: checks.Raises, transcript: Transcript) -> bool:
    error = transcript.steps[check.step].error
    if error is None or error.kind != check.kind:
        return False
    return check.words in error.pattern.replace("\\", "")


def _normalises_by(check: checks.NormalisesBy, transcript: Transcript) -> bool:
    output = transcript.steps[check.step].output
    return output is not None and output.batch_statistics == (check.statistics == "batch")


def _moves(check: checks.Moves, transcript: Transcript) -> bool:
    case, steps = transcript
    step = case.steps[check.step - 1]
    assert isinstance(step, Forward)
    values = batch(case.variant, step.batch).values.astype(np.float64)
    space = (0, 2, 3)
    new = dict(zip(STATISTICS, (values.mean(space), values.var(space, ddof=1))))
    near = []
    for name in STATISTICS:
        old, now = (_numbers(steps[place].state, name) for place in (check.step - 1, check.step))
        there = old.size == now.size == new[name].size
        moved = (1 - check.factor) * old + check.factor * new[name] if there else old
        # Compares two float64 formulas; 1e-5 tells factors apart and judges no implementation.
        near.append(there and np.allclose(moved, now, 1e-5, 1e-30))
    return all(near)


def _entries(check: checks.Entries, transcript: Transcript) -> bool:
    state = transcript.steps[check.step].state
    return {name for name in TENSORS if state.entry(name) is not None} == set(check.names)


def _gradients(check: checks.Gradients, transcript: Transcript) -> bool:
    found = transcript.steps[check.step].gradients
    if found is None:
        return False
    return tuple(name for name, each in zip(GRADIENTS, found) if each is not None) == check.names


def _grads(check: checks.Grads, transcript: Transcript) -> bool:
    return tuple(name for name, _ in transcript.steps[check.step].state.grads()) == check.names


def _not_finite(check: checks.NotFinite, transcript: Transcript) -> bool:
    state = transcript.steps[check.step].state
    counts = [int((~np.isfinite(_numbers(state, name))).sum()) for name in check.names]
    return counts == [check.channels] * len(counts)


def _laid_out(check: checks.LaidOut, transcript: Transcript) -> bool:
    output = transcript.steps[check.step].output
    return output is not None and output.memory_format == check.strides


def _dtypes(check: checks.Dtypes, transcript: Transcript) -> bool:
    expected: Expected = transcript.steps[check.step]
    output = "" if expected.output is None else expected.output.dtype
    return (output, expected.state.dtype) == (check.output, check.module)


_CHECKS: Dict[Type[Check], Callable[[Any, Transcript], bool]] = {
    checks.Raises: _raises,
    checks.Returns: lambda check, seen: seen.steps[check.step].error is None,
    checks.Unchanged: lambda check, seen: all(_same(check, seen, name) for name in check.names),
    checks.Changed: lambda check, seen: not any(_same(check, seen, name) for name in check.names),
    checks.Counts: _counts,
    checks.NormalisesBy: _normalises_by,
    checks.Moves: _moves,
    checks.Entries: _entries,
    checks.Gradients: _gradients,
    checks.Grads: _grads,
    checks.NotFinite: _not_finite,
    checks.Shares: lambda check, seen: set(seen.steps[check.step].shared) == set(check.names),
    checks.Says: lambda check, seen: check.words in (seen.steps[check.step].text or ""),
    checks.LaidOut: _laid_out,
    checks.Dtypes: _dtypes,
}
"""Maps the type of a check to the function that tells whether it holds."""
