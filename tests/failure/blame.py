"""Finds the release switches that explain a finding: those whose other side shows what was seen."""

from __future__ import annotations

import dataclasses
from typing import List, Tuple

from oracle.semantics import SWITCHES, Semantics
from tests.subject.subject import Subject
from tests.verdict.program import program
from tests.verdict.result import Result, observed, result_of


def explaining(result: Result, subject: Subject, semantics: Semantics) -> Tuple[str, ...]:
    """Return the switches with whose other side the program has no finding up to its first one.

    The program is run once more. A subject that behaves differently the second time gets no switches.
    """
    if not result.findings or not result.switches:
        return ()
    case = dataclasses.replace(result.case, steps=result.case.steps[: result.findings[0].step])
    judged = program(case, subject, semantics)
    observations = observed(judged)
    if not result_of(judged, observations).findings:
        return ()
    names = []
    for name in result.switches:
        flipped = dataclasses.replace(semantics, holding=semantics.holding ^ {name})
        other = program(case, subject, flipped)
        if other.case == judged.case and not result_of(other, observations).findings:
            names.append(name)
    return tuple(names)


def described(names: Tuple[str, ...], semantics: Semantics) -> List[str]:
    """Return the lines that name the switches of a finding and both their sides."""
    release = ".".join(map(str, semantics.release))
    lines = []
    for switch in SWITCHES:
        if switch.name in names:
            inside = switch.name in semantics.holding
            here, there = (switch.inside, switch.outside)[:: 1 if inside else -1]
            lines += [
                f"the other side of switch {switch.name!r} explains it ({switch.source}):",
                f"  expected on {release}: {here}",
                f"  seen: {there}",
            ]
    return lines
