"""Scripts of findings: one shows its finding in a fresh process, or a line says why there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple, Type

import pytest
import torch

from cases import catalogue
from cases.case import Case
from cases.steps import Forwards
from cases.variants import LARGE_SHAPES
from tests.failure import replay
from tests.failure.reproduction import IRREPRODUCIBLE, ONLY_HERE, Reproduction, reproduce
from tests.failure.runner import Runner
from tests.failure.shrinking import alike, shortest
from tests.meta import failing, fakes, installed
from tests.meta.fakes import early_returns, modes, numbers
from tests.subject.module import eager
from tests.verdict.result import Result, run

LONGEST = 30
COPIES = {
    module: f"standing_{module.__name__.rpartition('.')[2]}"
    for module in (early_returns, modes, numbers, failing)
}
"""The names under which wrong modules lie beside a script, as a user's own module would."""

Subject = Type[torch.nn.BatchNorm2d]

SUBJECTS: Tuple[Subject, ...] = (
    fakes.UnbiasedNormalisation,
    fakes.NoEps,
    fakes.MomentumSwapped,
    fakes.NotCounted,
    fakes.WrongException,
    fakes.WrongStrides,
    fakes.WrongDtype,
    fakes.WideBuffers,
    fakes.BuffersReplaced,
    fakes.LegacyCounterLost,
    fakes.ForgetsFlags,
    fakes.LeaksNaN,
    fakes.OverwritesInput,
    fakes.SharesMemory,
    fakes.DeafToModes,
    fakes.ReturnsInput,
    fakes.ReturnsEmpty,
    fakes.AlwaysFails,
    failing.RefusedIsNotCounted,
    failing.WrongInLastColumn,
    failing.WithoutBiasKeyword,
)
each_subject = pytest.mark.parametrize("subject", SUBJECTS, ids=[s.__name__ for s in SUBJECTS])


class Reproduced(NamedTuple):
    """A finding of a wrong module, and the attempt to reproduce it."""

    result: Result
    again: Reproduction


@lru_cache(maxsize=None)
def pool() -> Tuple[Case, ...]:
    """Return cases of all kinds, diverse ones first, in which torch's own module has no finding."""
    edges = [case for case in installed.edges() if case.variant.shape not in LARGE_SHAPES]
    edges.sort(key=lambda case: len(case.steps))
    states = map(catalogue.find, list(catalogue.ids("state", "gate"))[::60])
    cases = [*edges[::12], *installed.small()[::8], *states]
    return tuple(each for each in cases if not run(each, eager(installed.BATCH_NORM), installed.RULES).findings)


def named(subject: Subject) -> str:
    """Return the module as given to --subject, from its place beside a script."""
    return f"{COPIES[sys.modules[subject.__module__]]}:{subject.__name__}"


@lru_cache(maxsize=None)
def findings(subject: Subject, most: int) -> List[Reproduced]:
    """Return findings of the module, no two with the same quantity and kind of step."""
    found: Dict[Tuple[str, str], Reproduced] = {}
    for case in pool():
        result = run(case, eager(subject), installed.RULES)
        if not result.findings:
            continue
        first = result.findings[0]
        key = (first.mismatch.quantity, first.token.partition(":")[0])
        if key not in found:
            again = reproduce(result, Runner(eager(subject, named(subject)), installed.RULES, fresh=False))
            found[key] = Reproduced(result, again)
        if len(found) == most:
            break
    return list(found.values())


@pytest.fixture(autouse=True)
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with copies of the wrong modules and nothing of the suite."""
    for module, name in COPIES.items():
        shutil.copy(str(module.__file__), tmp_path / f"{name}.py")
        monkeypatch.setitem(sys.modules, name, module)
    return tmp_path


def pasted(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the text in a fresh interpreter, in a folder that has nothing of the suite."""
    (folder / "pasted.py").write_text(text, encoding="ascii")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "pasted.py"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@each_subject
def test_a_script_is_short_and_prints_what_was_found(subject: Subject) -> None:
    """Scripts run in this process, for up to four kinds of finding of each subject."""
    found = findings(subject, 4)
    assert found
    for result, again in found:
        assert again.script is not None, again.remark
        assert again.program is not None
        assert len(again.script.splitlines()) <= LONGEST, again.script
        mismatch = again.program.finding.mismatch
        output = replay.printed(again.script)
        assert replay.got(output) == mismatch.got.partition("\n")[0], again.script
        assert output.endswith(f"expected {mismatch.expected}\n")
        assert alike(again.program.finding, result.findings[0])


@each_subject
def test_expected_is_that_of_the_scripts_own_input(subject: Subject) -> None:
    """torch's own module in place of the subject prints what is expected, or within the budget of it."""
    for _, again in findings(subject, 4):
        assert again.script is not None
        assert again.program is not None
        mismatch = again.program.finding.mismatch
        honest = again.script.replace(named(subject).replace(":", "."), "torch.nn.BatchNorm2d")
        seen = replay.got(replay.printed(honest))
        if mismatch.budget is not None:
            assert float(seen) == pytest.approx(float(mismatch.expected), abs=mismatch.budget, nan_ok=True), honest
        elif mismatch.quantity == "exception":
            assert seen.partition(":")[0] == mismatch.expected.partition(" matching")[0]
        else:
            assert seen == mismatch.expected, honest


def test_scripts_run_in_a_fresh_interpreter(beside: Path) -> None:
    """All scripts of all subjects run, one after the other, as a user would paste them."""
    found = [each for subject in SUBJECTS for each in findings(subject, 4)]
    texts = [str(again.script) for _, again in found]
    ran = pasted("\nprint('=====')\n".join(texts), beside)
    assert (ran.returncode, ran.stderr) == (0, "")
    outputs = ran.stdout.split("=====\n")
    assert len(outputs) == len(found)
    for (_, again), output in zip(found, outputs):
        assert again.program is not None
        assert replay.got(output) == again.program.finding.mismatch.got.partition("\n")[0]
    longest = max(len(text.splitlines()) for text in texts)
    print(f"{len(texts)} scripts, the longest of {longest} lines, all print what was found")


def spelled(program: str, rest: str = "bounded-n8-float32", construction: str = "affine-track") -> Case:
    return catalogue.find(f"steps-{construction}-momentum_0.1-{rest}-{program}")


def of(subject: Subject, case: Case, fresh: bool = True, threads: int = 1) -> Reproduction:
    result = run(case, eager(subject), installed.RULES)
    assert result.findings
    return reproduce(result, Runner(eager(subject, named(subject)), installed.RULES, threads, fresh))


def test_a_step_that_rightly_raises_does_not_end_the_script(monkeypatch: pytest.MonkeyPatch, beside: Path) -> None:
    """A refused batch must still count: the script continues to its print."""
    monkeypatch.syspath_prepend(beside)
    again = of(failing.RefusedIsNotCounted, spelled("forward:b0,forward:wrong_channels"))
    assert again.script is not None, again.remark
    assert "with contextlib.suppress(Exception): y = m(x)" in again.script


def test_a_large_input_is_made_smaller() -> None:
    again = of(fakes.ReturnsInput, spelled("forward:b0", "bounded-n102400-float32"), fresh=False)
    assert again.script is not None
    assert len(again.script) < 500


def test_what_shows_on_large_inputs_alone_gets_plain_numbers() -> None:
    again = of(failing.WrongWhenLarge, spelled("forward:b0", "bounded-n102400-float32"), fresh=False)
    assert again.script is not None
    assert "torch.arange(12800, dtype=torch.float64)" in again.script
    assert "numpy" not in again.script


def test_what_shows_on_the_suites_large_input_alone_is_rebuilt(monkeypatch: pytest.MonkeyPatch, beside: Path) -> None:
    monkeypatch.syspath_prepend(beside)
    again = of(failing.WrongOnManyValues, spelled("forward:b0", "bounded-n102400-float32"))
    assert again.script is not None, again.remark
    assert "import numpy as np" in again.script
    assert "bell([0, " in again.script


def test_one_channel_of_channels_last_would_be_contiguous() -> None:
    again = of(failing.WrongInChannelsLast, spelled("forward:b0.channels_last"), fresh=False)
    assert again.script is not None
    assert "WrongInChannelsLast(2)" in again.script


def test_a_fault_that_needs_all_channels_keeps_them() -> None:
    """A NaN that leaks into the channel of the finding comes from another one."""
    again = of(fakes.LeaksNaN, spelled("forward:b1", "nonfinite-n8-float32"), fresh=False)
    assert again.script is not None
    assert "LeaksNaN(1)" not in again.script


def test_threads_and_dtype_of_this_process_are_set(monkeypatch: pytest.MonkeyPatch, beside: Path) -> None:
    monkeypatch.syspath_prepend(beside)
    for again in (
        of(failing.WrongWithOneThread, spelled("forward:b0", "bounded-n4096-float32")),
        of(failing.WrongWithOneThreadOnly, spelled("forward:b0")),
    ):
        assert again.script is not None, again.remark
        assert "torch.set_num_threads(1)" in again.script
    torch.set_default_dtype(torch.float64)
    try:
        again = of(failing.WrongInDouble, spelled("forward:b0"))
    finally:
        torch.set_default_dtype(torch.float32)
    assert again.script is not None, again.remark
    assert "torch.set_default_dtype(torch.float64)" in again.script


def test_what_comes_once_in_200_forwards_is_said_not_to_be_reproducible() -> None:
    failing.OneIn200.forwards = 199
    assert of(failing.OneIn200, spelled("forward:b0")) == (None, IRREPRODUCIBLE, None)


def test_what_depends_on_earlier_cases_is_said_not_to_be_reproducible(
    monkeypatch: pytest.MonkeyPatch, beside: Path
) -> None:
    monkeypatch.syspath_prepend(beside)
    failing.WrongAfterFifty.forwards = 50
    again = of(failing.WrongAfterFifty, spelled("forward:b0"))
    assert again.script is None
    assert again.remark.startswith(f"{ONLY_HERE}; a script in a fresh process got ")


def test_a_script_that_does_not_end_is_given_up() -> None:
    said = replay.printed_in_a_fresh_process("while True: pass", seconds=1.5)
    assert said == "nothing within 1.5 s"


def test_the_error_of_a_script_is_told() -> None:
    said = replay.printed_in_a_fresh_process("print(1)\nraise ValueError('two')")
    assert said == "1\nValueError: two\n"


# --- shrinking ---------------------------------------------------------------------------------------


def state_case(*words: str) -> Case:
    ids = catalogue.ids("state", "gate")
    return catalogue.find(next(i for i in ids if set(words) <= set(i.split("-"))))


@pytest.mark.parametrize(
    ("subject", "words", "enough"),
    [
        (fakes.NotCounted, "counter", 2),
        (fakes.ForgetsFlags, "no_counter", 3),
        (fakes.LegacyCounterLost, "counter", 6),  # its counter has been set and has counted since
        (fakes.NoEps, "counter", 3),
    ],
)
def test_a_long_program_is_cut_to_a_few_steps(subject: Subject, words: str, enough: int) -> None:
    case = state_case("train", "track", "mean", "var", "weight", words)
    assert len(case.steps) > 80
    short = shortest(run(case, eager(subject), installed.RULES), Runner(eager(subject), installed.RULES))
    assert len(short.case.steps) <= enough, short.case.steps


def test_a_series_is_cut_to_as_few_forwards_as_it_takes() -> None:
    result = run(spelled("forwards:b:300", "bounded-n2-float32"), eager(failing.WrongAfter200), installed.RULES)
    short = shortest(result, Runner(eager(failing.WrongAfter200), installed.RULES))
    assert short.case.steps == (Forwards("b", 201),)


def test_a_script_leaves_the_settings_of_this_process_alone(
    monkeypatch: pytest.MonkeyPatch, beside: Path
) -> None:
    monkeypatch.syspath_prepend(beside)
    assert of(failing.LeavesDoubleAsDefault, spelled("forward:b0"), fresh=False).program is not None
    assert torch.get_default_dtype() is torch.float32
