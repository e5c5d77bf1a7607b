"""The covering design is extended: stored rows stay, and missing ones are appended."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import List, Tuple

import numpy as np
import pytest

from cases.matrix import covering, rows
from cases.matrix.axes import AXES, LEADING
from cases.matrix.covering import (
    GROUPS,
    Possible,
    codes,
    extend,
    missing,
    numbers,
    possible_rows,
    wanted,
)
from cases.matrix.mutations import MUTATIONS, Mutation
from cases.steps import SetAttribute

TIERS = list(GROUPS)


@lru_cache(maxsize=None)
def _possible(mutations: Tuple[str, ...]) -> Possible:
    return possible_rows()


@pytest.fixture(autouse=True)
def _found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute the possible rows once: that takes longer than most searches."""
    monkeypatch.setattr(covering, "possible_rows", lambda: _possible(AXES["mutation"]))


def stored(tier: str) -> List[str]:
    return list(rows.ids(tier))


each_tier = pytest.mark.parametrize("tier", ["smoke", pytest.param("gate", marks=pytest.mark.long)])


def test_the_tiers_with_a_file_are_those_that_are_covered() -> None:
    assert sorted(path.stem for path in rows.TIERS.iterdir()) == sorted(GROUPS)


@pytest.mark.long
def test_nothing_changes_on_the_present_axes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command is run on copies of the files."""
    before = {path.name: path.read_bytes() for path in rows.TIERS.iterdir()}
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    for module in (rows, covering):
        monkeypatch.setattr(module, "TIERS", tmp_path)
    covering.main()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert capsys.readouterr().out.count(" ids stay, 0 are new, 0 are gone\n") == len(GROUPS)


@each_tier
def test_a_new_mutation_adds_rows_and_removes_none(tier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MUTATIONS, "made_up", Mutation((SetAttribute("eps", 0.25),)))
    for axes in (AXES, LEADING):
        monkeypatch.setitem(axes, "mutation", axes["mutation"] + ("made_up",))
    before = stored(tier)
    kept, added = extend(before, GROUPS[tier])
    print(f"{tier}: {len(kept)} rows stay, {len(added)} are added")
    assert [rows.identify(row) for row in kept] == before
    assert 0 < len(added) < len(before) / 5
    assert all("made_up" in row for row in added)
    assert all(row == rows.parse(tuple(rows.identify(row).split("-")[1:])) for row in added)
    possible = covering.possible_rows()
    whole = numbers(kept + added)
    assert not any(missing(whole, possible, group).any() for group in GROUPS[tier])


@each_tier
def test_a_mutation_that_is_gone_takes_its_rows_with_it(
    tier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for axes in (AXES, LEADING):
        monkeypatch.setitem(axes, "mutation", tuple(w for w in axes["mutation"] if w != "set_eps"))
    kept, added = extend(stored(tier), GROUPS[tier])
    gone = set(stored(tier)) - {rows.identify(row) for row in kept}
    assert gone == {each for each in stored(tier) if "-set_eps-" in each}
    assert not [row for row in added if "set_eps" in row]
    assert [rows.identify(row) for row in kept] == [each for each in stored(tier) if each not in gone]


@each_tier
def test_rows_that_are_lost_are_replaced(tier: str) -> None:
    """A part of the design is removed; the rest is not moved, and every combination is covered again."""
    rest = [each for place, each in enumerate(stored(tier)) if place % 40]
    kept, added = extend(rest, GROUPS[tier])
    assert [rows.identify(row) for row in kept] == rest
    possible = covering.possible_rows()
    lacking = sum(int(missing(numbers(kept), possible, group).sum()) for group in GROUPS[tier])
    print(f"{tier}: {lacking} combinations are missing, {len(added)} rows are added")
    assert lacking > 0
    assert not any(missing(numbers(kept + added), possible, group).any() for group in GROUPS[tier])


def test_an_id_that_names_no_case_is_not_kept() -> None:
    good = stored("smoke")[:2]
    assert [rows.identify(row) for row in extend([good[0], "matrix-nonsense", good[1]], []).kept] == good


def test_combinations_are_counted_by_hand() -> None:
    """The axes are affine, with three words, and track, with two; the tails do not matter."""
    group = (0, 1)
    every = np.array([[a, b] + [0] * 10 for a in range(3) for b in range(2)], dtype=np.int8)
    assert codes(every, group).tolist() == [0, 1, 2, 3, 4, 5]
    possible = Possible(every[:, :9], every[:1, 9:])
    assert missing(every[[0, 3]], possible, group).tolist() == [False, True, True, False, True, True]
    assert missing(every[:0], possible._replace(heads=every[:5, :9]), group).tolist() == [True] * 5 + [
        False
    ]


def test_every_head_goes_with_every_tail_by_hand() -> None:
    """The axes are track and upstream, with two words; the group may lie in both parts or in one."""
    track, upstream = 1, list(AXES).index("upstream")
    heads = np.array([[0] * 9, [0, 1] + [0] * 7], dtype=np.int8)
    tails = np.array([[0, 0, 0], [0, 2, 0]], dtype=np.int8)
    possible, words = Possible(heads, tails), len(AXES["upstream"])
    there = [0, 2, words, words + 2]
    assert np.flatnonzero(wanted(possible, (track, upstream))).tolist() == there
    assert np.flatnonzero(wanted(possible, (upstream,))).tolist() == [0, 2]
    assert np.flatnonzero(wanted(possible, (track,))).tolist() == [0, 1]
    row = np.hstack([heads[1:], tails[1:]])
    assert np.flatnonzero(missing(row, possible, (track, upstream))).tolist() == there[:-1]


def test_the_search_is_repeatable() -> None:
    rest = stored("smoke")[::2]
    assert extend(rest, GROUPS["smoke"]) == extend(rest, GROUPS["smoke"])
