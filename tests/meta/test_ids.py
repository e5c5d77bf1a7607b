"""Case ids: an id alone names a case, on every machine and in every process."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from argparse import Namespace
from typing import Dict, List, Optional, Tuple

import pytest

from cases import catalogue, matrix, states
from cases.case import Case
from cases.errors import CaseError
from cases.paths import every
from cases.spelling import spell
from cases.suffixes import LARGEST_SEED
from tests.conformance.parametrisation import case_ids
from tests.meta.command import ROOT, run

ALPHABET = re.compile(r"[a-z0-9_.,:+-]+")


def gate() -> List[str]:
    return [each for family in catalogue.FAMILIES for each in catalogue.ids(family, "gate")]


def rebuilt(case_id: str) -> Case:
    """Return the case, without the cache of ``find``."""
    return catalogue.find.__wrapped__(case_id)


def test_every_id_rebuilds_its_case() -> None:
    for case_id in gate():
        first, second = rebuilt(case_id), rebuilt(case_id)
        assert first.id == case_id
        assert first == second, case_id
        assert [type(step) for step in first.steps] == [type(step) for step in second.steps]


def test_different_ids_are_different_cases() -> None:
    seen: Dict[Tuple[object, ...], str] = {}
    for case_id in catalogue.ids("matrix", "gate"):
        case = rebuilt(case_id)
        what = (repr(case.config), spell(case.steps), case.variant)
        assert seen.setdefault(what, case_id) == case_id


@pytest.mark.parametrize("seed", [1, 7, 20_000, LARGEST_SEED])
def test_a_seed_stands_in_the_id(seed: int) -> None:
    for case_id in list(catalogue.ids("matrix", "smoke"))[::10]:
        case = rebuilt(f"{case_id}-seed{seed}")
        assert (case.id, case.variant.seed) == (f"{case_id}-seed{seed}", seed)
        assert case.steps == rebuilt(case_id).steps


@pytest.mark.parametrize(
    "suffix",
    ["-seed0", "-seed01", "-seed-1", "-seed", " ", "-float32", "\n", "-x_contiguous", "-no_backward"]
    + [
        "-gl_contiguous",
        "-gl_sliced",
        "-x_scalar",
        "-g_offset-x_sliced",
        "-seed7-x_sliced",
        "-g_offset-g_ones",
    ],
)
def test_another_spelling_is_no_id(suffix: str) -> None:
    case_id = next(catalogue.ids("matrix", "smoke"))
    with pytest.raises(CaseError, match="unknown case id"):
        rebuilt(case_id + suffix)


def test_a_program_in_an_id_comes_back() -> None:
    for case_id in catalogue.ids("edge", "gate"):
        program = spell(rebuilt(case_id).steps)
        spelled = f"steps-affine-track-momentum_0.1-bounded-n8-float32-{program}"
        case = rebuilt(spelled)
        assert case.id == spelled
        assert spell(case.steps) == program


def test_ids_are_plain_words() -> None:
    """Ids have no repr, no address, and no character that a shell or ``-k`` would mistake."""
    for case_id in gate():
        assert ALPHABET.fullmatch(case_id), case_id
        assert not re.search(r"(?<![0-9])0x", case_id)
        assert len(case_id) < 220, "pytest writes ids into file names"


def test_words_are_distinct_and_whole() -> None:
    words = [word for axis in matrix.AXES.values() for word in axis]
    assert len(words) == len(set(words))
    assert not [word for word in words if "-" in word]
    state_words = [word for pair in states.DIMENSIONS for word in pair]
    assert len(state_words) == len(set(state_words))


def test_every_way_through_the_matrix_is_read_back() -> None:
    """Every 997th row is read: a prime, so that all words of all axes occur."""
    rows = [row for place, row in enumerate(matrix.full()) if place % 997 == 0]
    assert all(set(axis) == set(words) for axis, words in zip(zip(*rows), matrix.AXES.values()))
    for row in rows:
        case_id = matrix.identify(row)
        assert rebuilt(case_id).id == case_id
        assert matrix.parse(tuple(case_id.split("-")[1:])) == row


# --- tiers and shards -------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["smoke", "gate"])
def test_stored_ids_are_unique(tier: str) -> None:
    ids = list(catalogue.ids("matrix", tier))
    assert len(set(ids)) == len(ids)


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


def test_shards_reach_the_cases_that_a_slow_path_leaves_out() -> None:
    """A path that takes every n-th case takes the first shard of n; the other shards have the rest."""
    path = "aot_eager"
    count = every(path)

    def on_path(shard: Optional[Tuple[int, int]]) -> List[str]:
        options = {"path": [path], "case": [], "seed": 0, "tier": "smoke", "shard": shard}
        return case_ids("edge", Namespace(**options))

    shards = [on_path((i, count)) for i in range(1, count + 1)]
    assert count > 1
    assert on_path(None) == shards[0]
    assert sorted(each for shard in shards for each in shard) == sorted(on_path((1, 1)))


# --- other processes --------------------------------------------------------------------------

LISTING = (
    "import hashlib; from cases import catalogue as c\n"
    "ids = [i for f in c.FAMILIES for i in c.ids(f, 'gate')]\n"
    "text = ''.join(i + repr(c.find(i)) for i in ids)\n"
    "print(hashlib.sha256(text.encode()).hexdigest())\n"
)


@pytest.mark.parametrize("seed", ["1", "4242"])
def test_another_hash_seed_lists_the_same_cases(seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    ran = subprocess.run(
        [sys.executable, "-c", LISTING],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    here = hashlib.sha256("".join(i + repr(catalogue.find(i)) for i in gate()).encode())
    assert ran.stdout.strip() == here.hexdigest()


def collected(*arguments: str) -> List[str]:
    """Return the ids that pytest collects."""
    output = run("--collect-only", *arguments).output
    return re.findall(r"^tests/conformance/.*\[(.*)\]$", output, re.MULTILINE)


def test_a_case_of_full_alone_is_run_alone() -> None:
    stored = set(catalogue.ids("matrix", "gate"))
    case_id = next(each for each in catalogue.ids("matrix", "full") if each not in stored)
    ran = run("--case", case_id)
    assert ran.status == 0, ran.output
    assert ran.lines[-1].startswith("1 passed in")


@pytest.mark.parametrize("family", [*catalogue.FAMILIES, "steps"])
def test_a_case_of_every_family_is_collected_alone(family: str) -> None:
    ids = list(catalogue.ids(family, "gate"))
    case_id = (
        ids[len(ids) // 2]
        if ids
        else ("steps-affine-track-momentum_none-bounded-n8-float32-forward:b0,eval,forward:b1")
    )
    assert collected("--case", case_id) == [case_id]


def test_words_select() -> None:
    """-k "momentum_none and eval" selects just the ids with both words, some and not all."""
    chosen = set(collected("-k", "momentum_none and eval"))
    expected = {each for each in gate() if "momentum_none" in each and "eval" in each}
    print(f'-k "momentum_none and eval": {len(chosen)} of {len(gate())} cases')
    assert chosen == expected
    assert 0 < len(chosen) < len(gate())


def test_pytest_collects_the_tier() -> None:
    tier = [each for family in catalogue.FAMILIES for each in catalogue.ids(family, "smoke")]
    assert sorted(collected("--tier", "smoke")) == sorted(tier)
