"""Runs one case on the subject and on the oracle, and compares them step by step."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from dataclasses import dataclass
from typing import List, Mapping, NamedTuple, Optional, Sequence, Tuple

from cases.case import Case
from cases.spelling import token
from cases.steps import Step, forwards
from cases.variants import regimes
from oracle.expectations import Expectations
from oracle.semantics import Semantics
from oracle.state import Expected, State
from reports.rows import MODULE
from tests.comparison.judgement import Margins, Mismatch
from tests.comparison.step import compare, compare_error
from tests.comparison.tally import Tally
from tests.subject.contract import Clause
from tests.subject.observation import Observation
from tests.subject.subject import Subject
from tests.verdict.completeness import check_complete
from tests.verdict.program import NONE_MET, Met, Program, program


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
    came to their budgets. ``forwards``: how many steps called the module. ``errors``: the exceptions,
    with their steps. ``switches``: the release-dependent rules that decided anything. ``digest``: a hash
    of the subject's bytes. ``clause``: the first clause of the contract whose deviation was seen.
    ``lapsed``: a clause in whose circumstances its deviation was not seen.
    """

    case: Case
    findings: Tuple[Finding, ...]
    compared: Mapping[str, int]
    margins: Mapping[str, Margins]
    forwards: int
    errors: Tuple[str, ...]
    switches: Tuple[str, ...]
    digest: str
    clause: Optional[Clause] = None
    lapsed: Optional[Clause] = None

    @property
    def raising(self) -> Tuple[int, ...]:
        """The numbers of the steps that raised."""
        return tuple(int(error.split(" ", 1)[0]) for error in self.errors)


def run(case: Case, subject: Subject, semantics: Semantics) -> Result:
    """Run the case and compare it with what is right on the release."""
    judged = program(case, subject, semantics)
    return result_of(judged, observed(judged))


def observed(judged: Program) -> Sequence[Observation]:
    """Perform the steps that are judged; none where not even construction is."""
    return () if judged.empty else judged.subject.observe(judged.case)


def result_of(
    judged: Program, observations: Sequence[Observation], expected: Optional[Expectations] = None
) -> Result:
    """Compare what was observed with ``expected``, or with what is right."""
    right = judged.expected if expected is None else expected
    return compared(judged.case, right, observations, judged.promise, judged.met_by(right))


def compared(
    case: Case,
    expected: Expectations,
    observations: Sequence[Observation],
    promise: str = MODULE,
    met: Met = NONE_MET,
) -> Result:
    """Compare what was observed, step by step, up to the first step with findings.

    ``met``: the clauses of a contract that apply. Raises IncompleteCase when something promised that the
    program implies was not compared.
    """
    tally = Tally(promise)
    number, shown, lapsed = _walk(expected, observations, met, tally)
    performed = observations[: number + 1]
    steps: Tuple[Optional[Step], ...] = (None, *case.steps[:number])
    if observations and not tally.mismatches and lapsed is None:
        last = met.get(number, ())
        _check_complete(case, expected, tally, number, _refuses(last) or any(e.ends for e in last))
    return Result(
        case=case,
        findings=tuple(_finding(case, each, number, expected) for each in tally.mismatches),
        compared=tally.compared,
        margins=tally.margins(),
        forwards=sum(step is not None and bool(forwards(step)) for step in steps),
        errors=tuple(_errors(steps, performed)),
        switches=tuple(sorted({name for each in expected[: number + 1] for name in each.switches})),
        digest=_digest(performed),
        clause=shown,
        lapsed=lapsed,
    )


def _walk(
    expected: Expectations, observations: Sequence[Observation], met: Met, tally: Tally
) -> Tuple[int, Optional[Clause], Optional[Clause]]:
    """Compare step by step into the tally, up to the first step with findings or where a clause ends it.

    Returns the number of the last step that was compared, the first clause that shows, and a clause that
    does not show where it must.
    """
    number, shown, lapsed = 0, None, None
    for number, (want, got) in enumerate(zip(expected, observations)):
        here = met.get(number, ())
        if _refuses(here):
            shown = shown or here[0]
            _compare_refusal(here, got, tally)
            break
        if number == 0 and (want.error is not None or got.raised is not None):
            compare_error(want.error, got.raised, tally)
            shown = shown or next(iter(here), None)
            break
        before = expected[number - 1].state if number else None
        compare(before, want, got, tally)
        shown = shown or next((each for each in here if _shows(each, tally)), None)
        lapsed = _remove_allowed(here, tally, _beyond(before, want, got, tally))
        if tally.mismatches or lapsed is not None or any(each.ends for each in here):
            break
    return number, shown, lapsed


def _refuses(clauses: Sequence[Clause]) -> bool:
    """Whether one of the clauses says that an exception comes instead of a result."""
    return any(each.raises is not None for each in clauses)


def _check_complete(case: Case, expected: Expectations, tally: Tally, number: int, stopped: bool) -> None:
    """Check that everything was compared, up to the step before ``number`` if a clause stopped there."""
    if stopped and number == 0:
        return
    if stopped:
        case = dataclasses.replace(case, steps=case.steps[: number - 1])
        expected = expected[:number]
    check_complete(case, expected, tally.compared, tally.promise)


def _compare_refusal(clauses: Sequence[Clause], got: Observation, tally: Tally) -> None:
    """Compare the exception of a step with the one that a clause says comes instead of a result."""
    kinds = [each.raises for each in clauses if each.raises is not None]
    agrees = got.raised is not None and any(
        got.raised.kind == kind and re.search(pattern, got.raised.message) for kind, pattern in kinds
    )
    said = "no exception" if got.raised is None else f"{got.raised.kind}: {got.raised.message.strip()}"
    names = " or ".join(f"{kind} matching {pattern!r}" for kind, pattern in kinds)
    tally.matches("exception", agrees, said, f"{names} (clause {clauses[0].name!r})")


def _shows(clause: Clause, tally: Tally) -> bool:
    """Whether the deviation of a clause is seen; a clause without quantities was compared exactly."""
    return not clause.quantities or any(clause.allows(each.quantity) for each in tally.mismatches)


Beyond = Mapping[str, Sequence[Mismatch]]
"""Maps the name of a clause to the mismatches with the result it allows; absent: it allows any value."""


def _beyond(before: Optional[State], want: Expected, got: Observation, tally: Tally) -> Beyond:
    """Compare a step in which something differs with what clauses allow instead."""
    if not tally.mismatches:
        return {}
    found = {}
    for name, wider in want.allowances:
        again = Tally(tally.promise)
        compare(before, wider, got, again)
        found[name] = tuple(again.mismatches)
    return found


def _remove_allowed(clauses: Sequence[Clause], tally: Tally, beyond: Beyond) -> Optional[Clause]:
    """Remove from ``tally`` the mismatches that clauses allow; return a clause that has lapsed.

    ``beyond``: for clauses that allow only certain values, the mismatches with those values.
    """
    for clause in clauses:
        if clause.always and not _shows(clause, tally):
            return clause

    def allowed(mismatch: Mismatch) -> bool:
        return any(
            clause.allows(mismatch.quantity)
            and all(each.quantity != mismatch.quantity for each in beyond.get(clause.name, ()))
            for clause in clauses
        )

    if clauses:
        tally.mismatches[:] = [each for each in tally.mismatches if not allowed(each)]
    return None


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


def _errors(steps: Sequence[Optional[Step]], observations: Sequence[Observation]) -> List[str]:
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
