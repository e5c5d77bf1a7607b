"""The shortest way to show a finding: fewer steps, one channel, and a script that was tried."""

from __future__ import annotations

import dataclasses
from typing import List, NamedTuple, Optional, Tuple

from cases.case import Case
from cases.steps import Step
from oracle.semantics import Semantics
from tests.failure.replay import printed
from tests.failure.script import can_be_narrowed, standalone
from tests.subject.module import Factory
from tests.verdict.result import Finding, Result, run

LARGE = "n102400"
"""Inputs so large that trying takes longer than reading."""

STEPS = 24
"""Programs up to this length are shortened step by step."""


class Reproduction(NamedTuple):
    """A program that ends with the finding. ``raising``: its earlier steps that raise as they should."""

    case: Case
    finding: Finding
    raising: Tuple[int, ...]


def _raising(result: Result) -> Tuple[int, ...]:
    return tuple(int(error.split(" ", 1)[0]) for error in result.errors)


def _tried(case: Case, wanted: Finding, factory: Factory, rules: Semantics) -> Optional[Reproduction]:
    """The program's own finding, if it is at its last step and is the one wanted."""
    try:
        result = run(case, factory, rules)
    except Exception:  # a subject that cannot even be observed
        return None
    if not result.findings:
        return None
    found, target = result.findings[0], wanted.mismatch
    same = (found.mismatch.quantity, found.mismatch.index, found.mismatch.got) == (
        target.quantity, target.index, target.got,
    ) and found.mismatch.expected == target.expected  # fmt: skip
    return Reproduction(case, found, _raising(result)) if same and found.step == len(case.steps) else None


def shortest(result: Result, factory: Factory, rules: Semantics) -> Reproduction:
    """The result's first finding with the steps that it needs: the same numbers, got and expected."""
    finding = result.findings[0]
    case = dataclasses.replace(result.case, steps=result.case.steps[: finding.step])
    best = Reproduction(case, finding, _raising(result))
    if finding.step == 0 or case.variant.shape == LARGE:
        return best

    def attempt(steps: Tuple[Step, ...]) -> bool:
        nonlocal best
        found = _tried(dataclasses.replace(case, steps=steps), finding, factory, rules)
        best = found or best
        return found is not None

    length = 1
    while length < finding.step and not attempt(case.steps[-length:]):
        length *= 2
    kept: List[Step] = list(best.case.steps)
    fewer = len(kept) <= STEPS
    while fewer:  # a step may be needed by a later one alone, so until none can go
        fewer = False
        for place in reversed(range(len(kept) - 1)):
            if attempt(tuple(kept[:place] + kept[place + 1 :])):
                del kept[place]
                fewer = True
    return best


def script(found: Reproduction, subject: str, threads: int = 1) -> str:
    """The script; of one channel if that shows the finding, else of all.

    One that has random numbers in place of a large input is not tried.
    """
    case, finding, raising = found
    expected = f"got      {finding.mismatch.got}"
    attempts = []
    for narrow in (True, False) if can_be_narrowed(case, finding) else (False,):
        attempts.append(standalone(case, finding, subject, narrow, raising, threads))
        if "torch.randn" in attempts[0] or expected in printed(attempts[-1]):
            return attempts[-1]
    return f"# tried: it prints something else than {finding.mismatch.got!r}\n{attempts[0]}"
