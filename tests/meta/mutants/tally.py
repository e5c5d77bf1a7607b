"""The tally of mutants: kill counts, and whether every survivor is explained."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

from tests.meta.mutants.equivalent import Survivor
from tests.meta.mutants.generate import Key
from tests.meta.mutants.run import Outcome


@dataclass(frozen=True)
class OperatorRow:
    """The number of an operator's mutants of a source, and how many of them were killed."""

    source: str
    operator: str
    killed: int
    total: int


def operator_rows(outcomes: Sequence[Outcome]) -> List[OperatorRow]:
    """Return one row for each source and operator, in order, and a sum for each source, under ``all``."""
    total: Counter[Tuple[str, str]] = Counter()
    killed: Counter[Tuple[str, str]] = Counter()
    for outcome in outcomes:
        for operator in (outcome.mutant.key.operator, "all"):
            total[outcome.source, operator] += 1
            killed[outcome.source, operator] += outcome.caught is not None
    ordered = sorted(total, key=lambda pair: (pair[0], pair[1] == "all", pair[1]))
    return [OperatorRow(*pair, killed[pair], total[pair]) for pair in ordered]


def _told(source: str, key: Key) -> str:
    return f"{source} {key.function}, {key.operator}: {key.line}: {key.change} (#{key.repeat})"


def unexplained(outcomes: Sequence[Outcome], table: Sequence[Survivor]) -> List[str]:
    """Return the contradictions between the outcomes of all mutants and the table, as texts.

    They are: a survivor that is not listed, a listed mutant that was killed, and one that does not exist.
    """
    listed: Dict[Tuple[str, Key], Survivor] = {(each.source, each.key): each for each in table}
    problems: List[str] = []
    for outcome in outcomes:
        key = outcome.mutant.key
        known = listed.pop((outcome.source, key), None)
        if outcome.caught is None and known is None:
            problems.append(f"survives without a reason: {_told(outcome.source, key)}")
        if outcome.caught is not None and known is not None:
            by = f"{outcome.caught.case_id}: {outcome.caught.shown}"
            problems.append(f"listed, but killed: {_told(outcome.source, key)} by {by}")
    return problems + [f"listed, but no such mutant: {_told(*place)}" for place in listed]
