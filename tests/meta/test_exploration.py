"""Random exploration finds liars, shrinks what it finds, and reports what rebuilds and fails again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, List, Set

import pytest

pytest.importorskip("hypothesis")

from hypothesis import given, settings
from hypothesis import strategies as st

from cases import catalogue
from cases.attributes import BUFFERS, PARAMETERS
from cases.attributes import FLAGS as ATTRIBUTES
from cases.construction import Construction
from cases.errors import CaseError
from cases.programs import spelled
from cases.programs.alphabet import ALPHABET, CONSTRUCTIONS, VARIANTS
from cases.spelling import parse_program, parse_step, spell, token
from cases.steps import (
    ATTACH_KINDS,
    COPIES,
    GRADS,
    RESETS,
    SHOWN,
    STATE_DICTS,
    Attach,
    Copy,
    Count,
    Drop,
    Forward,
    Forwards,
    LoadStateDict,
    Mode,
    Preset,
    Reset,
    SetAttribute,
    Show,
    Step,
)
from cases.variants import Variant
from tests.conformance.exploration import explore
from tests.meta import installed
from tests.meta.liars import LIARS, hunt
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.verdict import PASS, adjudicate

ROOT = Path(__file__).parents[2]
WITHIN = 500
SHORT = 6

FOUND = (
    "BiasedIsStored",
    "NanLeaksAcrossChannels",
    "EpsReadAtConstruction",
    "MomentumReadAtConstruction",
    "CounterResetByEval",
    "AffineReadLive",
    "TrackFlagDecidesInEval",
    "UpdatedInEval",
    "DeepcopyShares",
    "EmptyBatchNotCounted",
)
"""Liars about ten different things."""

ONCE_DIVERGED = (
    "steps-no_affine-no_track-momentum_0.1-bounded-n2-float32-"
    "attach:running_mean:tensor,forward:wrong_float",
    "steps-affine-track-momentum_0.1-bounded-n2-float32-set:eps:-1.0,set:training:false,forward:b0",
    "steps-affine-track-momentum_0.1-exact-n2-float32-set:eps:-1.0,forward:b0",
    "steps-affine-track-momentum_0.1-bounded-n8-float64-set:eps:0.0,forward:b0",
    "steps-affine-track-momentum_none-bounded-n2-float32-forward:b0,set:eps:0.0,eval,forward:b0",
    "steps-affine-track-momentum_1.5-bounded-n2-float32-"
    "forward:b0,set:eps:0.5,set:training:false,forward:b0",
    "steps-affine-track-momentum_0.1-bounded-n2-float32-"
    "set:momentum:2.0,forward:b0,forward:b0,eval,forward:b0",
    "steps-affine-track-momentum_0.1-bounded-n2-float32-"
    "set:momentum:1.5,forward:b0,set:momentum:inf,forward:b0",
    "steps-affine-track-momentum_0.1-bounded-n2-float32-set:eps:nan,forward:b0,eval,forward:b0",
    "steps-affine-track-momentum_0.1-bounded-n2-float32-set:eps:none,forward:b0,eval,forward:b0",
    "steps-affine-track-momentum_0.1-bounded-n2-float32-set:eps:text,set:momentum:text,forward:b0",
)
"""What exploration found the oracle to be wrong about, shrunk."""


# --- what is found -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FOUND)
def test_liar_is_found_and_shrunk(name: str) -> None:
    """Within 500 programs, by a short one, whose id rebuilds it and whose case fails again."""
    liar = LIARS[name].factory
    explored = explore(liar, hunt.NEWEST, WITHIN, "0.0")
    assert explored.case is not None
    assert explored.programs < WITHIN
    assert len(explored.case.steps) <= SHORT
    rebuilt = catalogue.find.__wrapped__(explored.case.id)
    assert spell(rebuilt.steps) == spell(explored.case.steps)
    assert (rebuilt.config, rebuilt.variant) == (explored.case.config, explored.case.variant)
    assert hunt.catch(liar, rebuilt.id) is not None


def test_honest_subject_is_not_accused() -> None:
    """An independent implementation in other arithmetic passes."""
    explored = explore(HonestBatchNorm2d, hunt.NEWEST, WITHIN, "0.0")
    assert explored.case is None
    assert explored.programs == WITHIN
    assert explored.outputs > 2 * WITHIN


def test_unreadable_subject_is_found() -> None:
    """A subject that cannot even be observed is found like any other."""

    class WithoutCounter(HonestBatchNorm2d):
        def __getattr__(self, name: str) -> Any:
            if name == "num_batches_tracked":
                raise AttributeError(name)
            return super().__getattr__(name)

    explored = explore(WithoutCounter, hunt.NEWEST, WITHIN, "0.0")
    assert explored.case is not None
    assert len(explored.case.steps) == 1


@pytest.mark.parametrize("case_id", ONCE_DIVERGED)
def test_oracle_stays_right(case_id: str) -> None:
    """The installed torch passes what exploration once found the oracle wrong about."""
    decided = adjudicate(catalogue.find(case_id), installed.BATCH_NORM, installed.RULES)
    assert decided.outcome == PASS, decided.explanation


# --- what is explored ----------------------------------------------------------------------------


def test_alphabet_has_every_kind_of_step() -> None:
    """Every operation, buffer, parameter, attach kind, copy, reset and state dict."""
    steps: Set[str] = {token(step) for step in ALPHABET}
    wanted: List[Step] = [Mode(True), Mode(False), Preset()]
    wanted += [Reset(each) for each in RESETS] + [Copy(each) for each in COPIES]
    wanted += [LoadStateDict(each) for each in STATE_DICTS] + [Show(each) for each in SHOWN]
    for name in BUFFERS + PARAMETERS:
        wanted.append(Drop(name))
        wanted += [
            Attach(name, kind)
            for kind in ATTACH_KINDS
            if (name, kind) != ("num_batches_tracked", "trainable")
        ]
    assert {token(step) for step in wanted} <= steps
    assert {step.name for step in ALPHABET if isinstance(step, SetAttribute)} == set(ATTRIBUTES)
    assert all(any(isinstance(step, kind) for step in ALPHABET) for kind in (Count, Forwards))


def test_every_batch_of_the_alphabet_can_be_had() -> None:
    """No name is unknown under any variant."""
    from cases.inputs import batch

    names = {step.batch for step in ALPHABET if isinstance(step, Forward)}
    assert all(batch(variant, name).name == name for variant in VARIANTS for name in names)


def test_same_seed_same_programs() -> None:
    """A search is a function of its seed."""
    runs = [explore(HonestBatchNorm2d, hunt.NEWEST, 50, seed) for seed in ("1", "1", "2")]
    assert runs[0] == runs[1] != runs[2]


# --- ids -----------------------------------------------------------------------------------------

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats()
    | st.sampled_from(["text", "other"])
)

NO_FORWARD = st.one_of(
    st.builds(Mode, st.booleans()),
    st.builds(SetAttribute, st.sampled_from(ATTRIBUTES), VALUES),
    st.builds(Drop, st.sampled_from(BUFFERS + PARAMETERS)),
    st.builds(Attach, st.sampled_from(BUFFERS[:2] + PARAMETERS), st.sampled_from(ATTACH_KINDS)),
    st.builds(Attach, st.just("num_batches_tracked"), st.sampled_from(ATTACH_KINDS[:2])),
    st.just(Preset()),
    st.builds(Count, st.integers(-(2**63), 2**63 - 1)),
    st.builds(Reset, st.sampled_from(RESETS)),
    st.builds(Copy, st.sampled_from(COPIES)),
    st.builds(LoadStateDict, st.sampled_from(STATE_DICTS)),
    st.builds(Show, st.sampled_from(SHOWN)),
)
STEPS = st.one_of(
    NO_FORWARD,
    st.builds(
        Forward,
        st.from_regex(r"[a-z][a-z0-9_]*(\.[a-z_]+)?", fullmatch=True),
        st.sampled_from(GRADS),
    ),
    st.builds(Forwards, st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True), st.integers(1, 9999)),
)

deterministic = settings(max_examples=500, derandomize=True, database=None, deadline=None)


def same(one: Step, other: Step) -> bool:
    """Equal, and a value set of one type; NaN, which equals nothing, by its spelling."""
    if isinstance(one, SetAttribute) and isinstance(other, SetAttribute):
        if one.value != one.value:
            return token(one) == token(other)
        return one == other and type(one.value) is type(other.value)
    return one == other


@deterministic
@given(STEPS)
def test_parse_step_inverts_token(step: Step) -> None:
    """Whatever can be performed can be spelled and read back."""
    assert same(parse_step(token(step)), step)


@deterministic
@given(st.text("abdeghilmnoprstuvw_:.-+0123456789\u0661", max_size=24))
def test_token_inverts_parse_step(text: str) -> None:
    """A text is either spelled as ``token`` spells it, or refused."""
    try:
        step = parse_step(text)
    except CaseError:
        return
    assert token(step) == text


@deterministic
@given(
    st.sampled_from(CONSTRUCTIONS),
    st.sampled_from(VARIANTS),
    st.lists(st.one_of(NO_FORWARD, st.sampled_from(ALPHABET)), min_size=1, max_size=12),
)
def test_spelled_id_rebuilds_its_case(
    construction: Construction, variant: Variant, steps: List[Step]
) -> None:
    """The id alone has everything."""
    case = spelled.case(construction, variant, tuple(steps))
    rebuilt = catalogue.find.__wrapped__(case.id)
    assert rebuilt.id == case.id
    assert (rebuilt.config, rebuilt.variant) == (case.config, case.variant)
    assert len(rebuilt.steps) == len(steps)
    assert all(map(same, rebuilt.steps, steps))
    assert parse_program(spell(steps)) is not None


# --- the command line ----------------------------------------------------------------------------


def pytest_run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_report_rebuilds_and_fails_the_same_way() -> None:
    """The id that ``--explore`` prints fails with ``--case``, with the same finding."""
    subject = ("--subject", "tests.meta.liars.epsilon:EpsReadAtConstruction", "--semantics", "2.15")
    first = pytest_run("--explore", "500", *subject, "tests/conformance/test_exploration.py")
    assert first.returncode == 1, first.stdout
    again = re.search(r"run it again: pytest --case '([^']+)'", first.stdout)
    assert again is not None, first.stdout
    assert "# a script that shows it" in first.stdout
    second = pytest_run("--case", again.group(1), *subject)
    assert second.returncode == 1, second.stdout
    told = re.search(r"^step \d+ .*$", first.stdout, re.MULTILINE)
    assert told is not None
    assert told.group(0) in second.stdout


def test_nothing_is_explored_unasked() -> None:
    """Without --explore there is no item, and each part has a seed of its own with it."""
    where = ("--collect-only", "tests/conformance/test_exploration.py")
    assert "test_exploration[" not in pytest_run(*where).stdout
    collected = pytest_run(*where, "--explore", "1200", "--explore-seed", "3").stdout
    parts = re.findall(r"test_exploration\[(\S+)\]", collected)
    assert parts == ["500-seed3.0", "500-seed3.1", "200-seed3.2"]


def test_without_hypothesis_one_line_says_so() -> None:
    """A usage error that names the package and the extra; the rest of the suite needs neither."""
    program = (
        "import sys, pytest; sys.modules['hypothesis'] = None; "
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '--collect-only', *sys.argv[1:]]))"
    )
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )

    refused = run("--explore", "1")
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR
    assert refused.stderr.strip() == (
        "ERROR: --explore needs Hypothesis: pip install hypothesis "
        "(or this suite's extra 'explore')"
    )
    assert run("tests/conformance/test_edges.py").returncode == 0
