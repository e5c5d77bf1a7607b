"""Runs one case on the subject and on the oracle, and compares them step by step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import List, Mapping, NamedTuple, Optional, Sequence, Tuple

from cases.case import Case
from cases.spelling import token
from cases.steps import Forward, Forwards, Step
from cases.variants import regimes
from oracle.expectations import Expectations, expectations
from oracle.semantics import Semantics
from tests.comparison.judgement import Margins, Mismatch
from tests.comparison.step import compare, compare_error
from tests.comparison.tally import Tally
from tests.subject.module import Factory, observe
from tests.subject.observation import Observation
from tests.verdict.completeness import check_complete


class Finding(NamedTuple):
    """A mismatch and where in the program it stands.

    ``step``: 0 is construction, n the n-th step. ``switches``: the release-dependent rules that
    decided the step.
    """

    mismatch: Mismatch
    step: int
    token: str
    regime: str
    switches: Tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """The result of comparing one case, up to the first step with findings.

    ``compared``: how often each quantity was compared. ``margins``: how close the budgeted quantities
    came to their budgets. ``forwards``: how many steps were forwards. ``errors``: the exceptions, each
    with its step. ``switches``: the release-dependent rules that decided anything. ``digest``: a hash of
    the subject's bytes.
    """

    case: Case
    findings: Tuple[Finding, ...]
    compared: Mapping[str, int]
    margins: Mapping[str, Margins]
    forwards: int
    errors: Tuple[str, ...]
    switches: Tuple[str, ...]
    digest: str

    @property
    def raising(self) -> Tuple[int, ...]:
        """The numbers of the steps that raised."""
        return tuple(int(error.split(" ", 1)[0]) for error in self.errors)


def run(case: Case, factory: Factory, semantics: Semantics) -> Result:
    """Run the case and compare it with what is right on the release."""
    return compared(case, expectations(case, semantics), observe(case, factory))


def compared(
    case: Case, expected: Expectations, observations: Sequence[Observation]
) -> Result:
    """Compare what was observed, step by step, up to the first step with findings.

    Raises IncompleteCase when something that the program implies was not compared.
    """
    tally = Tally()
    number = 0
    for number, (want, got) in enumerate(zip(expected, observations)):
        if number == 0 and (want.error is not None or got.raised is not None):
            compare_error(want.error, got.raised, tally)
            break
        compare(expected[number - 1].state if number else None, want, got, tally)
        if tally.mismatches:
            break
    performed = observations[: number + 1]
    steps: Tuple[Optional[Step], ...] = (None, *case.steps[:number])
    if not tally.mismatches:
        check_complete(case, expected, tally.compared)
    return Result(
        case=case,
        findings=tuple(_finding(case, each, number, expected) for each in tally.mismatches),
        compared=tally.compared,
        margins=tally.margins(),
        forwards=sum(isinstance(step, (Forward, Forwards)) for step in steps),
        errors=tuple(_errors(steps, performed)),
        switches=tuple(sorted({name for each in expected[: number + 1] for name in each.switches})),
        digest=_digest(performed),
    )


def _finding(case: Case, mismatch: Mismatch, number: int, expected: Expectations) -> Finding:
    step = case.steps[number - 1] if number else None
    return Finding(mismatch, number, _token(step), _regime(case, mismatch), expected[number].switches)


def _token(step: Optional[Step]) -> str:
    return "construct" if step is None else token(step)


def _regime(case: Case, mismatch: Mismatch) -> str:
    """Return the numerical regime of the channel in which the mismatch is, "" where there is none."""
    axis = {4: 1, 1: 0}.get(len(mismatch.index))
    if axis is None:
        return ""
    words = () if case.variant.given else regimes(case.variant)
    channel = mismatch.index[axis]
    return words[channel] if channel < len(words) else ""


def _errors(
    steps: Sequence[Optional[Step]], observations: Sequence[Observation]
) -> List[str]:
    """Return the exceptions, each with the number and the spelling of its step, class and first line."""
    errors = []
    for number, (step, got) in enumerate(zip(steps, observations)):
        if got.raised is not None:
            lines = got.raised.message.strip().splitlines() or [""]
            errors.append(f"{number} {_token(step)} {got.raised.kind} {lines[0]}")
    return errors


def _digest(observations: Sequence[Observation]) -> str:
    """Return a hash of the bytes that the subject returned and left in its tensors."""
    digest = hashlib.blake2b(digest_size=8)
    for got in observations:
        output = b"" if got.output is None else got.output.values.tobytes()
        tensors = [b"-" if each is None else each.values.tobytes() for each in got.tensors]
        digest.update(b"".join([output, *tensors]))
    return digest.hexdigest()
