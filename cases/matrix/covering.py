"""Covering arrays: few rows of the matrix that contain every combination of the words of t axes.

``python -m cases.matrix.covering`` extends ``tiers/smoke.txt`` (every pair of words) and
``tiers/gate.txt`` (every triple, construction x schedule, and program x momentum), one id a line. An id
that is stored and still names a case keeps its place, so that records of earlier runs can be compared.
Combinations that no stored row contains get new rows, which are appended. The files are stored because
the search from nothing takes a minute; it has no randomness beyond Philox's raw stream, so it writes the
same files on every machine.
"""

from __future__ import annotations

from itertools import combinations
from typing import Dict, Iterable, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

from cases.errors import CaseError
from cases.matrix.axes import AXES, LEADING, Row
from cases.matrix.rows import TIERS, heads, identify, ids, parse, tails
from cases.suffixes import NO_BACKWARD, PROGRAM

SAMPLE = 96
"""The number of rows tried for each combination that is still missing."""

Group = Tuple[int, ...]
"""The positions of axes whose words are to be combined in every possible way."""


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
"""Maps a tier to the groups of axes that it covers."""

COST: Dict[str, float] = {"n102400": 20.0, "n256": 1.5}
COST.update(dict.fromkeys(PROGRAM["upstream"], 2.0), **{NO_BACKWARD: 1.0})
COST.update(dict.fromkeys(LEADING["dtype"], 1.5), float32=1.0)
"""Maps a word to the factor by which it makes a row take longer; the factor is 1 for other words."""


class Possible(NamedTuple):
    """The rows of the matrix as numbers. Every head is combined with every tail.

    ``heads``: shape (H, leading axes). ``tails``: shape (T, suffix axes). Both int8.
    """

    heads: np.ndarray
    tails: np.ndarray


class Design(NamedTuple):
    """The rows of a tier: the stored rows that are still cases, and the rows to append."""

    kept: List[Row]
    added: List[Row]


def numbers(rows: Sequence[Row], axes: Mapping[str, Sequence[str]] = AXES) -> np.ndarray:
    """Convert rows of words to positions in the axes, shape (rows, axes), int8."""
    places = [{word: place for place, word in enumerate(words)} for words in axes.values()]
    listed = [[place[word] for place, word in zip(places, row)] for row in rows]
    return np.array(listed, dtype=np.int8).reshape(len(rows), len(axes))


def possible_rows() -> Possible:
    """Return every row of the matrix that is a case."""
    return Possible(numbers(list(heads()), LEADING), numbers(list(tails()), PROGRAM))


def _sizes(group: Group) -> List[int]:
    words = list(AXES.values())
    return [len(words[axis]) for axis in group]


def _codes(columns: Iterable[np.ndarray], sizes: Iterable[int], count: int) -> np.ndarray:
    """Encode combinations of words as one number each, shape (count,); 0 where there are no axes."""
    found = np.zeros(count, dtype=np.int64)
    for column, size in zip(columns, sizes):
        found = found * size + column
    return found


def codes(rows: np.ndarray, group: Group) -> np.ndarray:
    """Encode the combination that each row has on the group's axes as one number, shape (rows,)."""
    return _codes((rows[:, axis] for axis in group), _sizes(group), len(rows))


def split(group: Group) -> Tuple[Group, Group]:
    """Split a group into its leading axes and its suffix axes."""
    count = len(LEADING)
    return tuple(axis for axis in group if axis < count), tuple(axis for axis in group if axis >= count)


def _present(rows: np.ndarray, columns: Sequence[int], sizes: Sequence[int]) -> np.ndarray:
    """Say for each combination of words on these columns whether some row has it."""
    found = _codes((rows[:, column] for column in columns), sizes, len(rows))
    return np.asarray(np.bincount(found, minlength=int(np.prod(sizes, dtype=np.int64))) > 0)


def wanted(possible: Possible, group: Group) -> np.ndarray:
    """Say for each combination on the group's axes whether some possible row has it."""
    leading, suffix = split(group)
    in_heads = _present(possible.heads, leading, _sizes(leading))
    columns = [axis - len(LEADING) for axis in suffix]
    in_tails = _present(possible.tails, columns, _sizes(suffix))
    return np.asarray(np.outer(in_heads, in_tails).ravel())


def missing(rows: np.ndarray, possible: Possible, group: Group) -> np.ndarray:
    """Mark the combinations on the group's axes that a possible row has and ``rows`` lack."""
    return np.asarray(wanted(possible, group) & ~_present(rows, group, _sizes(group)))


def _cost(part: np.ndarray, axes: Mapping[str, Sequence[str]]) -> np.ndarray:
    """Return the cost factor of each head or tail, shape (rows,)."""
    found = np.ones(len(part))
    for column, words in enumerate(axes.values()):
        found *= np.array([COST.get(word, 1.0) for word in words])[part[:, column]]
    return found


def _matching(part: np.ndarray, columns: Sequence[int], words: Sequence[int]) -> np.ndarray:
    """Return the positions of the heads or tails that have these words in these columns."""
    found = np.ones(len(part), dtype=bool)
    for column, word in zip(columns, words):
        found &= part[:, column] == word
    return np.flatnonzero(found)


def _search(kept: np.ndarray, possible: Possible, groups: Sequence[Group]) -> np.ndarray:
    """Return rows that, with ``kept``, contain every combination of every group, shape (added, axes).

    The search is greedy: of SAMPLE rows that have a missing combination, it takes the one that has the
    most missing combinations for its cost.
    """
    lacking = [missing(kept, possible, group) for group in groups]
    head_cost, tail_cost = _cost(possible.heads, LEADING), _cost(possible.tails, PROGRAM)
    stream = np.random.Philox(key=len(groups))
    chosen: List[np.ndarray] = []
    for group, place in _in_turn(groups, lacking):
        leading, suffix = split(group)
        words = [int(word) for word in np.unravel_index(place, _sizes(group))]
        there = _matching(possible.heads, leading, words[: len(leading)])
        columns = [axis - len(LEADING) for axis in suffix]
        ends = _matching(possible.tails, columns, words[len(leading) :])
        picks = (stream.random_raw(SAMPLE) % np.uint64(len(there) * len(ends))).astype(np.int64)
        head, tail = there[picks // len(ends)], ends[picks % len(ends)]
        tried = np.hstack([possible.heads[head], possible.tails[tail]])
        gain = sum(has[codes(tried, each)].astype(int) for each, has in zip(groups, lacking))
        best = int(np.argmax(gain / (head_cost[head] * tail_cost[tail])))
        for each, has in zip(groups, lacking):
            has[codes(tried[best : best + 1], each)] = False
        chosen.append(tried[best])
    return np.array(chosen, dtype=np.int8).reshape(len(chosen), len(AXES))


def _in_turn(groups: Sequence[Group], lacking: Sequence[np.ndarray]) -> Iterator[Tuple[Group, int]]:
    """Yield every combination that is still missing when its turn comes, the last group first."""
    for group, has in reversed(list(zip(groups, lacking))):
        for place in range(len(has)):
            if has[place]:
                yield group, place


def _order(row: Row) -> Tuple[int, ...]:
    """The sort key of a row: rows with the same inputs are neighbours, to use remembered results."""
    places = [words.index(word) for words, word in zip(AXES.values(), row)]
    head, values, tail = places[:6], places[6:9], places[9:]
    return (*values, *tail, *head)


def _still_cases(stored: Sequence[str]) -> List[Row]:
    """Return the rows of the ids that name a case of the matrix, in the order of the ids."""
    rows = []
    for case_id in stored:
        try:
            rows.append(parse(tuple(case_id.split("-")[1:])))
        except CaseError:
            continue
    return rows


def extend(stored: Sequence[str], groups: Sequence[Group]) -> Design:
    """Return the design that contains every combination of every group and keeps the stored rows."""
    kept = _still_cases(stored)
    axes = list(AXES.values())
    chosen = _search(numbers(kept), possible_rows(), groups)
    rows = (tuple(words[place] for words, place in zip(axes, row)) for row in chosen)
    return Design(kept, sorted(rows, key=_order))


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
