"""The few causes that explain all findings of a run, most likely first.

One fault shows in many cases and in several quantities. The causes are found in these steps:

1. Only the first step of a case that has findings counts: later findings are consequences. A case
   of the family ``state`` is run in parts, one for every operation, and this holds for each part.
   Where a step raises, or fails to raise, findings about its other effects are consequences, too.
   The remaining findings are an *incident*: those at one step of one case (``reports.incidents``).
2. Incidents that share a theme are a group: the same quantity, the same exception that was
   raised, or the same exception that should have been raised. The largest group is the most likely cause.
3. This cause takes in every other theme that occurs together with it in more than half of the theme's
   incidents, as a wrong mean makes the output wrong at the same step, and every theme that
   shows only in circumstances in which the cause always shows and no case passes.
4. The incidents that are explained are put aside, and the rest is grouped again.
"""

from __future__ import annotations

from collections import Counter
from typing import Dict, Iterable, List, Optional, Sequence, Set, Tuple

from reports.cause_text import REST, Cause, block
from reports.circumstances import Circumstances, family
from reports.incidents import Incident, incidents_of
from reports.rows import CaseRow, Found
from reports.symptoms import Symptom, Theme, symptom
from reports.tally import counted

SCREEN = 24
"""The largest number of lines that the causes of a run take."""

SLIGHT = 1e-6
"""An error below this looks like a rounding to a reader, whatever its budget."""

MOST = 60
"""The largest number of causes that are told apart. All further findings are one more cause."""


def causes(rows: Iterable[CaseRow]) -> Tuple[Cause, ...]:
    """Return the causes of all findings in ``rows``, those of most cases first."""
    rows = tuple(rows)
    incidents = [each for row in rows for each in incidents_of(row)]
    if not incidents:
        return ()
    circumstances = Circumstances(rows)
    left: Dict[Theme, Set[int]] = {}
    for number, incident in enumerate(incidents):
        for found in incident.findings:
            for theme in symptom(found).themes:
                left.setdefault(theme, set()).add(number)
    left = dict(sorted(left.items()))  # among groups of one size, the first by name comes first
    explained: List[Cause] = []
    while left:
        if len(explained) == MOST:
            rest: Set[int] = set().union(*left.values())
            explained.append(_cause(REST, [incidents[each] for each in sorted(rest)], circumstances))
            break
        theme = max(left, key=lambda each: len(left[each]))
        members = _members(theme, left, incidents, circumstances)
        explained.append(_cause(theme, [incidents[each] for each in sorted(members)], circumstances))
        left = {name: numbers - members for name, numbers in left.items() if numbers - members}
    return tuple(sorted(explained, key=lambda each: (-each.cases, each.id)))


def _members(
    theme: Theme, left: Dict[Theme, Set[int]], incidents: List[Incident], circumstances: Circumstances
) -> Set[int]:
    """Return the numbers of the incidents that the cause of ``theme`` explains (step 3 above)."""
    first = left[theme]
    members = set(first)
    for numbers in left.values():
        if 2 * len(numbers & first) > len(numbers):
            members |= numbers
    region = circumstances.only({incidents[each].row.id for each in members})
    if region is None:
        return members
    for numbers in left.values():
        if numbers <= members:
            continue
        there = [incidents[each].row.id for each in numbers]
        there = [case for case in there if family(case) == region.family]
        inside = sum(circumstances.within(case, region) for case in there)
        if inside == len(there) and 2 * inside > len(numbers):
            members |= numbers
    return members


def _cause(theme: Theme, members: List[Incident], circumstances: Circumstances) -> Cause:
    cases = {incident.row.id for incident in members}
    shown = [(found, incident.row) for incident in members for found in incident.findings]
    telling = [pair for pair in shown if theme in (REST, *symptom(pair[0]).themes)]
    raised = Counter(_texts(found) for found, _ in telling)
    usual = max(sorted(raised), key=lambda each: raised[each])
    telling = [pair for pair in telling if _texts(pair[0]) == usual]
    best = min(telling, key=lambda pair: _size(*pair))
    return Cause(
        theme=theme,
        cases=len(cases),
        findings=len(shown),
        id=best[1].id,
        found=best[0],
        symptoms=_symptoms(shown),
        raising=all(_raises(row, found.step) for found, row in shown),
        shared=(*circumstances.shared(cases), *_regime([found for found, _ in shown])),
        only=circumstances.only(cases),
        switches=tuple(
            sorted(frozenset.intersection(*(frozenset(found.switches) for found, _ in shown)))
        ),
    )


def _texts(found: Found) -> Tuple[str, str]:
    """Return the observed and the expected exception; empty if the finding is of another kind."""
    name = symptom(found)
    return name.got, name.expected


def _raises(row: CaseRow, step: int) -> bool:
    """Return whether a step of a case raised."""
    return any(error.startswith(f"{step} ") for error in row.errors)


def _symptoms(shown: List[Tuple[Found, CaseRow]]) -> Tuple[Tuple[Symptom, int, str], ...]:
    """Return each symptom, its number of findings and its shortest case, most frequent first."""
    counts = Counter(symptom(found) for found, _ in shown)
    shortest: Dict[Symptom, Tuple[Found, CaseRow]] = {}
    for pair in shown:
        name = symptom(pair[0])
        if name not in shortest or _size(*pair) < _size(*shortest[name]):
            shortest[name] = pair
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    return tuple((name, counts[name], shortest[name][1].id) for name in ordered)


def _size(found: Found, row: CaseRow) -> Tuple[bool, bool, int, int, int, str]:
    """Return the sort key that puts the shortest program on the smallest input first.

    A case in the circumstances of a known defect comes last, because it shows two faults, and before it a
    difference so small that it looks like a rounding.
    """
    values = [int(word[1:]) for word in row.id.split("-") if word[:1] == "n" and word[1:].isdecimal()]
    slight = found.error is not None and abs(found.error) < SLIGHT
    return row.defect is not None, slight, found.step, max(values, default=0), len(row.id), row.id


def _regime(findings: List[Found]) -> Tuple[str, ...]:
    regimes = {found.regime for found in findings}
    only = regimes.pop() if len(regimes) == 1 else ""
    return (f"channel regime {only}",) if only else ()


# --- text -------------------------------------------------------------------------------


def cause_lines(causes: Sequence[Cause], limit: Optional[int] = SCREEN, options: str = "") -> List[str]:
    """Return the causes as text of at most ``limit`` lines, those of most cases first.

    ``limit``: None for all causes, with all quantities and no line cut. ``options``: the options besides
    --case that run a case again, with a space before them.
    """
    if not causes:
        return []
    findings = sum(cause.findings for cause in causes)
    verb = "explains" if len(causes) == 1 else "explain"
    lines = [f"{counted(len(causes), 'cause')} {verb} {counted(findings, 'finding')}, most likely first:"]
    for number, cause in enumerate(causes, start=1):
        text = block(number, cause, options, whole=limit is None)
        if limit is not None and len(lines) + len(text) + (number < len(causes)) > limit:
            left = causes[number - 1 :]
            cases = counted(sum(each.cases for each in left), "case")
            lines.append(f"  ... and {counted(len(left), 'more cause')} of {cases} (--all shows them)")
            break
        lines += text
    return lines
