"""Texts about a whole run, and checks of a whole run.

Imports neither torch nor NumPy: the controller of a run with workers does not need them.
"""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List, Optional, Sequence

from cases import catalogue, claims, states
from cases.spelling import token
from oracle.defects import DEFECTS
from oracle.semantics import SWITCHES
from oracle.switch import Release
from reports.rows import FINDING, KNOWN_DEFECT, NOT_APPLICABLE, PASS, CaseRow
from reports.tally import by_behaviour
from tests.conformance.parametrisation import case_in


def ids_of(tier: str, seed: int) -> Iterator[str]:
    """Return the ids of all cases that a run of the whole tier must have."""
    for family in catalogue.FAMILIES:
        suffix = f"-seed{seed}" if seed and family == "matrix" else ""
        for each in catalogue.ids(family, tier):
            yield each + suffix


def without_row(missing: Iterable[str]) -> List[str]:
    """Return a line when there are cases that were never judged; ``missing``: their ids or node ids."""
    ids = sorted(missing)
    if not ids:
        return []
    return [f"{len(ids)} case(s) left no row, so nothing is known of them; first: {case_in(ids[0])}"]


def next_command(first: Optional[str], again: str) -> List[str]:
    """Return the line that says what to run after a failed run; none without a failure.

    ``first``: the id of the first case that failed. ``again``: the options that the run was given.
    """
    return [] if first is None else [f"next, the first of them alone: pytest --case '{first}'{again} -v"]


def unexercised(rows: Iterable[CaseRow], holding: Dict[str, bool]) -> List[str]:
    """Return one line for each switch that the run should have exercised and did not.

    A passing case that consulted a switch exercises it, whichever its side. A switch that is masked by
    another one that holds cannot be consulted, and so must not be said to hold.
    """
    seen = {name for each in rows if each.outcome in (PASS, KNOWN_DEFECT) for name in each.switches}
    lines = []
    for switch in SWITCHES:
        if switch.name in seen:
            continue
        masks = [mask for mask in switch.masked_by if holding.get(mask, False)]
        if masks:
            if holding.get(switch.name, False):
                lines.append(
                    f"switch {switch.name!r} is said to hold on this release, where {masks[0]!r} "
                    "holds and hides it: one of the intervals in oracle/semantics.py is wrong"
                )
            continue
        side = "inside" if holding.get(switch.name, False) else "outside"
        lines.append(
            f"switch {switch.name!r} ({side} its interval on this release) was seen in no passing "
            "case: its interval in oracle/semantics.py is wrong, or a case is missing"
        )
    return lines


def unshown(rows: Iterable[CaseRow], release: Release) -> List[str]:
    """Return one line for each known defect of the release that no case has shown.

    In many of a defect's circumstances, what is seen is within the budget of what is right, so a single
    case cannot tell that the defect is gone; a whole tier can.
    """
    shown = {each.defect for each in rows}
    return [
        f"known defect {defect.name!r} of this release was shown by no case: it is gone, its releases in "
        "oracle/defects.py are wrong, or a case is missing"
        for defect in DEFECTS
        if defect.on(release) and defect.name not in shown
    ]


def unmet(rows: Iterable[CaseRow], clauses: Iterable[str]) -> List[str]:
    """Return one line for each clause of the contract whose deviation no case has shown."""
    shown = {each.clause for each in rows}
    return [
        f"clause {name!r} of the contract was met by no case: it is gone, its circumstances are wrong, "
        "or a case is missing"
        for name in clauses
        if name not in shown
    ]


def nothing_judged(rows: Sequence[CaseRow]) -> List[str]:
    """Return a line where every case is not applicable, so that nothing is known of the subject."""
    if not rows or any(row.outcome != NOT_APPLICABLE for row in rows):
        return []
    return [
        f"none of {len(rows)} case(s) is applicable, for the reasons above, so nothing is known: "
        "offer more, or ask for other cases"
    ]


def verdict_counts(rows: Iterable[CaseRow], holding: Dict[str, bool]) -> List[str]:
    """Return a line that counts the verdicts on the public texts; none when no claim was run."""
    counts = dict.fromkeys(claims.VERDICTS, 0)
    for each in rows:
        claim = claims.CASES.get(each.id)
        if claim is not None and each.outcome == PASS:
            counts[claims.verdict(claim, holding)] += 1
    if not any(counts.values()):
        return []
    words = ", ".join(f"{n} {word}" for word, n in counts.items())
    return [f"statements of the public texts: {words}"]


def coverage(rows: Sequence[CaseRow]) -> List[str]:
    """Return a line that says how many of all operations were performed in how many of all states."""
    done = sum(each.outcome == PASS for each in rows if each.id.startswith(states.FAMILY + "-"))
    if not done:
        return []
    operations = len({token(step) for step in states.OPERATIONS})
    total = len(states.STATES) * operations
    return [
        f"states x operations: {done * operations:,} of {total:,} "
        f"({len(states.STATES)} states, {operations} operations)"
    ]


def counts(lines: Sequence[str]) -> List[str]:
    """Return the first lines of the table, up to the count of known defects."""
    defects = (place for place, line in enumerate(lines) if line.startswith("known defects"))
    end = next(defects, len(lines))
    return list(lines[: end + 1])


SHOWN_BEHAVIOURS = 12


def behaviours(rows: Sequence[CaseRow]) -> List[str]:
    """Return the verdict on the behaviours: one line when all agree, else one for each that does not."""
    groups = by_behaviour(rows)
    failing = {
        name: [each for each in group if each.outcome == FINDING] for name, group in groups.items()
    }
    failing = {name: group for name, group in failing.items() if group}
    lines = [f"behaviours: {len(groups) - len(failing)} of {len(groups)} as specified"]
    ordered = sorted(failing, key=lambda name: (-len(failing[name]), name))
    for name in ordered[:SHOWN_BEHAVIOURS]:
        first = failing[name][0].id
        lines.append(f"  {name}: {len(failing[name])} of {len(groups[name])} cases, as {first}")
    if len(ordered) > SHOWN_BEHAVIOURS:
        lines.append(f"  and {len(ordered) - SHOWN_BEHAVIOURS} more behaviours")
    return lines
