"""Runs one case: oracle and subject side by side, step by step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional, Set, Tuple

from cases.case import Case
from cases.steps import Forward, Step, token
from cases.variants import regimes
from oracle.batch_norm import advance, begin
from oracle.semantics import Semantics
from oracle.state import FLAGS, TENSORS, Expected, State
from tests.compare import Tally, compare, compare_error
from tests.judgement import Mismatch
from tests.subject.module import Factory, LiveModule, NotConstructed
from tests.subject.observation import Observation

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


class VacuousCase(AssertionError):
    """A case compared fewer quantities than its program implies."""


def _regime(case: Case, mismatch: Mismatch) -> str:
    axis = {4: 1, 1: 0}.get(len(mismatch.index))
    if axis is None:
        return ""
    words = regimes(case.variant)
    channel = mismatch.index[axis]
    return words[channel] if channel < len(words) else ""


class _Digest:
    """A running hash of the subject's bytes."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=8)

    def add(self, got: Observation) -> None:
        if got.output is not None:
            self._hash.update(got.output.values.tobytes())
        for tensor in got.tensors:
            self._hash.update(b"-" if tensor is None else tensor.values.tobytes())

    def hex(self) -> str:
        return self._hash.hexdigest()


_ASPECTS = ("", " is the same object", " has a grad_fn", " requires_grad", " dtype", " shape")
"""What is compared of every tensor that is there."""


def _implied(case: Case, performed: List[Expected]) -> Dict[str, int]:
    """How often the program alone says that each quantity must have been compared."""
    steps = 1 if performed[0].error is not None else 1 + len(case.steps)
    outputs = [expected.output for expected in performed if expected.output is not None]
    implied = dict.fromkeys(("exception", "input_changed", "output present", *FLAGS), steps)
    implied["earlier_output_changed"] = len(outputs)
    implied["shown"] = sum(each.shown is not None for each in performed)
    for aspect in ("", "_dtype", "_shape", "_shares_input", "_requires_grad"):
        implied["output" + aspect] = len(outputs)
    for strides in ("contiguous", "channels_last"):
        implied[f"output_strides {strides}"] = sum(each.strides == strides for each in outputs)
    states = [expected.state for expected in performed]
    for name in TENSORS:
        there = sum([getattr(state, name) is not None for state in states])
        implied[f"{name} present"] = len(performed) - there
        for aspect in _ASPECTS:
            implied[name + aspect] = there
    implied["memory shared with the original"] = sum(each.copied for each in performed)
    return implied


def _check_not_vacuous(case: Case, performed: List[Expected], tally: Tally) -> None:
    compared = tally.compared
    for quantity, count in _implied(case, performed).items():
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
) -> Result:
    """Runs the whole program, stopping at the first step that has findings.

    ``record``: also hash the subject's bytes. ``witness``: is shown every step's number, expectation
    and observation. Raises VacuousCase when something was not compared.
    """
    result = Result(case)
    digest = _Digest() if record else None
    expected = begin(case.config, case.variant, semantics)
    result.switches.update(expected.switches)
    before: Optional[State] = None
    try:
        live = LiveModule(factory, case.config, case.variant)
    except NotConstructed as failure:
        got = Observation(None, failure.raised, (), ())
        result.errors.append(f"0 construct {failure.raised.kind} {_line(failure.raised.message)}")
        compare_error(expected, got, result.tally)
        _note(result, 0, None, expected)
        return result
    performed: List[Expected] = []
    steps: Tuple[Optional[Step], ...] = (None,) + case.steps
    for number, step in enumerate(steps):
        if step is not None:
            before = expected.state
            expected = advance(before, step, case.variant, semantics)
            if expected.switches:
                result.switches.update(expected.switches)
        got = live.perform(step)
        result.forwards += type(step) is Forward
        if got.raised is not None:
            words = f"{got.raised.kind} {_line(got.raised.message)}"
            result.errors.append(f"{number} {_token(step)} {words}")
        compare(before, expected, got, result.tally)
        if witness is not None:
            witness(number, expected, got)
        if digest is not None:
            digest.add(got)
        performed.append(expected)
        if result.tally.mismatches:
            _note(result, number, step, expected)
            break
        if number == 0 and expected.error is not None:
            break
    if not result.findings:
        _check_not_vacuous(case, performed, result.tally)
    if digest is not None:
        result.digest = digest.hex()
    return result


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
