"""The tiers hold what they promise: proved over all rows of the matrix, with words as numbers."""

from __future__ import annotations

import re
from itertools import combinations, product
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
import pytest

from cases import catalogue, matrix
from cases.matrix.mutations import MUTATIONS
from cases.matrix.schedules import SCHEDULES
from cases.variants import Variant
from oracle.batch_norm import advance, begin
from oracle.semantics import RELEASES, semantics

AXES = list(matrix.AXES)
SIZES = np.array([len(words) for words in matrix.AXES.values()])
PLACES = [{word: place for place, word in enumerate(words)} for words in matrix.AXES.values()]

Group = Tuple[int, ...]
PAIRS: List[Group] = list(combinations(range(len(AXES)), 2))
TRIPLES: List[Group] = list(combinations(range(len(AXES)), 3))


def named(*names: str) -> Group:
    return tuple(AXES.index(name) for name in names)


CONSTRUCTION_AND_SCHEDULE = named("affine", "track", "momentum", "schedule")
PROGRAM_AND_MOMENTUM = named("momentum", "schedule", "mutation", "moment")

REASONS: Dict[str, str] = {
    "no exact sums": r"n\(n-1\) exceeds the significand of float32: no sum of squares is exact",
    "half a mutation": "a mutation needs a moment, and a moment a mutation",
    "no such moment": "schedule [a-z_]+ has no moment [a-z_]+",
    "already so": "(affine|track_running_stats) is (True|False) already|momentum is (None|1) already",
    "already None": "(running_|num_|weight|bias)[a-z_ ]*is None already",
    "already there": "the module was built with running buffers",
}
"""A short name to the pattern of every reason for which a combination is left out."""


class Product(NamedTuple):
    """The whole product as numbers, shape (rows, axes), and what is said against each row."""

    rows: np.ndarray
    in_full: np.ndarray
    reasons: Dict[str, int]


@pytest.fixture(scope="module")
def everything() -> Product:
    grid = np.indices(tuple(SIZES)).reshape(len(SIZES), -1).T.astype(np.int8)
    said = [matrix.meaningless(row) for row in product(*matrix.AXES.values())]
    reasons: Dict[str, int] = {}
    for reason in said:
        if reason is not None:
            reasons[reason] = reasons.get(reason, 0) + 1
    return Product(grid, np.array([reason is None for reason in said]), reasons)


@pytest.fixture(scope="module")
def full(everything: Product) -> np.ndarray:
    return everything.rows[everything.in_full]


def numbers(ids: Sequence[str]) -> np.ndarray:
    words = [case_id.split("-")[1:] for case_id in ids]
    return np.array([[place[word] for place, word in zip(PLACES, row)] for row in words])


def stored(tier: str) -> List[str]:
    return list(catalogue.ids("matrix", tier))


def codes(rows: np.ndarray, axes: Group) -> np.ndarray:
    """The combination of words that each row has on these axes, as one number."""
    shape = tuple(SIZES[list(axes)])
    return np.ravel_multi_index(tuple(rows[:, axis] for axis in axes), shape)


def present(rows: np.ndarray, axes: Group) -> np.ndarray:
    """Which combinations of words of these axes some row has: one answer a combination."""
    span = int(np.prod(SIZES[list(axes)]))
    return np.bincount(codes(rows, axes), minlength=span) > 0


def missing(rows: np.ndarray, full: np.ndarray, groups: Sequence[Group]) -> Tuple[int, int]:
    """How many combinations that full has the rows lack, and how many there are."""
    lacking = total = 0
    for axes in groups:
        wanted, there = present(full, axes), present(rows, axes)
        assert not (there & ~wanted).any()
        lacking += int((wanted & ~there).sum())
        total += int(wanted.sum())
    return lacking, total


# --- what the tiers cover ---------------------------------------------------------------------


def test_smoke_has_every_pair(full: np.ndarray) -> None:
    lacking, total = missing(numbers(stored("smoke")), full, PAIRS)
    print(f"smoke: {total - lacking:,} of {total:,} pairs in {len(stored('smoke'))} cases")
    assert lacking == 0


def test_gate_has_every_triple(full: np.ndarray) -> None:
    lacking, total = missing(numbers(stored("gate")), full, TRIPLES)
    print(f"gate: {total - lacking:,} of {total:,} triples in {len(stored('gate')):,} cases")
    assert lacking == 0


def test_gate_has_the_whole_product_of_construction_and_schedule(full: np.ndarray) -> None:
    lacking, total = missing(numbers(stored("gate")), full, [CONSTRUCTION_AND_SCHEDULE])
    print(f"gate: {total - lacking} of {total} constructions x schedules")
    words = [len(matrix.AXES[name]) for name in ("affine", "track", "momentum", "schedule")]
    assert (lacking, total) == (0, int(np.prod(words)))


def test_gate_has_every_program_with_every_momentum(full: np.ndarray) -> None:
    lacking, total = missing(numbers(stored("gate")), full, [PROGRAM_AND_MOMENTUM])
    print(f"gate: {total - lacking:,} of {total:,} programs x momenta")
    assert lacking == 0


def alone(rows: np.ndarray, groups: Sequence[Group]) -> np.ndarray:
    """Which rows have a combination that no other has."""
    found = np.zeros(len(rows), dtype=bool)
    for axes in groups:
        own = codes(rows, axes)
        found |= np.bincount(own)[own] == 1
    return found


@pytest.mark.parametrize(("tier", "groups"), [("smoke", PAIRS), ("gate", TRIPLES)])
def test_a_row_less_is_noticed(tier: str, groups: List[Group], full: np.ndarray) -> None:
    rows = numbers(stored(tier))
    needed = np.flatnonzero(alone(rows, groups))
    print(f"{tier}: {len(needed):,} of {len(rows):,} rows are the only ones with some combination")
    for place in needed[:: max(1, len(needed) // 3)]:
        assert missing(np.delete(rows, place, axis=0), full, groups)[0] > 0


def test_gate_is_large_enough() -> None:
    assert len(stored("gate")) >= 3000
    everywhere = [each for family in catalogue.FAMILIES for each in catalogue.ids(family, "gate")]
    print(f"gate: {len(stored('gate')):,} cases of the matrix, {len(everywhere):,} with the others")


# --- what full is -----------------------------------------------------------------------------


def test_full_is_the_product_without_the_meaningless(everything: Product, full: np.ndarray) -> None:
    listed = np.array(
        [[place[word] for place, word in zip(PLACES, row)] for row in matrix.full()], dtype=np.int8
    )
    assert np.array_equal(listed, full)
    left_out = sum(everything.reasons.values())
    print(f"full: {len(full):,} = {len(everything.rows):,} - {left_out:,} meaningless")
    assert len(everything.rows) == int(np.prod(SIZES)) == len(full) + left_out


def test_every_reason_is_given_and_no_other(everything: Product) -> None:
    counts = dict.fromkeys(REASONS, 0)
    for reason, count in everything.reasons.items():
        names = [name for name, pattern in REASONS.items() if re.fullmatch(pattern, reason)]
        assert len(names) == 1, reason
        counts[names[0]] += count
    for reason, count in sorted(everything.reasons.items()):
        print(f"{count:9,}  {reason}")
    assert all(counts.values()), counts


def test_a_schedule_without_a_moment_has_none() -> None:
    """By hand: what stands to the left and the right of the place where the mutation happens."""
    pairs = {"between_train": ("TT",), "in_eval": ("EE",), "between_train_and_eval": ("TE", "ET")}
    for schedule, modes in SCHEDULES.items():
        for when in matrix.AXES["moment"]:
            row = ("affine", "track", "momentum_0.1", schedule, "set_eps", when, "exact", "n8", "float32")
            there = when == "before_first_forward" or any(
                pair in modes for pair in pairs.get(when, ())
            )
            assert (matrix.meaningless(row) is None) == there, row


def test_what_is_already_so_changes_nothing() -> None:
    """A mutation left out because it is "already" so leaves a new module as it is, says the oracle."""
    rules = semantics(RELEASES[-1])
    variant = Variant("exact", "n8", "float32")
    checked = 0
    for construction in product(*(matrix.AXES[name] for name in ("affine", "track", "momentum"))):
        for word, mutation in MUTATIONS.items():
            reason = mutation.meaningless(construction)
            if reason is None or not reason.endswith("already"):
                continue
            row = construction + ("train_only", "no_mutation", "never", "exact", "n8", "float32")
            state = before = begin(matrix.case(row).config, variant.dtype, rules).state
            for step in mutation.steps:
                state = advance(state, step, variant, rules).state
            assert repr(state.flags()) == repr(before.flags()), (construction, word)
            same = [now is then for now, then in zip(state.entries(), before.entries())]
            assert all(same), (construction, word)
            checked += 1
    assert checked > 100


# --- ids and files ----------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["smoke", "gate"])
def test_stored_ids_are_unique(tier: str) -> None:
    assert len(set(stored(tier))) == len(stored(tier))


def test_no_id_stands_in_two_families() -> None:
    ids = [each for family in catalogue.FAMILIES for each in catalogue.ids(family, "gate")]
    assert len(ids) == len(set(ids))
    assert all(catalogue.family_of(each) in catalogue.FAMILIES for each in ids)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_shards_share_out_the_tier(count: int) -> None:
    for family in catalogue.FAMILIES:
        whole = list(catalogue.ids(family, "gate"))
        shards = [list(catalogue.select(family, "gate", (i, count))) for i in range(1, count + 1)]
        assert sorted(each for shard in shards for each in shard) == sorted(whole)
        assert max(map(len, shards)) - min(map(len, shards)) <= 1
