"""Runs one case: subject and oracle side by side, then compared."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Callable, Dict, List, Mapping, Optional, Set, Tuple

from cases.case import Case
from cases.spelling import token
from cases.steps import Forward, Forwards, Step
from cases.variants import regimes
from oracle.semantics import Semantics
from oracle.state import FLAGS, TENSORS, Expected, State
from tests.agreement import Columns, agreed
from tests.compare import Tally, compare, compare_error
from tests.forecast import Expectations, compute, expectations
from tests.judgement import Mismatch
from tests.subject.module import Factory, LiveModule, NotConstructed
from tests.subject.observation import Observation, Raised

_FORWARDS = (Forward, Forwards)
"""The steps that give an output to check."""

NOT_HASHED = "0" * 16
"""The digest of a run that is not recorded."""


@dataclass(frozen=True)
class Finding:
    """A mismatch and where in the program it stands. ``step`` 0 is construction."""

    mismatch: Mismatch
    step: int
    token: str
    regime: str
    switches: Tuple[str, ...]


@dataclass
class Result:
    """What running one case gave. ``errors``: the exceptions, each with its step."""

    case: Case
    tally: Tally = field(default_factory=Tally)
    findings: List[Finding] = field(default_factory=list)
    forwards: int = 0
    errors: List[str] = field(default_factory=list)
    switches: Set[str] = field(default_factory=set)
    digest: str = NOT_HASHED

    @cached_property
    def compared(self) -> Mapping[str, int]:
        """How often each quantity was compared, once the run is over."""
        return self.tally.compared


class VacuousCase(AssertionError):
    """A case compared fewer quantities than its program implies."""


def _regime(case: Case, mismatch: Mismatch) -> str:
    axis = {4: 1, 1: 0}.get(len(mismatch.index))
    if axis is None:
        return ""
    words = regimes(case.variant)
    channel = mismatch.index[axis]
    return words[channel] if channel < len(words) else ""


def _digest(observations: List[Observation]) -> str:
    """A hash of the subject's bytes."""
    digest = hashlib.blake2b(digest_size=8)
    for got in observations:
        if got.output is not None:
            digest.update(got.output.values.tobytes())
        for tensor in got.tensors:
            digest.update(b"-" if tensor is None else tensor.data)
    return digest.hexdigest()


_ASPECTS = ("", " is the same object", " has a grad_fn", " requires_grad", " dtype", " shape")
_OF_TENSOR = {name: tuple(name + aspect for aspect in _ASPECTS) for name in TENSORS}
"""What is compared of every tensor that is there."""
_OF_OUTPUTS = (
    "output",
    "output_dtype",
    "output_shape",
    "output_shares_input",
    "output_requires_grad",
    "earlier_output_changed",
)
"""What is compared of every output."""


@lru_cache(maxsize=None)
def _implied(
    steps: int, strides: Tuple[str, ...], absent: Tuple[int, ...], shown: int, copied: int
) -> Dict[str, int]:
    """How often each quantity must have been compared in a program of so many steps.

    ``strides``: of each output. ``absent``: for each of TENSORS, after how many steps it is not there.
    """
    implied = dict.fromkeys(("exception", "input_changed", "output present", *FLAGS), steps)
    implied.update(dict.fromkeys(_OF_OUTPUTS, len(strides)))
    for each in ("contiguous", "channels_last"):
        implied[f"output_strides {each}"] = strides.count(each)
    for name, count in zip(TENSORS, absent):
        implied[f"{name} present"] = count
        implied.update(dict.fromkeys(_OF_TENSOR[name], steps - count))
    implied["shown"] = shown
    implied["memory shared with the original"] = copied
    return {name: count for name, count in implied.items() if count}


def _check_not_vacuous(case: Case, expected: Columns, compared: Mapping[str, int]) -> None:
    """Against what the program alone says, not what was performed of it."""
    implied = _implied(
        1 if expected.errors[0] is not None else 1 + len(case.steps),
        tuple([each.strides for each in expected.outputs if each is not None]),
        expected.absent,
        len(expected.shown) - expected.shown.count(None),
        expected.copied.count(True),
    )
    if compared == implied:
        return
    for quantity, count in implied.items():
        if compared.get(quantity, 0) < count:
            raise VacuousCase(
                f"{case.id}: {quantity} was compared {compared.get(quantity, 0)} times; "
                f"the program implies {count}"
            )


Witness = Callable[[int, Expected, Observation], None]


def run(
    case: Case,
    factory: Factory,
    semantics: Semantics,
    record: bool = False,
    witness: Optional[Witness] = None,
    foreseen: Optional[Expectations] = None,
) -> Result:
    """Runs the whole program on both, then compares: all steps, or up to the first with findings.

    ``record``: also hash the subject's bytes, and tell errors in units in the last place. ``witness``:
    is shown number, expectation and observation of every step that was compared. ``foreseen``: what
    the oracle has said of this case with these semantics already. Raises VacuousCase when something
    was not compared.
    """
    expected = _expected(case, semantics) if foreseen is None else foreseen
    try:
        observed = _observed(case, factory, expected[0].error is None)
    except NotConstructed as failure:
        return _not_constructed(case, expected[0], failure.raised)
    return _compared(case, expected, observed, record, witness)


def _expected(case: Case, semantics: Semantics) -> Expectations:
    expected = expectations(case, semantics)
    compute(expected)
    return expected


def _not_constructed(case: Case, expected: Expected, raised: Raised) -> Result:
    result = Result(case, switches=set(expected.switches))
    result.errors.append(f"0 construct {raised.kind} {_line(raised.message)}")
    compare_error(expected, Observation(None, raised, (), (), ()), result.tally)
    _note(result, 0, None, expected)
    return result


def _compared(
    case: Case,
    expectations: Expectations,
    observations: List[Observation],
    record: bool,
    witness: Optional[Witness],
) -> Result:
    columns = Columns.of(expectations)
    tally = agreed(columns, observations, record)
    if tally is None:
        result, performed = _compared_in_steps(case, expectations, observations, record)
    else:
        result, performed = Result(case, tally), len(observations)
    result.switches.update(*columns.switches[:performed])
    _describe(result, observations[:performed])
    if not result.findings:
        _check_not_vacuous(case, columns, result.compared)
    if record:
        result.digest = _digest(observations[:performed])
    if witness is not None:
        for number, (expected, got) in enumerate(zip(expectations[:performed], observations)):
            witness(number, expected, got)
    return result


def _compared_in_steps(
    case: Case, expectations: Expectations, observations: List[Observation], record: bool
) -> Tuple[Result, int]:
    """Up to the first step with findings; also how many steps were compared."""
    result = Result(case, Tally(record))
    before: Optional[State] = None
    steps: Tuple[Optional[Step], ...] = (None, *case.steps)
    for number, (expected, got) in enumerate(zip(expectations, observations)):
        compare(before, expected, got, result.tally)
        before = expected.state
        if result.tally.mismatches:
            _note(result, number, steps[number], expected)
            return result, number + 1
    return result, len(observations)


def _describe(result: Result, observations: List[Observation]) -> None:
    """Forwards and exceptions of the steps that were compared."""
    steps: Tuple[Optional[Step], ...] = (None, *result.case.steps)
    kinds = list(map(type, steps[: len(observations)]))
    result.forwards += sum(map(kinds.count, _FORWARDS))
    for number, got in enumerate(observations):
        if got.raised is not None:
            words = f"{got.raised.kind} {_line(got.raised.message)}"
            result.errors.append(f"{number} {_token(steps[number])} {words}")


def _observed(case: Case, factory: Factory, whole: bool) -> List[Observation]:
    """What the subject shows after construction and, if ``whole``, after every step."""
    live = LiveModule(factory, case.config, case.variant)
    observations = [live.perform(None)]
    if whole:
        observations += [live.perform(step) for step in case.steps]
    return observations


def _line(message: str) -> str:
    return message.strip().splitlines()[0] if message.strip() else ""


def _token(step: Optional[Step]) -> str:
    return "construct" if step is None else token(step)


def _note(result: Result, number: int, step: Optional[Step], expected: Expected) -> None:
    for mismatch in result.tally.mismatches:
        regime = _regime(result.case, mismatch)
        result.findings.append(
            Finding(mismatch, number, _token(step), regime, expected.switches)
        )
