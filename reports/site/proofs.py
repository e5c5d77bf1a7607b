"""The states and the ways between them, each with the cases of a record that prove it."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

from reports.rows import PASS
from reports.site import states
from reports.site.address import address
from reports.site.columns import RELEASES, Column
from reports.tally import counted


def proofs(given: Sequence[Column]) -> Dict[str, Any]:
    """Return the texts and tables of the states; a sentence without a passing case is left out."""
    newest = [column for column in given if column.group == RELEASES][-1:] or list(given[-1:])
    column = newest[0]
    return {
        "lead": "What a forward does depends on three things: the mode, the flag track_running_stats, "
        "and whether the running buffers are there. Each can change at any time.",
        "caption": f"As specified for torch 2.8 and later, and run on {column.title}. "
        "Blue boxes normalise by the running buffers, the others by the batch's statistics.",
        "states": [_state(each, column) for each in states.STATES],
        "ways": [way for way in (_way(each, column) for each in states.WAYS) if way is not None],
    }


def _state(state: states.State, column: Column) -> Dict[str, Any]:
    rows = [row for row in column.record.rows if all(word in row.id for word in state.words)]
    passed = sum(row.outcome == PASS for row in rows)
    return {
        "name": state.name,
        "normalises": state.normalises,
        "updates": state.updates,
        "proof": f"{passed} of {counted(len(rows), 'case')} pass" if rows else "no case in this record",
        "address": address("cases", on=column.name, words=" ".join(state.words)),
    }


def _way(way: states.Way, column: Column) -> Optional[Dict[str, Any]]:
    rows = [row for row in column.record.rows if row.behaviour == way.behaviour]
    passed = sum(row.outcome == PASS for row in rows)
    if not passed:
        return None
    return {
        "code": way.code,
        "effect": way.effect,
        "proof": f"{way.behaviour}: {passed} of {counted(len(rows), 'case')} pass",
        "address": address("cases", on=column.name, behaviour=way.behaviour),
    }
