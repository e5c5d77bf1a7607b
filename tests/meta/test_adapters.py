"""Adapters: an honest port is green at values, lying ones are found, and what is not offered is told."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Set, Tuple, Type

import numpy as np
import pytest

from cases import catalogue
from cases.attributes import FLAGS, TENSORS
from cases.case import Case
from cases.steps import OVERWRITTEN
from cases.variants import LARGE_SHAPES
from reports.record import read
from reports.rows import FINDING, NOT_APPLICABLE, PASS, STATE, VALUES
from reports.tally import applicable, outcome_counts
from tests.failure import replay
from tests.failure.narrative import narrative
from tests.failure.reproduction import reproduce
from tests.failure.runner import Runner
from tests.meta import installed, ports
from tests.meta.command import TRIED_HERE, run
from tests.subject import adapted, driven, offers
from tests.subject.adapter import WORDS, Adapter
from tests.subject.adapters import numpy_port
from tests.subject.adapters.numpy_port import NumpyPort
from tests.subject.errors import SubjectError
from tests.verdict import result as results
from tests.verdict.verdict import Verdict, adjudicate

START = "steps-affine-track-momentum_0.1-bounded-n8-float32-"
PORT = "tests.subject.adapters.numpy_port:NumpyPort"


def judged(adapter: Type[Adapter], case: Case, promise: str = VALUES) -> Verdict:
    rules = installed.RULES.of_subject(sums_exactly=adapter.sums_exactly)
    return adjudicate(case, adapted.subject(adapter, promise=promise), rules, strict_defects=False)


@lru_cache(maxsize=None)
def applicable_cases(every: int = 4) -> Tuple[Case, ...]:
    """Return some of the cases of the gate that the port offers to their end, with small inputs."""
    ids = [each for family in catalogue.FAMILIES for each in catalogue.ids(family, "gate")]
    cases = (catalogue.find(each) for each in ids)
    offered = [case for case in cases if offers.unoffered(case, NumpyPort.offers) is None]
    return tuple(case for case in offered if case.variant.shape not in LARGE_SHAPES)[::every]


# --- the honest port ---------------------------------------------------------------------------


def test_the_honest_port_is_green_at_values() -> None:
    outcomes = {case.id: judged(NumpyPort, case).outcome for case in applicable_cases()}
    assert {key for key, outcome in outcomes.items() if outcome not in (PASS, NOT_APPLICABLE)} == set()
    assert sum(outcome == PASS for outcome in outcomes.values()) > 80


def test_the_port_knows_nothing_of_torch() -> None:
    source = Path(numpy_port.__file__).read_text(encoding="utf-8")
    assert "import torch" not in source
    assert len(source[: source.index("NAMES =")].splitlines()) < 70
    attributes = set(vars(numpy_port.BatchNorm(3))) | set(vars(NumpyPort(3, 1e-5, 0.1, "float32")))
    assert not attributes & ({*TENSORS, *FLAGS} - {"eps", "momentum"})


def test_a_run_of_the_port_says_how_much_is_applicable(tmp_path: Path) -> None:
    record = tmp_path / "port.jsonl"
    ran = run("--subject", PORT, "-k", "edge and (eps or memory)", f"--report={record}")
    assert ran.status == 0, ran.output
    held = read(record)
    counts = outcome_counts(held.rows)
    assert counts[PASS] > 5
    assert counts[NOT_APPLICABLE] > 10
    assert counts[FINDING] == 0
    assert f"applicable           {applicable(counts)}, and " in ran.output
    assert "not applicable:" in ran.output
    assert f"{NumpyPort.implementation} | promise values" in ran.output
    assert (held.header.promise, held.header.implementation) == (VALUES, NumpyPort.implementation)
    assert all(row.reason for row in held.rows if row.outcome == NOT_APPLICABLE)


def test_a_run_in_which_nothing_is_applicable_is_no_success() -> None:
    ran = run("--subject", PORT, "--case", START + "show:repr")
    assert ran.status == 5
    assert "none of 1 case(s) is applicable" in ran.output
    assert "a step of torch alone: Show" in ran.output


# --- ports that lie ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ports.LYING)
def test_a_port_that_lies_is_found(name: str) -> None:
    adapter, quantity = ports.LYING[name]
    seen: Set[str] = set()
    for case in applicable_cases(9):
        decided = judged(adapter, case)
        if decided.outcome == FINDING:
            seen.add(decided.result.findings[0].mismatch.quantity)
    assert quantity in seen


@pytest.mark.parametrize(
    ("adapter", "program", "said"),
    [
        (ports.TwoGradients, "forward:b0,backward:ones", "TypeError: backward returns 2 gradients; input, weight"),
        (ports.NoArray, "forward:b0", "TypeError: no array of numbers but list of <U5"),
    ],
)
def test_an_adapter_that_returns_something_else_is_a_finding(
    adapter: Type[Adapter], program: str, said: str
) -> None:
    decided = judged(adapter, catalogue.find(START + program))
    mismatch = decided.result.findings[0].mismatch
    assert mismatch.quantity == "exception"
    assert mismatch.got.startswith(said)


def test_a_case_is_told_in_what_is_promised() -> None:
    case = catalogue.find(START + "forward:b0,drop:weight,forward:b1")
    lines = narrative(case, adapted.subject(NumpyPort), installed.RULES.of_subject(False))
    assert any(line.strip().startswith("running_var") for line in lines)
    assert not any("training" in line or "num_batches_tracked" in line for line in lines)
    assert lines[-1] == "   2 and the rest is not applicable: not offered: drop:weight"


def test_numbers_narrower_than_the_dtype_are_found() -> None:
    case = catalogue.find(START.replace("float32", "float64") + "forward:b0")
    assert judged(ports.NarrowFloat64, case).outcome == FINDING


@pytest.mark.parametrize(
    ("adapter", "program"),
    [
        (ports.LYING["EpsOutsideOfTheRoot"][0], "preset,forward:b0"),
        (ports.LYING["SwappedMomentum"][0], "eval,forward:b1,set:momentum:0.3,train,forward:b0"),
        (ports.LYING["WithoutTheMeanOfTheGradient"][0], "preset,input_grad:b0,backward:outlier"),
        (ports.LYING["SumOfAnInputChannel"][0], "forward:b0,backward:ones"),
        (ports.Raising, "deepcopy,load:plain,eval,forward:b0"),
    ],
)
def test_a_script_in_terms_of_numpy_shows_a_finding(adapter: Type[Adapter], program: str) -> None:
    """It needs no torch, and prints what the finding says."""
    subject = adapted.subject(adapter)
    result = results.run(catalogue.find(START + program), subject, installed.RULES)
    again = reproduce(result, Runner(subject, installed.RULES, fresh=False))
    assert again.script is not None, again.remark
    assert "torch" not in again.script
    assert again.program is not None
    mismatch = again.program.finding.mismatch
    with np.errstate(all="ignore"):
        lines = replay.printed(again.script).splitlines()
    assert lines == [f"got      {mismatch.got}", f"expected {mismatch.expected}"]


def test_the_report_of_a_lying_port_has_a_script() -> None:
    subject = "tests.meta.ports:SwappedMomentumPort"
    ran = run("--subject", subject, "--case", START + "forward:b0", *TRIED_HERE)
    assert ran.status == 1
    assert "a script that shows it (it needs NumPy and the adapter, and was tried" in ran.output
    assert "a = tests.meta.ports.SwappedMomentumPort(1, eps=1e-05, momentum=0.1, dtype='float32')" in ran.output


# --- what is not offered -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "number", "reason"),
    [
        ("forward:b0,drop:weight,forward:b1", 2, "not offered: drop:weight"),
        ("forward:b0.channels_last", 1, offers.LAYOUT),
        ("forward:b0,backward:ones.permuted", 2, offers.LAYOUT),
        ("no_grad:b0", 1, "not offered: no_grad"),
        ("set:momentum:none", 1, "not offered: momentum_none"),
        ("forward:b0,accumulate:ones", 2, "a step of torch alone: Accumulate"),
        ("count:3", 1, "not offered: counter"),
        ("convert:half,forward:b0", 1, "not offered: convert"),
        ("forward:integers", 1, "an input of another dtype"),
        ("load:wrapped", 1, "a state dict of another kind"),
        ("attach:weight:tensor", 1, "attaching a tensor of another kind or form"),
    ],
)
def test_a_step_that_is_not_offered_makes_a_case_not_applicable(
    program: str, number: int, reason: str
) -> None:
    case = catalogue.find(START + program)
    assert offers.unoffered(case, NumpyPort.offers) == (number, reason)
    decided = judged(NumpyPort, case)
    assert (decided.outcome, decided.explanation) == (NOT_APPLICABLE, reason)


@pytest.mark.parametrize("words", ["no_affine-track-momentum_0.1", "affine-no_track-momentum_0.1", "affine-track-momentum_none", "no_bias-track-momentum_0.1"])
def test_a_construction_that_is_not_offered_is_never_tried(words: str) -> None:
    case = catalogue.find(f"steps-{words}-bounded-n8-float32-forward:b0")
    decided = judged(NumpyPort, case)
    assert decided.outcome == NOT_APPLICABLE
    assert decided.result.compared == {}


def test_a_mode_that_is_not_offered() -> None:
    eval_only = NumpyPort.offers - {"train"}
    assert offers.unoffered(catalogue.find(START + "eval,forward:b0"), eval_only) is None
    found = offers.unoffered(catalogue.find(START + "eval,forward:b0,train,forward:b0"), eval_only)
    assert found == (4, "not offered: train")


def test_a_fault_before_the_step_that_is_not_offered_is_found() -> None:
    case = catalogue.find(START + "forward:b0,drop:weight,forward:b1")
    assert judged(ports.LYING["BiasedRunningVariance"][0], case).outcome == FINDING


class Asked(Set[str]):
    """A set of offers that has every word, and keeps those that it was asked for."""

    def __contains__(self, word: object) -> bool:
        self.add(str(word))
        return True


def test_every_word_of_an_offer_opens_a_program() -> None:
    """No word is asked for by nothing, and none that is asked for is unknown."""
    asked = Asked()
    for family in catalogue.FAMILIES:
        for each in tuple(catalogue.ids(family, "gate"))[::3]:
            offers.unoffered(catalogue.find(each), asked)
    torch_alone = {"hooked", "inference", "view", "detached", *OVERWRITTEN, "set:num_features"}
    assert set(map(str, asked)) - torch_alone == set(WORDS)


def test_every_step_that_may_be_offered_is_performed() -> None:
    from tests.failure import adapter_script

    assert set(offers.STEPS) == set(driven.ACTIONS) == set(adapter_script.LINES)


# --- the minimum --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Nothing", "less than the minimum: it cannot be constructed with num_features=3"),
        ("Unwritable", "it cannot be asked to write 'weight' and to read it back"),
        ("Modeless", "it offers next to nothing: train or eval is missing in offers"),
        ("Boasting", "offers 'teleport'; accepted are float32, float64"),
        ("Raising", "it cannot be called for an ordinary batch of shape (2, 3, 2, 2), eval (RuntimeError: no"),
    ],
)
def test_an_adapter_below_the_minimum_is_refused_in_one_line(name: str, said: str) -> None:
    with pytest.raises(SubjectError) as caught:
        adapted.load(f"tests.meta.ports:{name}", getattr(ports, name), None)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_refusal_ends_the_run_with_status_4() -> None:
    ran = run("--subject", "tests.meta.ports:Nothing", "--tier", "smoke")
    assert ran.status == 4
    assert "--subject: subject 'tests.meta.ports:Nothing': the adapter offers less than" in ran.output


def test_an_adapter_cannot_promise_the_module() -> None:
    with pytest.raises(SubjectError, match="an adapter promises values or state"):
        adapted.load(PORT, NumpyPort, "module")
    with pytest.raises(SubjectError, match="the promise 'state' needs these offers: counter"):
        adapted.load(PORT, NumpyPort, "state")


# --- the promise of state -----------------------------------------------------------------------


STATES = ("forward:b0,eval,forward:b1", "count:7,forward:b0", "forward:one_value,forward:b0", "set:eps:0.5", "forward:three_dims")


@pytest.mark.parametrize("program", STATES)
def test_a_port_may_promise_the_state(program: str) -> None:
    case = catalogue.find(START + program)
    assert judged(ports.Stateful, case, STATE).outcome == PASS
    assert judged(NumpyPort, case).outcome in (PASS, NOT_APPLICABLE)


def test_a_flag_or_a_counter_that_is_wrong_is_found_at_state_alone() -> None:
    case = catalogue.find(START + "forward:b0")
    assert judged(ports.Uncounted, case, STATE).outcome == FINDING
    assert judged(ports.Uncounted, case, VALUES).outcome == PASS
