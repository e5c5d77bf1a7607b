"""Random exploration finds liars, shrinks its findings, and reports ids that fail again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any, List, Set

import pytest

pytest.importorskip("hypothesis")

from cases import catalogue
from cases.attributes import BUFFERS, PARAMETERS, TENSORS
from cases.attributes import FLAGS as ATTRIBUTES
from cases.case import Case
from cases.derivatives import Accumulate, Backward, Double, ZeroGrad
from cases.programs.alphabet import ALPHABET, VARIANTS
from cases.spelling import spell, token
from cases.steps import (
    ATTACH_KINDS,
    COPIES,
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
from tests.conformance.exploration import Explored, explore, shortest
from tests.conformance.judging import Failure
from tests.meta import installed
from tests.meta.command import ROOT, run
from tests.meta.liars import LIARS, hunt
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.subject.module import Factory, eager
from tests.verdict.verdict import KNOWN_DEFECT, PASS, Verdict, adjudicate

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
    "steps-affine-track-momentum_0.1-exact-n2-float32-forward:b0,convert:half,backward:ordinary",
    "steps-affine-track-momentum_0.1-exact-n2-float32-forward:b0,convert:half,double:ordinary:ones",
    "steps-affine-no_track-momentum_0.1-bounded-n8-float32-func_jvp:b1:tiny",
    "steps-affine-track-momentum_0.1-nonfinite-n8-float32-set:momentum:1e-60,forward:b1",
    "steps-affine-track-momentum_0.1-bounded-n8-float32-set:momentum:3.5e+38,forward:b1",
    "steps-affine-track-momentum_0.1-bounded-n8-float32-set:momentum:1e+30,forward:b0,forward:b1",
    "steps-affine-track-momentum_0.1-bounded-n8-float32-eval,set:eps:1e+39,forward:b0",
    "steps-affine-track-momentum_0.1-bounded-n8-float32-forward:no_batch,convert:double,accumulate:ones,convert:double",
    "steps-no_affine-no_track-momentum_0.1-bounded-n8-float32-forward:integers.permuted",
    "steps-affine-track-momentum_0.1-bounded-n8-float32-func_jvp:integers:ordinary",
    "steps-affine-track-momentum_0.1-bounded-n8-float32-set:training:0,show:returns",
    "steps-affine-no_track-momentum_0.1-bounded-n8-float32-attach:running_mean:unsaved.row,state_dict",
)
"""Programs, shrunk, in which exploration found the oracle to be wrong."""


def explored(factory: Factory, count: int = WITHIN, seed: str = "0.0") -> Explored:
    """Return the result of a search on the newest release."""

    def verdict_of(case: Case) -> Verdict:
        try:
            return adjudicate(case, eager(factory), hunt.NEWEST, strict_defects=False)
        except AttributeError as error:  # the subject broke the observation, not just a step
            raise Failure(str(error)) from error

    return explore(verdict_of, hunt.NEWEST, count, seed)


# --- findings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FOUND)
def test_liar_is_found_and_shrunk(name: str) -> None:
    """A liar is found within 500 programs, by a short one, whose id rebuilds it and fails again."""
    liar = LIARS[name].factory
    found = explored(liar)
    assert found.case is not None
    assert found.programs < WITHIN
    assert len(found.case.steps) <= SHORT
    rebuilt = catalogue.find.__wrapped__(found.case.id)
    assert spell(rebuilt.steps) == spell(found.case.steps)
    assert (rebuilt.config, rebuilt.variant) == (found.case.config, found.case.variant)
    assert hunt.catch(liar, rebuilt.id) is not None


def test_honest_subject_is_not_accused() -> None:
    """An independent implementation in other arithmetic passes."""
    found = explored(HonestBatchNorm2d)
    assert found.case is None, found.case.id
    assert found.programs == WITHIN
    assert found.outputs > 2 * WITHIN


def test_unreadable_subject_is_found() -> None:
    """A subject that cannot even be observed is found like any other."""

    class WithoutCounter(HonestBatchNorm2d):
        def __getattr__(self, name: str) -> Any:
            if name == "num_batches_tracked":
                raise AttributeError(name)
            return super().__getattr__(name)

    found = explored(WithoutCounter)
    assert found.case is not None
    assert len(found.case.steps) == 1


@pytest.mark.parametrize("case_id", ONCE_DIVERGED)
def test_oracle_stays_right(case_id: str) -> None:
    """The installed torch passes what exploration once found the oracle wrong about."""
    decided = adjudicate(catalogue.find(case_id), eager(installed.BATCH_NORM), installed.RULES)
    assert decided.outcome == PASS, decided.explanation


# --- the steps that are explored ----------------------------------------------------------------------


def test_alphabet_has_every_kind_of_step() -> None:
    """The alphabet has every operation, buffer, parameter, attach kind, copy, reset and state dict."""
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
    assert {step.name for step in ALPHABET if isinstance(step, SetAttribute)} == {*ATTRIBUTES, *TENSORS}
    kinds = (Count, Forwards, Backward, Accumulate, Double, ZeroGrad)
    assert all(any(isinstance(step, kind) for step in ALPHABET) for kind in kinds)


def test_every_batch_of_the_alphabet_can_be_had() -> None:
    """Every name is known under every variant."""
    from cases.inputs import batch

    names = {step.batch for step in ALPHABET if isinstance(step, Forward)}
    assert all(batch(variant, name).name == name for variant in VARIANTS for name in names)


def test_same_seed_same_programs() -> None:
    """A search is a function of its seed."""
    runs = [explored(HonestBatchNorm2d, 50, seed) for seed in ("1", "1", "2")]
    assert runs[0] == runs[1] != runs[2]


def test_large_inputs_and_known_defects_are_among_what_is_explored() -> None:
    """The alphabet has inputs with as many values, and in the layout, that torch's plain sums need."""
    programs: List[Case] = []

    def seen(case: Case) -> bool:
        programs.append(case)
        return False

    shortest(hunt.NEWEST, seen, 1000, "0")
    large = [case for case in programs if case.variant.shape == "n4096"]
    assert any(".channels_last" in spell(case.steps) for case in large)
    for name in ("empty_wrong_channels", "no_channels", "overflowing"):
        assert any(name in spell(case.steps) for case in programs)


DEFECTIVE = (
    "steps-affine-track-momentum_1.0-bounded-n4096-float32-forward:b0.channels_last",
    "steps-affine-track-momentum_0.1-bounded-n2-float32-forward:empty_wrong_channels",
    "steps-affine-track-momentum_0.1-bounded-n8-float32-forward:overflowing",
    "steps-affine-no_track-momentum_0.1-bounded-n8-float32-functional_vjp:empty_wrong_channels:ordinary",
    "steps-affine-no_track-momentum_0.1-bounded-n8-float32-functional_vjp:no_channels:ordinary",
    "steps-affine-no_track-momentum_0.1-bounded-n8-float64-jvp:b0.windows:ordinary",
    "steps-affine-no_track-momentum_0.1-bounded-n256-float64-func_vjp_jvp:b0.windows:ordinary",
    "steps-affine-no_track-momentum_0.1-bounded-n8-float32-func_jvp_vjp:overflowing:constant",
    "steps-no_affine-track-momentum_0.1-bounded-n8-mixed_float16-"
    "drop:num_batches_tracked,func_jvp:b0:ordinary",
    "steps-affine-track-momentum_0.1-exact-n30-float16-input_grad:b3,double:ordinary:offset",
    "steps-affine-no_track-momentum_none-exact-n196_4x6x7x7-float16-jvp:b3:outlier",
    "steps-no_affine-no_track-momentum_1.0-nonfinite-n2_2x8209x1x1-float16-func_jvp:b3:outlier",
    "steps-affine-no_track-momentum_0.5-bounded-n98_2x512x7x7-bfloat16-"
    "input_grad:b0.permuted,double_input:alternating.shifted:huge",
    "steps-no_affine-no_track-momentum_0.0-bounded-n65537_65537x2x1x1-float16-"
    "input_grad:b3,double:alternating:outlier.cropped",
    "steps-no_bias-track-momentum_0.0-nonfinite-n2_2x8209x1x1-float16-"
    "preset,eval,input_grad:b3.permuted,double_input:like_input:constant",
    "steps-no_affine-track-momentum_int_1-bounded-n720_2x96x20x18-mixed_float16-"
    "input_grad:b2.transposed,double:tiny:alternating",
    "steps-affine-track-momentum_0.1-bounded-n192_32x7x2x3-float16-"
    "eval,load:zeros,input_grad:b3.shifted,backward:like_input.channels_last",
    "steps-no_affine-no_track-momentum_none-bounded-n30-float64-"
    "set:eps:1e-300,input_grad:b1.windows,triple:constant:offset.one_row:rectified",
)


@pytest.mark.skipif(installed.RULES.release < (1, 10), reason="these defects begin with torch 1.10")
@pytest.mark.parametrize("case_id", DEFECTIVE)
def test_a_known_defect_is_no_finding_of_a_search(case_id: str) -> None:
    """A search does not report a program that meets a known defect."""
    decided = adjudicate(catalogue.find(case_id), eager(installed.BATCH_NORM), installed.RULES)
    assert decided.outcome == KNOWN_DEFECT, decided.explanation


# --- the command line ----------------------------------------------------------------------------


def test_report_rebuilds_and_fails_the_same_way() -> None:
    """The id that ``--explore`` prints fails with ``--case``, with the same finding."""
    subject = ("--subject", "tests.meta.liars.epsilon:EpsReadAtConstruction", "--semantics", "2.15")
    first = run("--explore", "500", *subject, "tests/conformance/test_exploration.py")
    assert first.status == 1, first.output
    again = re.search(r"run it again: pytest --case '([^']+)'", first.output)
    assert again is not None, first.output
    assert "# a script that shows it" in first.output
    second = run("--case", again.group(1), *subject)
    assert second.status == 1, second.output
    told = re.search(r"^.* after step \d+ .*$", first.output, re.MULTILINE)
    assert told is not None
    assert told.group(0) in second.output


def test_nothing_is_explored_unasked() -> None:
    """Without --explore there is no test; with it each part has its own seed."""
    where = ("--collect-only", "tests/conformance/test_exploration.py")
    assert "test_exploration[" not in run(*where).output
    collected = run(*where, "--explore", "1200", "--explore-seed", "3").output
    parts = re.findall(r"test_exploration\[(\S+)\]", collected)
    assert parts == ["500-seed3.0", "500-seed3.1", "200-seed3.2"]


def test_without_hypothesis_one_line_says_so() -> None:
    """The line is a usage error that names the package and the extra; other runs need neither."""
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
