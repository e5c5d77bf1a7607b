"""Counts and extremes over the cases of one run."""

from __future__ import annotations

import decimal
import math
import statistics
from collections import Counter
from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from reports.rows import (
    CONTRACT,
    CPU,
    EAGER,
    FINDING,
    KNOWN_DEFECT,
    MODULE,
    NOT_APPLICABLE,
    OUTCOMES,
    PASS,
    CaseRow,
    Extremes,
    Header,
)
from reports.visible import visible

FIRST: Tuple[str, ...] = ("output", "running_mean", "running_var")
"""The quantities that are shown first; the others follow by name."""

_THREE_DIGITS = decimal.Context(prec=3, rounding=decimal.ROUND_CEILING)


@dataclass(frozen=True)
class Peak:
    """The largest value of something, and the case that has it."""

    value: float
    case: str


@dataclass(frozen=True)
class Usage:
    """The part of its budget that one quantity used, and the smallest error that it can detect.

    ``largest`` and ``median`` are of the largest |error| / budget of each case; ``detectable`` is the
    worst of the smallest relative errors that the cases can detect.
    """

    quantity: str
    largest: Optional[Peak]
    median: Optional[float]
    detectable: Optional[Peak]


@dataclass(frozen=True)
class Tally:
    """The sum over the cases of a run."""

    cases: int
    outcomes: Mapping[str, int]
    forwards: int
    compared: Mapping[str, int]
    usage: Tuple[Usage, ...]


def tally(rows: Sequence[CaseRow]) -> Tally:
    """Return the sum over ``rows``."""
    compared: Dict[str, int] = {}
    for row in rows:
        for quantity, count in row.compared.items():
            compared[quantity] = compared.get(quantity, 0) + count
    budgeted = {name for row in rows for name in (*row.share, *row.detectable)}
    return Tally(
        cases=len(rows),
        outcomes=outcome_counts(rows),
        forwards=sum(row.forwards for row in rows),
        compared={name: compared[name] for name in in_order(compared)},
        usage=tuple(_usage(name, rows) for name in in_order(budgeted)),
    )


def outcome_counts(rows: Iterable[CaseRow]) -> Dict[str, int]:
    """Return the number of rows of every outcome, zeros included."""
    counts = dict.fromkeys(OUTCOMES, 0)
    for row in rows:
        counts[row.outcome] += 1
    return counts


def by_behaviour(rows: Iterable[CaseRow]) -> Dict[str, List[CaseRow]]:
    """Return the rows of every behaviour, behaviours by name."""
    groups: Dict[str, List[CaseRow]] = {}
    for row in rows:
        groups.setdefault(row.behaviour, []).append(row)
    return dict(sorted(groups.items()))


def by_frequency(names: Iterable[str]) -> List[Tuple[str, int]]:
    """Return each name with how often it occurs, the most frequent first, then by name."""
    return sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0]))


def in_order(quantities: Iterable[str]) -> List[str]:
    """Return quantities in the order of display: those of FIRST, then the others by name."""
    names = set(quantities)
    return [name for name in FIRST if name in names] + sorted(names.difference(FIRST))


def reach(extremes: Extremes) -> float:
    """Return the largest magnitude between signed extremes; infinite for NaN."""
    low, high = extremes
    if math.isnan(low) or math.isnan(high):
        return math.inf
    return max(abs(low), abs(high))


def peak(values: Iterable[Tuple[float, str]]) -> Optional[Peak]:
    """Return the largest of (value, case), of equal ones the first case by id."""
    best: Optional[Peak] = None
    for value, case in values:
        if best is None or (-value, case) < (-best.value, best.case):
            best = Peak(value, case)
    return best


def _usage(quantity: str, rows: Sequence[CaseRow]) -> Usage:
    shares = [(reach(row.share[quantity]), row.id) for row in rows if quantity in row.share]
    return Usage(
        quantity=quantity,
        largest=peak(shares),
        median=statistics.median(share for share, _ in shares) if shares else None,
        detectable=peak((row.detectable[quantity], row.id) for row in rows if quantity in row.detectable),
    )


# --- the table at the end of a run ------------------------------------------------------


def summary_lines(header: Header, rows: Sequence[CaseRow]) -> List[str]:
    """Return the short table that a run ends with."""
    total = tally(rows)
    torch = f"torch {header.torch}" if header.torch else f"rules of torch {header.release}"
    lines = [f"{torch} | {header.subject} | tier {header.tier} | seed {header.seed}"]
    claimed = claim(header)
    if claimed:
        lines.append(claimed)
    if header.selection is not None:
        lines.append(f"a selection of the tier: {header.selection}")
    if not header.release_in_table:
        lines.append(
            f"release {header.release} is not in the table of semantics: the newest were expected"
        )
    lines.extend(_counts(total, in_part(rows)))
    lines.extend(reasons(rows))
    if total.usage:
        lines.append("")
        lines.extend(_usage_table(total))
    return [visible(line) for line in lines]


def claim(header: Header) -> str:
    """Return what is tested, and what of it, where that is not all of torch's eager module on the CPU."""
    parts = [] if header.implementation is None else [header.implementation]
    for name, usual in (("promise", MODULE), ("path", EAGER), ("device", CPU)):
        given = getattr(header, name)
        parts += [f"{name} {given}"] if given != usual else []
    return " | ".join(parts)


def applicable(outcomes: Mapping[str, int]) -> str:
    """Return how many of all cases were judged to their end, as "812 of 10,328 (7.86 %)"."""
    cases = sum(outcomes.values())
    judged = cases - outcomes[NOT_APPLICABLE]
    share = f" ({100 * judged / cases:.3g} %)" if cases else ""
    return f"{judged:,} of {cases:,}{share}"


def in_part(rows: Iterable[CaseRow]) -> int:
    """Return in how many cases that are not applicable a forward agreed before the step in question."""
    return sum(row.outcome == NOT_APPLICABLE and row.forwards > 0 for row in rows)


MOST_REASONS = 12
"""The number of reasons that have lines of their own."""


def reasons(rows: Iterable[CaseRow]) -> List[str]:
    """Return a line for each reason why cases are not applicable, or within the contract, with its count.

    The most frequent come first. There are none for a subject that offers and promises everything.
    """
    lines: List[str] = []
    for outcome, title in ((NOT_APPLICABLE, "not applicable"), (CONTRACT, "within the contract")):
        counts = by_frequency(
            row.reason if row.clause is None else f"{row.clause}: {row.reason}"
            for row in rows
            if row.outcome == outcome
        )
        lines += [f"{title}: {count:>6}  {text}" for text, count in counts[:MOST_REASONS]]
        others = counts[MOST_REASONS:]
        if others:
            left = sum(count for _, count in others)
            lines.append(f"{title}: {left:>6}  for {counted(len(others), 'other reason')}")
    return lines


def _counts(total: Tally, part: int) -> List[str]:
    budgeted = {usage.quantity for usage in total.usage}
    exact = [(name, count) for name, count in total.compared.items() if name not in budgeted]
    pairs = [
        ("cases", f"{total.cases} ({total.outcomes[PASS]} pass)"),
        ("findings", counted(total.outcomes[FINDING], "case")),
        *_unusual(total, part),
        ("known defects", counted(total.outcomes[KNOWN_DEFECT], "case")),
        ("forwards checked", str(total.forwards)),
        ("quantities compared", str(sum(total.compared.values()))),
    ]
    if exact:
        text = ", ".join(f"{name} {count}" for name, count in exact)
        pairs.append(("compared exactly", text))
    return [f"{name:<21}{text}" for name, text in pairs]


def _unusual(total: Tally, part: int) -> List[Tuple[str, str]]:
    """Return the counts that only a subject with a smaller promise, fewer offers or a contract has."""
    pairs = []
    if total.outcomes[NOT_APPLICABLE]:
        partly = f", and {part:,} in part" if part else ""
        pairs.append(("applicable", applicable(total.outcomes) + partly))
    if total.outcomes[CONTRACT]:
        pairs.append(("within the contract", counted(total.outcomes[CONTRACT], "case")))
    return pairs


def _usage_table(total: Tally) -> List[str]:
    table = "{:<21}{:>10}{:>12}{:>12}{:>22}".format
    lines = [
        table("", "", "budget used", "", "worst detectable"),
        table("", "compared", "max", "median", "relative error"),
    ]
    lines.extend(
        table(
            usage.quantity,
            total.compared.get(usage.quantity, 0),
            "-" if usage.largest is None else percent(usage.largest.value),
            "-" if usage.median is None else percent(usage.median),
            "-" if usage.detectable is None else short(usage.detectable.value),
        )
        for usage in total.usage
    )
    return lines


def percent(share: float) -> str:
    """Return a share as a percentage with three significant digits, rounded up."""
    return f"{_rounded_up(decimal.Decimal(repr(float(share))).scaleb(2))} %"


def short(value: float) -> str:
    """Return a number with three significant digits, rounded up, so that a bound is still a bound."""
    return _rounded_up(decimal.Decimal(repr(float(value))))


def _rounded_up(value: decimal.Decimal) -> str:
    return f"{float(_THREE_DIGITS.plus(value)):g}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun, in the plural unless the count is one."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def listed(names: Iterable[str], most: int = 3) -> str:
    """Return the first ``most`` names, and how many more there are."""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
