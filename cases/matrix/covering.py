"""Covering arrays: few rows of the matrix that contain every combination of the words of t axes.

``python -m cases.matrix.covering`` extends ``tiers/smoke.txt`` (every pair of words) and
``tiers/gate.txt`` (every triple, construction x schedule, and program x momentum), one id a line. An id
that is stored and still names a case keeps its place, so that records of earlier runs can be compared.
Combinations that no stored row contains get new rows, which are appended. The files are stored because
the search from nothing takes a quarter of a minute; it has no randomness beyond Philox's raw stream, so
it writes the same files on every machine.
"""

from __future__ import annotations

from itertools import combinations
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from cases.errors import CaseError
from cases.matrix.axes import AXES, Row
from cases.matrix.rows import TIERS, full, identify, ids, parse

SAMPLE = 96
"""Rows tried for each combination that is still missing."""

Group = Tuple[int, ...]
"""Places of the axes whose words are to be combined in every possible way."""


def _group(*names: str) -> Group:
    return tuple(list(AXES).index(name) for name in names)


def _every_group(strength: int) -> List[Group]:
    return list(combinations(range(len(AXES)), strength))


GROUPS: Dict[str, List[Group]] = {
    "smoke": _every_group(2),
    "gate": _every_group(3)
    + [
        _group("affine", "track", "momentum", "schedule"),
        _group("momentum", "schedule", "mutation", "moment"),
    ],
}
"""Tier to the groups of axes that it covers."""

COST: Dict[str, float] = {"n102400": 4.0, "n256": 1.5}
"""Shape word to the cost of a row, in rows of a small shape; 1 for a shape that is not listed."""


class Design(NamedTuple):
    """The rows that a tier has: those that were stored and still are cases, and those to append."""

    kept: List[Row]
    added: List[Row]


def numbers(rows: Sequence[Row]) -> np.ndarray:
    """Rows of words as places in AXES, shape (rows, axes), int8."""
    places = [{word: place for place, word in enumerate(words)} for words in AXES.values()]
    listed = [[place[word] for place, word in zip(places, row)] for row in rows]
    return np.array(listed, dtype=np.int8).reshape(len(rows), len(AXES))


def _sizes(group: Group) -> List[int]:
    words = list(AXES.values())
    return [len(words[axis]) for axis in group]


def codes(rows: np.ndarray, group: Group) -> np.ndarray:
    """The combination that each row has on the group's axes, as one number, shape (rows,)."""
    return np.ravel_multi_index(tuple(rows[:, axis] for axis in group), _sizes(group))


def missing(rows: np.ndarray, possible: np.ndarray, group: Group) -> np.ndarray:
    """For every combination on the group's axes: some possible row has it, and none of ``rows``."""
    span = int(np.prod(_sizes(group)))
    wanted = np.bincount(codes(possible, group), minlength=span) > 0
    return wanted & ~(np.bincount(codes(rows, group), minlength=span) > 0)


def _search(kept: np.ndarray, possible: np.ndarray, groups: Sequence[Group]) -> List[int]:
    """Places in ``possible`` of rows that, with ``kept``, contain every combination of every group.

    Greedy: for each missing combination, of SAMPLE rows that have it, the one is taken that has the
    most missing combinations for its cost.
    """
    wanted = [missing(kept, possible, group) for group in groups]
    shape = list(AXES).index("shape")
    cost = np.array([COST.get(word, 1.0) for word in AXES["shape"]])[possible[:, shape]]
    stream = np.random.Philox(key=len(groups))
    chosen: List[int] = []
    for group, lacking in reversed(list(zip(groups, wanted))):
        for code in range(len(lacking)):
            if not lacking[code]:
                continue
            words = np.unravel_index(code, _sizes(group))
            there = [possible[:, axis] == word for axis, word in zip(group, words)]
            matching = np.flatnonzero(np.logical_and.reduce(there))
            picks = stream.random_raw(SAMPLE) % np.uint64(len(matching))
            candidates = matching[picks.astype(np.int64)]
            tried = possible[candidates]
            gain = sum(has[codes(tried, each)].astype(int) for each, has in zip(groups, wanted))
            best = int(np.argmax(gain / cost[candidates]))
            for each, has in zip(groups, wanted):
                has[codes(tried[best : best + 1], each)] = False
            chosen.append(int(candidates[best]))
    return chosen


def _order(row: Row) -> Tuple[int, ...]:
    """Sorts rows with the same inputs next to each other, so that what is remembered of them is used."""
    places = [words.index(word) for words, word in zip(AXES.values(), row)]
    return tuple(places[6:] + places[:6])


def _still_cases(stored: Sequence[str]) -> List[Row]:
    """The rows of the ids that name a case of the matrix, in the order of the ids."""
    rows = []
    for case_id in stored:
        try:
            rows.append(parse(tuple(case_id.split("-")[1:])))
        except CaseError:
            continue
    return rows


def extend(stored: Sequence[str], groups: Sequence[Group]) -> Design:
    """The design that contains every combination of every group, from the ids of an earlier one."""
    kept = _still_cases(stored)
    possible = list(full())
    chosen = _search(numbers(kept), numbers(possible), groups)
    return Design(kept, sorted((possible[place] for place in chosen), key=_order))


def main() -> None:
    """Extend both tiers in their files and print how many ids each keeps, adds and loses."""
    for tier, groups in GROUPS.items():
        stored = list(ids(tier))
        kept, added = extend(stored, groups)
        lines = [identify(row) for row in kept + added]
        (TIERS / f"{tier}.txt").write_text("\n".join(lines) + "\n", encoding="ascii")
        print(f"{tier}: {len(kept)} ids stay, {len(added)} are new, {len(stored) - len(kept)} are gone")


if __name__ == "__main__":
    main()
