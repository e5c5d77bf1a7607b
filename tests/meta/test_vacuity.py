"""A pass means something: holes planted in subject, comparison, run and record are each noticed."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Set, Tuple, Type

import numpy as np
import pytest

from cases import catalogue
from cases.case import Case
from cases.steps import Copy, Forward, Forwards, Mode, SetAttribute, Show
from cases.variants import INF_CHANNEL, NAN_CHANNEL
from oracle.state import FLAGS, TENSORS, Expected, Slot
from reports.rows import PASS
from tests import agreement, lockstep, summary
from tests.agreement import Columns
from tests.compare import Names, Tally
from tests.judgement import judge
from tests.lockstep import Result, VacuousCase, run
from tests.meta import fakes, handmade, installed
from tests.subject import observation
from tests.subject.observation import Observation

ROOT = Path(__file__).parents[2]

Values = Sequence[object]


def ran(case: Case, subject: Callable[..., Any]) -> Result:
    return run(case, subject, installed.RULES)


def quantities(result: Result) -> List[str]:
    return [finding.mismatch.quantity for finding in result.findings]


def forwards(case: Case) -> int:
    return sum(isinstance(step, (Forward, Forwards)) for step in case.steps)


def example(*words: str) -> Case:
    """The first small case of smoke with all these words in its id."""
    return next(c for c in installed.small() if set(words) <= set(c.id.split("-")))


# --- the mode is not applied ------------------------------------------------------------------


def test_a_mode_that_is_not_applied_is_an_error() -> None:
    """At the very step that should have applied it."""
    checked = 0
    for case in installed.small():
        modes = [n for n, step in enumerate(case.steps, 1) if step == Mode(False)]
        if not modes or "training_attribute" in case.id:  # there the mode may be applied already
            continue
        result = ran(case, fakes.DeafToModes)
        assert "training" in quantities(result), case.id
        assert result.findings[0].step <= modes[0]
        checked += 1
    assert checked > 50


def test_a_training_flag_that_lies_is_an_error() -> None:
    for case in installed.small():
        if Mode(False) in case.steps:
            assert "training" in quantities(ran(case, fakes.SaysTraining)), case.id


def test_a_mode_that_is_only_shown_is_an_error() -> None:
    """``training`` reads as it should; the numbers are those of train mode."""
    caught = [case for case in installed.small() if ran(case, fakes.ActsTraining).findings]
    sensitive = [
        case
        for case in installed.small()
        if case.config.track_running_stats and "eval_only" in case.id.split("-")
        and not any(isinstance(step, SetAttribute) or "drop_running" in case.id for step in case.steps)
    ]  # fmt: skip
    assert len(sensitive) > 3
    assert {case.id for case in sensitive} <= {case.id for case in caught}


# --- a quantity is not compared ---------------------------------------------------------------


def without(quantity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nothing counts as a comparison of one quantity, as if none took place."""
    count = Tally.count

    def holed(tally: Tally, names: Names, times: int = 1) -> None:
        count(tally, tuple(name for name in names if name != quantity), times)

    monkeypatch.setattr(Tally, "count", holed)


ASPECTS = (
    "",
    " is the same object",
    " has a grad_fn",
    " requires_grad",
    " dtype",
    " shape",
    " present",
)
OUTPUT = ("", "_dtype", "_shape", "_shares_input", "_requires_grad")
COMPARED = (
    "exception",
    "input_changed",
    "earlier_output_changed",
    "memory shared with the original",
    "output present",
    "output_strides contiguous",
    "shown",
    *(f"output{aspect}" for aspect in OUTPUT),
    *(f"{name}{aspect}" for name in TENSORS for aspect in ASPECTS),
    *FLAGS,
)
"""Every quantity that is compared."""


def all_compared(cases: Iterable[Case]) -> Dict[str, int]:
    found: Dict[str, int] = {}
    for case in cases:
        for quantity, count in ran(case, installed.BATCH_NORM).tally.compared.items():
            found[quantity] = found.get(quantity, 0) + count
    return found


def test_both_sides_name_the_same_tensors_and_flags() -> None:
    """The subject may not import the oracle, so the names stand twice."""
    assert (observation.TENSORS, observation.FLAGS) == (TENSORS, FLAGS)


def test_the_list_of_quantities_is_whole() -> None:
    """What this test plants holes for is all that the suite compares."""
    cases = (*installed.small(), *installed.edges()[:75])
    others = {"output_strides channels_last"}
    assert set(all_compared(cases)) - others == set(COMPARED)


@pytest.mark.parametrize("quantity", COMPARED)
def test_a_quantity_that_is_not_compared_is_noticed(
    quantity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    aspect = quantity.partition(" ")[2]
    absent = "no_affine no_track" if aspect == "present" else ""
    telling = installed.edges() if quantity == "shown" else installed.small()
    case = next(
        case
        for case in telling
        if any(isinstance(step, Show) for step in case.steps) == (quantity == "shown")
        and set(absent.split()) <= set(case.id.split("-"))
        and (absent or quantity == "shown" or {"affine", "track"} <= set(case.id.split("-")))
        and ("memory" not in quantity or any(isinstance(step, Copy) for step in case.steps))
        and not ran(case, installed.BATCH_NORM).errors
    )
    assert not ran(case, installed.BATCH_NORM).findings
    without(quantity, monkeypatch)
    with pytest.raises(VacuousCase, match=f"{quantity} was compared [0-9]+ times"):
        ran(case, installed.BATCH_NORM)


def test_a_hole_in_one_step_alone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The count decides, not whether the quantity was ever compared."""
    real = agreement._outputs_agree

    def planted(expected: Columns, seen: Any, overwritten: Any, tally: Tally) -> bool:
        place = next(n for n, each in enumerate(expected.outputs) if each is not None)
        return real(expected, (*seen[:place], None, *seen[place + 1 :]), overwritten, tally)

    monkeypatch.setattr(agreement, "_outputs_agree", planted)
    with pytest.raises(VacuousCase, match=r"output was compared \d+ times"):
        ran(example("affine", "track", "train_only"), installed.BATCH_NORM)


@pytest.mark.parametrize("place", [0, 3, -1])
def test_a_tensor_that_is_passed_over_is_noticed(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of those that a step has touched."""
    real = agreement.compress

    def planted(*arguments: Any) -> List[int]:
        touched = list(real(*arguments))
        del touched[place]
        return touched

    monkeypatch.setattr(agreement, "compress", planted)
    with pytest.raises(VacuousCase, match=r"was compared \d+ times"):
        ran(example("affine", "track", "train_only"), installed.BATCH_NORM)


def test_a_hole_in_one_step_of_a_case_that_differs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where a case is compared step by step."""
    real, calls = lockstep.compare, [0]

    def planted(before: Any, expected: Expected, got: Observation, tally: Tally) -> None:
        calls[0] += 1
        with monkeypatch.context() as here:
            if calls[0] == 3:
                without("training", here)
            real(before, expected, got, tally)

    monkeypatch.setattr(lockstep, "agreed", lambda *arguments: None)
    monkeypatch.setattr(lockstep, "compare", planted)
    with pytest.raises(VacuousCase, match="training"):
        ran(example("affine", "track", "train_only"), installed.BATCH_NORM)


# --- NaN on both sides ------------------------------------------------------------------------

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("got", "want", "budget", "equal"),
    [
        (NAN, NAN, 0.0, True),
        (NAN, NAN, 1.0, True),
        (NAN, NAN, NAN, True),
        (INF, INF, 1.0, True),
        (-INF, -INF, NAN, True),
        (NAN, 1.0, 0.0, False),
        (NAN, 1.0, 1.0, False),
        (NAN, 1.0, INF, False),
        (1.0, NAN, 1.0, False),
        (1.0, NAN, NAN, False),
        (1.0, NAN, INF, False),
        (INF, NAN, INF, False),
        (NAN, INF, NAN, False),
        (INF, -INF, NAN, False),
        (1.0, INF, NAN, False),
        (INF, 1.0, 1.0, False),
        (1.0, INF, 1.0, False),
        (1.0, 2.0, NAN, False),
    ],
)
def test_nan_and_infinity_are_accepted_only_where_expected(
    got: float, want: float, budget: float, equal: bool
) -> None:
    arrays = (np.array([1.0, got, 2.0]), np.array([1.0, want, 2.0]), np.array([0.5, budget, 0.5]))
    judgement = judge("output", *arrays, in_ulps=True)
    assert (judgement.mismatch is None) == equal
    if judgement.mismatch is not None:
        assert judgement.mismatch.index == (1,)


@pytest.mark.parametrize("subject", [fakes.NaNEverywhere, fakes.InfinityEverywhere])
def test_a_subject_that_gives_no_number_fails_every_case(subject: Type[fakes.Base]) -> None:
    for case in installed.small():
        result = ran(case, subject)
        honest = ran(case, installed.BATCH_NORM)
        if honest.tally.compared.get("output", 0):
            assert result.findings, case.id
            assert result.findings[0].mismatch.got in ("nan", "inf")


class Watched(NamedTuple):
    """Channels in which the oracle expects no finite number, and in which it accepts anything."""

    nonfinite: Set[int]
    undetermined: Set[int]


def watched(case: Case) -> Watched:
    found = Watched(set(), set())

    def witness(number: int, expected: Expected, got: Observation) -> None:
        output = expected.output
        if output is not None and output.batch.values.size:
            values = output.numbers().values
            found.nonfinite.update(np.argwhere(~np.isfinite(values))[:, 1].tolist())
            found.undetermined.update(np.flatnonzero(output.terms.undetermined).tolist())
        for name in TENSORS:
            slot = expected.state.tensor(name)
            if isinstance(slot, Slot):
                quantity = slot.quantity
                found.nonfinite.update(np.flatnonzero(~np.isfinite(quantity.value.high)).tolist())
                found.undetermined.update(np.flatnonzero(np.isinf(quantity.budget)).tolist())

    run(case, installed.BATCH_NORM, installed.RULES, witness=witness)
    return found


def test_the_oracle_expects_nan_only_where_one_was_put() -> None:
    """In the nonfinite lane, in the two channels that carry the NaN and the infinity.

    A momentum outside [0, 1] can make the running variance negative, and its root a NaN.
    """
    seen = 0
    for case in installed.small():
        allowed = set()
        if case.variant.lane == "nonfinite":
            allowed = {NAN_CHANNEL[case.variant.channels], INF_CHANNEL[case.variant.channels]}
        channels = watched(case).nonfinite
        if case.config.momentum not in (1.5, -0.5):
            assert channels <= allowed, case.id
        assert len(channels) < case.variant.channels
        seen += bool(channels)
    assert seen > 20


def test_almost_nothing_is_undetermined() -> None:
    """A budget without an end accepts everything, so it must be rare and have a reason."""
    cases = [case for case in (*installed.small(), *installed.edges()) if watched(case).undetermined]
    assert [case.id for case in cases] == ["edge-momentum-momentum_inf"]


def test_a_number_in_place_of_an_expected_nan_is_found() -> None:
    case = example("nonfinite", "affine", "track", "train_only")
    result = ran(case, fakes.HealsBuffers)
    expected = {finding.mismatch.expected for finding in result.findings}
    assert set(quantities(result)) == {"running_mean", "running_var"}
    assert expected <= {"nan", "inf", "-inf"}


# --- early returns ----------------------------------------------------------------------------

EARLY = [
    (fakes.ReturnsInput, {"output_shares_input", "output_requires_grad", "output", "running_mean", "exception"}),
    (fakes.ReturnsCopy, {"output", "output_requires_grad"}),
    (fakes.ReturnsZeros, {"output"}),
    (fakes.ReturnsNothing, {"exception"}),
    (fakes.ReturnsText, {"exception"}),
    (fakes.ReturnsEmpty, {"output_shape"}),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "seen_in"), EARLY, ids=[each.__name__ for each, _ in EARLY])
def test_a_subject_that_returns_early_fails_every_case(
    subject: Type[fakes.Base], seen_in: Iterable[str]
) -> None:
    for case in installed.small():
        honest = ran(case, installed.BATCH_NORM)
        if not honest.tally.compared.get("output", 0):
            continue
        result = ran(case, subject)
        assert result.findings, case.id
        assert result.findings[0].mismatch.quantity in seen_in


def test_buffers_of_another_dtype_are_found() -> None:
    """Right in value is not enough: the state dict of such a module is another."""
    case = example("affine", "track", "float32")
    assert quantities(ran(case, fakes.WideBuffers)) == ["running_mean dtype", "running_var dtype"]


# --- a run that stops early -------------------------------------------------------------------


def test_a_case_is_run_to_its_end() -> None:
    """What a result says was performed is what the program has."""
    for case in (*installed.small(), *installed.edges()):
        if case.variant.shape == "n102400":
            continue
        result = ran(case, installed.BATCH_NORM)
        if not result.findings:
            refused = any(error.startswith("0 construct") for error in result.errors)
            assert result.forwards == (0 if refused else forwards(case)), case.id
            assert result.tally.compared["exception"] == 1 + (0 if refused else len(case.steps))


class _Cut(Tuple[Any, ...]):
    """A program that says it is longer than it turns out to be."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self) // 2))


def test_a_loop_that_stops_early_is_noticed() -> None:
    case = example("affine", "track", "train_only")
    cut = dataclasses.replace(case, steps=_Cut(case.steps))
    assert len(list(cut.steps)) < len(case.steps)
    with pytest.raises(VacuousCase, match="exception was compared"):
        ran(cut, installed.BATCH_NORM)


def without_forward(cases: Iterable[Case]) -> List[str]:
    """The cases that never call the module."""
    return [case.id for case in cases if not forwards(case)]


def test_every_case_has_a_forward() -> None:
    ids = [each for family in catalogue.FAMILIES for each in catalogue.ids(family, "gate")]
    assert without_forward(map(catalogue.find, ids)) == []


def test_a_case_without_a_forward_is_noticed() -> None:
    planted = dataclasses.replace(installed.small()[0], id="planted", steps=(Mode(False),))
    assert without_forward([planted, installed.small()[0]]) == ["planted"]


def test_a_forward_that_compares_nothing_is_no_pass() -> None:
    """Of all the cases of smoke that construct a module, each compares an output or an exception."""
    for case in installed.small():
        result = ran(case, installed.BATCH_NORM)
        assert result.tally.compared.get("output", 0) or result.errors, case.id


# --- a case that leaves no row ----------------------------------------------------------------


def test_cases_without_a_row_are_counted() -> None:
    rows = [handmade.row("a"), handmade.row("b", outcome=PASS)]
    assert summary.without_row(rows, ["a", "b"]) == []
    (line,) = summary.without_row(rows, ["a", "c", "b", "d", "c"])
    assert line.startswith("2 case(s) left no row")
    assert line.endswith("first: c")


def test_a_whole_tier_has_a_row_for_every_id() -> None:
    for tier, families in (("smoke", ("matrix", "edge")), ("gate", catalogue.FAMILIES)):
        listed = [each for family in families for each in catalogue.ids(family, tier)]
        assert list(summary.ids_of(tier, 0)) == listed
    gate = list(summary.ids_of("gate", 5))
    assert len(gate) == sum(len(list(catalogue.ids(f, "gate"))) for f in catalogue.FAMILIES)
    assert all(each.endswith("-seed5") == each.startswith("matrix-") for each in gate)


PLANTS = {
    "forgets_rows": (
        "import pytest\n"
        "@pytest.hookimpl(hookwrapper=True)\n"
        "def pytest_runtest_call(item):\n"
        "    yield\n"
        "    if 'momentum_none' in item.name: item.row = None\n"
    ),
    "drops_items": (
        "def pytest_collection_modifyitems(items):\n"
        "    items[:] = [item for item in items if '-n2-' in item.name]\n"
    ),
    "skips_running": (
        "import pytest\n"
        "from tests.conformance.collection import CaseItem\n"
        "real = CaseItem.runtest\n"
        "CaseItem.runtest = lambda self: None if 'momentum_none' in self.name else real(self)\n"
    ),
}


@pytest.mark.parametrize("name", PLANTS)
def test_a_run_with_a_case_that_left_no_row_fails(name: str, tmp_path: Path) -> None:
    """A plugin plants the hole; without it the run passes."""
    (tmp_path / f"{name}.py").write_text(PLANTS[name], encoding="ascii")
    # What is dropped before it runs is only noticed in a whole tier.
    narrowed = [] if name == "drops_items" else ["--shard", "1/8"]
    program = (
        "import sys, pytest\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        f"sys.exit(pytest.main(['-p', 'no:cacheprovider', '-q', '--tier', 'smoke', '-p', {name!r}, *{narrowed!r}]))\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    shard = (1, 8) if narrowed else (1, 1)
    lost = {"drops_items": lambda i: "-n2-" not in i}.get(name, lambda i: "momentum_none" in i)
    tier = (i for f in catalogue.FAMILIES for i in catalogue.select(f, "smoke", shard))
    planted = [i for i in tier if lost(i)]
    assert f"ERROR: {len(planted)} case(s) left no row" in done.stdout, done.stdout[-2000:]
    assert done.returncode == pytest.ExitCode.INTERNAL_ERROR


# --- a tensor that agrees again ---------------------------------------------------------------


class ReboundBySetting(fakes.Base):
    """Puts an equal tensor in running_mean's place whenever an attribute is set."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        mean = self.__dict__.get("_buffers", {}).get("running_mean")
        if name == "eps" and mean is not None:
            self._buffers["running_mean"] = mean.clone()


@pytest.mark.parametrize("times", [1, 2])
def test_what_agreed_before_is_looked_at_again(times: int) -> None:
    """Equal numbers in another object are a finding, the first time and later."""
    settings = ",".join(f"set:eps:0.{n}" for n in range(1, times + 1))
    quiet = "set:momentum:0.5," * (times - 1)
    case = catalogue.find(f"steps-affine-track-momentum_0.1-bounded-n8-float32-{quiet}{settings}")
    result = ran(case, ReboundBySetting)
    assert quantities(result) == ["running_mean is the same object"]
    assert result.findings[0].step == times
