"""Covering arrays: few rows of the matrix that hold every combination of t axis values.

``python -m cases.matrix.covering`` writes ``cases/matrix/tiers/smoke.txt`` (every pair of axis values) and
``cases/matrix/tiers/gate.txt`` (every triple, the whole product of construction and schedule, and of
program and momentum), one id a line. They are stored because the greedy search takes half a minute
and collection must not. The search has no randomness beyond Philox's raw stream, so it writes the
same files everywhere.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import numpy as np

from cases.matrix import axes, rows

TIERS = Path(__file__).parent / "tiers"
SAMPLE = 96
"""Rows tried for each combination that is still missing."""

Group = Tuple[int, ...]
"""Axis numbers whose words are to be combined in every possible way."""


def _axes(*names: str) -> Group:
    return tuple(list(axes.AXES).index(name) for name in names)


def _all(strength: int) -> List[Group]:
    return list(combinations(range(len(axes.AXES)), strength))


GROUPS: Dict[str, List[Group]] = {
    "smoke": _all(2),
    "gate": _all(3)
    + [
        _axes("affine", "track", "momentum", "schedule"),
        _axes("momentum", "schedule", "mutation", "moment"),
    ],
}
"""Tier to what it covers. gate: every triple; construction x schedule; every program x momentum."""

COST: Dict[str, float] = {"n102400": 4.0, "n256": 1.5}
"""What a row of this shape costs, in rows of a small shape."""


class _Table:
    """All rows as numbers, and each row's combinations as numbers of a flat space."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.words = [list(axis) for axis in axes.AXES.values()]
        places = [{word: i for i, word in enumerate(axis)} for axis in self.words]
        self.rows = np.array(
            [[place[word] for place, word in zip(places, row)] for row in rows.full()]
        )
        self.groups: List[Tuple[Group, int]] = []
        self.size = 0
        for axes in groups:
            self.groups.append((axes, self.size))
            self.size += int(np.prod([len(self.words[axis]) for axis in axes]))
        shape = list(axes.AXES).index("shape")
        cost = np.array([COST.get(word, 1.0) for word in self.words[shape]])
        self.cost = cost[self.rows[:, shape]]

    def codes(self, rows: np.ndarray) -> np.ndarray:
        """The combinations of each row, shape (rows, groups)."""
        columns = []
        for axes, offset in self.groups:
            code = np.zeros(len(rows), dtype=np.int64)
            for axis in axes:
                code = code * len(self.words[axis]) + rows[:, axis]
            columns.append(code + offset)
        return np.stack(columns, axis=1)

    def spelled(self, row: np.ndarray) -> axes.Row:
        return tuple(axis[int(i)] for axis, i in zip(self.words, row))


def cover(groups: Sequence[Group]) -> List[axes.Row]:
    """Rows that hold every possible combination of the words of each group of axes."""
    table = _Table(groups)
    wanted = np.zeros(table.size, dtype=bool)
    for start in range(0, len(table.rows), 65536):
        wanted[table.codes(table.rows[start : start + 65536]).ravel()] = True
    chosen: List[axes.Row] = []
    stream = np.random.Philox(key=len(groups))
    for axes, offset in reversed(table.groups):
        span = int(np.prod([len(table.words[axis]) for axis in axes]))
        for code in range(offset, offset + span):
            if not wanted[code]:
                continue
            rest, mask = code - offset, np.ones(len(table.rows), dtype=bool)
            for axis in reversed(axes):
                rest, word = divmod(rest, len(table.words[axis]))
                mask &= table.rows[:, axis] == word
            matching = np.flatnonzero(mask)
            picks = stream.random_raw(SAMPLE) % np.uint64(len(matching))
            candidates = matching[picks.astype(np.int64)]
            codes = table.codes(table.rows[candidates])
            gain = wanted[codes].sum(axis=1) / table.cost[candidates]
            best = int(np.argmax(gain))
            wanted[codes[best]] = False
            chosen.append(table.spelled(table.rows[candidates[best]]))
    return chosen


def write() -> None:
    """Writes both tiers."""
    TIERS.mkdir(exist_ok=True)
    for name, groups in GROUPS.items():
        ids = [rows.identify(row) for row in sorted(cover(groups), key=_order)]
        (TIERS / f"{name}.txt").write_text("\n".join(ids) + "\n", encoding="ascii")
        print(f"{name}: {len(ids)} cases")


def _order(row: axes.Row) -> Tuple[int, ...]:
    """Cases with the same inputs next to each other, so that what is remembered of them is used."""
    places = [list(axis).index(word) for axis, word in zip(axes.AXES.values(), row)]
    return tuple(places[6:] + places[:6])


if __name__ == "__main__":
    write()
