"""The first sentences of the page, on the runs and how they ended."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence

from reports.comparison import defect_counts
from reports.rows import CONTRACT, FINDING, KNOWN_DEFECT, NOT_APPLICABLE, PASS
from reports.site.columns import RELEASES, Column
from reports.tally import applicable, counted, listed, outcome_counts


class Verdict(NamedTuple):
    """The outcome of all columns together, and a sentence on it."""

    outcome: str
    text: str


def lead(given: Sequence[Column]) -> str:
    """Return a sentence on the number of cases and on the columns."""
    cases = len({row.id for column in given for row in column.record.rows})
    groups: Dict[str, List[Column]] = {}
    for column in given:
        groups.setdefault(column.group, []).append(column)
    parts = [_columns(group, members) for group, members in groups.items()]
    tiers = ", ".join(sorted({column.record.header.tier for column in given}))
    return f"{cases:,} {'case' if cases == 1 else 'cases'} of the tier {tiers} on {', '.join(parts)}."


def _columns(group: str, members: Sequence[Column]) -> str:
    """Return the columns of a group in words: by name, or releases by the first and the last."""
    names = [column.name for column in members]
    if len(members) == 1:
        return members[0].title
    if group == RELEASES:
        return f"{len(members)} {group} ({names[0]} to {names[-1]})"
    return f"{len(members)} {group} ({listed(names, most=6)})"


def verdict(given: Sequence[Column]) -> Verdict:
    """Return the outcome of all columns together."""
    wrong = [column for column in given if column.record.footer.outcomes.get(FINDING)]
    note = f"{_missing(given)}{_applicable(given)}"
    if wrong:
        parts = [
            f"{counted(column.record.footer.outcomes[FINDING], 'finding')} on {column.title}"
            for column in wrong
        ]
        return Verdict(FINDING, f"{'; '.join(parts)}.{note}")
    finished = all(column.finished for column in given)
    known = {name for column in given for name in defect_counts(column.record.rows)}
    ways = ["is as specified"]
    if any(column.record.footer.outcomes.get(CONTRACT) for column in given):
        ways.append("is within its contract")
    if known:
        ways.append(f"shows exactly one of {counted(len(known), 'known defect')} of torch")
    outcome = PASS if finished else KNOWN_DEFECT
    return Verdict(outcome, f"No findings: every case {', or '.join(ways)}.{note}")


def _missing(given: Sequence[Column]) -> str:
    """Return a sentence that names the runs that did not finish, "" where all did."""
    names = [column.name for column in given if not column.finished]
    return f" Not finished: {', '.join(names)}; cases may be missing." if names else ""


def _applicable(given: Sequence[Column]) -> str:
    """Return a sentence on the columns in which not every case is applicable, "" where there are none."""
    parts = [
        f"{column.name} {applicable(outcome_counts(column.record.rows))}"
        for column in given
        if column.record.footer.outcomes.get(NOT_APPLICABLE)
    ]
    return f" Applicable cases: {listed(parts, most=8)}." if parts else ""
