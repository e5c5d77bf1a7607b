"""The tiers contain what they promise: proved over all rows of the matrix, with words as numbers."""

from __future__ import annotations

import re
from itertools import combinations, islice, product
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
import pytest

from cases import catalogue, matrix
from cases.matrix.axes import LEADING
from cases.matrix.mutations import MUTATIONS
from cases.matrix.rows import PLAIN, heads, tails
from cases.matrix.schedules import SCHEDULES
from cases.spelling import spell
from cases.suffixes import PROGRAM
from cases.variants import Variant
from oracle.meanings import advance, begin
from oracle.semantics import RELEASES, semantics

AXES = list(matrix.AXES)
HEAD = len(LEADING)
SIZES = np.array([len(words) for words in matrix.AXES.values()])
PLACES = [{word: place for place, word in enumerate(words)} for words in matrix.AXES.values()]

Group = Tuple[int, ...]
PAIRS: List[Group] = list(combinations(range(len(AXES)), 2))
TRIPLES: List[Group] = list(combinations(range(len(AXES)), 3))


def named(*names: str) -> Group:
    return tuple(AXES.index(name) for name in names)


Combinations = Dict[Group, np.ndarray]
"""Maps axes to one answer for each combination of their words: whether some case has it.

Every head goes with every tail, so the two parts are counted separately.
"""

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
"""Maps a short name to the pattern of every reason for which a head is left out."""


class Product(NamedTuple):
    """The whole product of the leading axes and that of the suffix axes, as numbers.

    ``heads``: shape (rows, leading axes); ``in_full``: which of them are cases; ``reasons``: why the
    others are not. ``tails``: shape (rows, suffix axes), those that are cases.
    """

    heads: np.ndarray
    in_full: np.ndarray
    reasons: Dict[str, int]
    tails: np.ndarray


def grid(sizes: np.ndarray) -> np.ndarray:
    return np.indices(tuple(sizes)).reshape(len(sizes), -1).T.astype(np.int8)


@pytest.fixture(scope="module")
def everything() -> Product:
    said = [matrix.meaningless(head + PLAIN) for head in product(*LEADING.values())]
    reasons: Dict[str, int] = {}
    for reason in said:
        if reason is not None:
            reasons[reason] = reasons.get(reason, 0) + 1
    head = next(heads())
    tails = [matrix.meaningless(head + tail) is None for tail in product(*PROGRAM.values())]
    in_full = np.array([reason is None for reason in said])
    return Product(grid(SIZES[:HEAD]), in_full, reasons, grid(SIZES[HEAD:])[tails])


def numbers(ids: Sequence[str]) -> np.ndarray:
    words = [matrix.parse(tuple(case_id.split("-")[1:])) for case_id in ids]
    return np.array([[place[word] for place, word in zip(PLACES, row)] for row in words])


def stored(tier: str) -> List[str]:
    return list(catalogue.ids("matrix", tier))


def codes(rows: np.ndarray, axes: Group, first: int = 0) -> np.ndarray:
    """Return the combination of words that each row has on these axes, as one number.

    ``first``: the place among AXES of the first column.
    """
    if not axes:
        return np.zeros(len(rows), dtype=int)
    shape = tuple(SIZES[list(axes)])
    return np.ravel_multi_index(tuple(rows[:, axis - first] for axis in axes), shape)


def present(rows: np.ndarray, axes: Group, first: int = 0) -> np.ndarray:
    """Return one answer for each combination of words of these axes: whether some row has it."""
    span = int(np.prod(SIZES[list(axes)], dtype=int))
    return np.bincount(codes(rows, axes, first), minlength=span) > 0


@pytest.fixture(scope="module")
def possible(everything: Product) -> Combinations:
    heads = everything.heads[everything.in_full]
    leading: Combinations = {}
    found: Combinations = {}
    for axes in PAIRS + TRIPLES + [CONSTRUCTION_AND_SCHEDULE, PROGRAM_AND_MOMENTUM]:
        of_head, of_tail = tuple(a for a in axes if a < HEAD), tuple(a for a in axes if a >= HEAD)
        if of_head not in leading:
            leading[of_head] = present(heads, of_head)
        found[axes] = np.outer(leading[of_head], present(everything.tails, of_tail, HEAD)).ravel()
    return found


def missing(rows: np.ndarray, possible: Combinations, groups: Sequence[Group]) -> Tuple[int, int]:
    """Return how many combinations of the matrix the rows lack, and how many there are."""
    lacking = total = 0
    for axes in groups:
        wanted, there = possible[axes], present(rows, axes)
        assert not (there & ~wanted).any()
        lacking += int((wanted & ~there).sum())
        total += int(wanted.sum())
    return lacking, total


# --- coverage of the tiers --------------------------------------------------------------------


def test_smoke_has_every_pair(possible: Combinations) -> None:
    lacking, total = missing(numbers(stored("smoke")), possible, PAIRS)
    print(f"smoke: {total - lacking:,} of {total:,} pairs in {len(stored('smoke'))} cases")
    assert lacking == 0


def test_gate_has_every_triple(possible: Combinations) -> None:
    lacking, total = missing(numbers(stored("gate")), possible, TRIPLES)
    print(f"gate: {total - lacking:,} of {total:,} triples in {len(stored('gate')):,} cases")
    assert lacking == 0


def test_gate_has_the_whole_product_of_construction_and_schedule(possible: Combinations) -> None:
    lacking, total = missing(numbers(stored("gate")), possible, [CONSTRUCTION_AND_SCHEDULE])
    print(f"gate: {total - lacking} of {total} constructions x schedules")
    words = [len(matrix.AXES[name]) for name in ("affine", "track", "momentum", "schedule")]
    assert (lacking, total) == (0, int(np.prod(words)))


def test_gate_has_every_program_with_every_momentum(possible: Combinations) -> None:
    lacking, total = missing(numbers(stored("gate")), possible, [PROGRAM_AND_MOMENTUM])
    print(f"gate: {total - lacking:,} of {total:,} programs x momenta")
    assert lacking == 0


def alone(rows: np.ndarray, groups: Sequence[Group]) -> np.ndarray:
    """Return which rows have a combination that no other has."""
    found = np.zeros(len(rows), dtype=bool)
    for axes in groups:
        own = codes(rows, axes)
        found |= np.bincount(own)[own] == 1
    return found


@pytest.mark.parametrize(("tier", "groups"), [("smoke", PAIRS), ("gate", TRIPLES)])
def test_a_row_less_is_noticed(tier: str, groups: List[Group], possible: Combinations) -> None:
    rows = numbers(stored(tier))
    needed = np.flatnonzero(alone(rows, groups))
    assert missing(rows, possible, groups)[0] == 0
    print(f"{tier}: {len(needed):,} of {len(rows):,} rows are the only ones with some combination")
    for place in needed[:: max(1, len(needed) // 3)]:
        assert missing(np.delete(rows, place, axis=0), possible, groups)[0] > 0


def test_gate_is_large_enough() -> None:
    assert len(stored("gate")) >= 3000
    everywhere = [each for family in catalogue.FAMILIES for each in catalogue.ids(family, "gate")]
    print(f"gate: {len(stored('gate')):,} cases of the matrix, {len(everywhere):,} with the others")


# --- the full tier ----------------------------------------------------------------------------


def test_full_has_the_product_of_the_leading_axes(everything: Product) -> None:
    whole = everything.heads[everything.in_full]
    plain = islice(matrix.full(), len(whole))
    listed = np.array([[place[word] for place, word in zip(PLACES, row)] for row in plain])
    assert np.array_equal(listed[:, :HEAD], whole)
    assert not listed[:, HEAD:].any()
    left_out = sum(everything.reasons.values())
    print(f"full: {len(whole):,} = {len(everything.heads):,} - {left_out:,} meaningless")
    assert len(everything.heads) == int(np.prod(SIZES[:HEAD])) == len(whole) + left_out


def test_full_has_every_tail_with_every_program(everything: Product) -> None:
    """The full tier also has the gate, and no row twice."""
    further = list(islice(matrix.full(), int(everything.in_full.sum()), None))
    programs = {head[3:6] for head in heads()}
    rows, others = set(further), set(tails()) - {PLAIN}
    assert {(row[3:6], row[HEAD:]) for row in further} == set(product(programs, others))
    assert len(rows) == len(further)
    assert all(row[HEAD:] != PLAIN for row in rows)
    gate = {matrix.parse(tuple(each.split("-")[1:])) for each in stored("gate") + stored("smoke")}
    assert all(row in rows or row[HEAD:] == PLAIN for row in gate)
    print(f"full: {len(further):,} cases with words of suffix axes")


def test_every_head_goes_with_every_tail() -> None:
    """The test takes every 9973rd head with every tail: each part alone decides on a row."""
    tried, sensible = islice(product(*LEADING.values()), 0, None, 9973), set(tails())
    for head, tail in product(tried, product(*PROGRAM.values())):
        apart = matrix.meaningless(head + PLAIN) is None and tail in sensible
        assert (matrix.meaningless(head + tail) is None) == apart


def test_a_layout_of_a_gradient_needs_a_gradient() -> None:
    head = next(heads())
    for layout, upstream, gradient in product(*PROGRAM.values()):
        sensible = upstream != "no_backward" or gradient == "gl_contiguous"
        assert (matrix.meaningless((*head, layout, upstream, gradient)) is None) == sensible


def test_the_words_of_a_tail_change_the_steps_alone() -> None:
    """The expected steps are written by hand."""
    row = (
        "no_affine",
        "track",
        "momentum_0.1",
        "eval_only",
        "set_eps",
        "in_eval",
        "exact",
        "n8",
        "float32",
    )
    plain, other = matrix.case(row + PLAIN), matrix.case(row + ("x_sliced", "g_ones", "gl_scalar"))
    assert plain.id + "-x_sliced-g_ones-gl_scalar" == other.id
    assert (plain.config, plain.variant, plain.behaviour) == (
        other.config,
        other.variant,
        other.behaviour,
    )
    assert spell(plain.steps) == "preset,eval,forward:b0,set:eps:0.5,forward:b1"
    assert spell(other.steps) == (
        "preset,eval,input_grad:b0.sliced,backward:ones.scalar,"
        "set:eps:0.5,input_grad:b1.sliced,backward:ones.scalar"
    )


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
    """The words to the left and the right of the place of the mutation are written by hand."""
    pairs = {"between_train": ("TT",), "in_eval": ("EE",), "between_train_and_eval": ("TE", "ET")}
    for schedule, modes in SCHEDULES.items():
        for when in matrix.AXES["moment"]:
            row = ("affine", "track", "momentum_0.1", schedule, "set_eps", when, "exact", "n8", "float32")
            there = when == "before_first_forward" or any(pair in modes for pair in pairs.get(when, ()))
            assert (matrix.meaningless(row + PLAIN) is None) == there, row


def test_what_is_already_so_changes_nothing() -> None:
    """A mutation left out because it is "already" so leaves a new module as it is in the oracle."""
    rules = semantics(RELEASES[-1])
    variant = Variant("exact", "n8", "float32")
    checked = 0
    for construction in product(*(matrix.AXES[name] for name in ("affine", "track", "momentum"))):
        for word, mutation in MUTATIONS.items():
            reason = mutation.meaningless(construction)
            if reason is None or not reason.endswith("already"):
                continue
            row = construction + ("train_only", "no_mutation", "never", "exact", "n8", "float32")
            config = matrix.case(row + PLAIN).config
            state = before = begin(config, variant.dtype, rules).state
            for step in mutation.steps:
                state = advance(state, step, variant, rules).state
            assert repr(state.flags()) == repr(before.flags()), (construction, word)
            same = [now is then for now, then in zip(state.entries(), before.entries())]
            assert all(same), (construction, word)
            checked += 1
    assert checked > 100
