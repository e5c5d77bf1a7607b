"""A failure can be pasted: the script of a finding runs on torch alone and prints what was found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Tuple, Type

import numpy as np
import pytest

from cases import catalogue
from cases.case import Case
from cases.inputs import batch
from cases.steps import Forward
from cases.variants import LAYOUTS
from oracle.defects import covering
from tests import explain, reproduction, script, verdict
from tests.judgement import Mismatch
from tests.lockstep import Finding, run
from tests.meta import fakes, installed
from tests.reproduction import Reproduction, shortest
from tests.subject.replay import printed

LONGEST = 25
COPY = "standing_fakes"
"""The name under which the fakes lie beside a script, as a user's own module would."""

Subject = Type[fakes.Base]

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
)
each_subject = pytest.mark.parametrize("subject", SUBJECTS, ids=[s.__name__ for s in SUBJECTS])


class Shown(NamedTuple):
    """A finding of a fake."""

    subject: Subject
    found: Reproduction


def pool() -> Iterator[Case]:
    """Cases of all kinds, diverse ones first."""
    edges = [case for case in installed.edges() if case.variant.shape != "n102400"]
    yield from edges[::3]
    yield from installed.small()[::4]
    yield from map(catalogue.find, list(catalogue.ids("state", "gate"))[::60])


@lru_cache(maxsize=None)
def findings(subject: Subject, most: int) -> List[Shown]:
    """Findings of the fake, no two with the same quantity and kind of step."""
    shown: Dict[Tuple[str, str], Shown] = {}
    for case in pool():
        result = run(case, subject, installed.RULES)
        if not result.findings or is_defect(case):
            continue
        first = result.findings[0]
        key = (first.mismatch.quantity, first.token.partition(":")[0])
        if key not in shown:
            shown[key] = Shown(subject, shortest(result, subject, installed.RULES))
        if len(shown) == most:
            break
    return list(shown.values())


def is_defect(case: Case) -> bool:
    """Known defects are torch's, not the fake's."""
    return covering(case.id, installed.RULES.release) is not None


def written(shown: Shown) -> str:
    return reproduction.script(shown.found, f"{COPY}:{shown.subject.__name__}")


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of the fakes and nothing of the suite."""
    shutil.copy(Path(fakes.__file__), tmp_path / f"{COPY}.py")
    monkeypatch.setitem(sys.modules, COPY, fakes)
    return tmp_path


def pasted(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter in a folder that knows nothing of the suite."""
    (folder / "pasted.py").write_text(text, encoding="ascii")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "pasted.py"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def got_line(output: str) -> str:
    return next((line[9:] for line in output.splitlines() if line.startswith("got ")), output)


@each_subject
def test_a_script_is_short_and_prints_what_was_found(subject: Subject, beside: Path) -> None:
    """In this process, for up to four kinds of finding of each subject."""
    shown = findings(subject, 4)
    assert shown
    for each in shown:
        text = written(each)
        mismatch = each.found.finding.mismatch
        assert len(text.splitlines()) <= LONGEST, text
        assert not text.startswith("# tried"), text
        output = printed(text)
        assert got_line(output) == mismatch.got.partition("\n")[0], text
        assert f"expected {mismatch.expected}" in output


def test_scripts_run_in_a_fresh_interpreter(beside: Path) -> None:
    """All scripts of all subjects, one after the other as a user would paste them."""
    shown = [each for subject in SUBJECTS for each in findings(subject, 4)]
    texts = [written(each) for each in shown]
    ran = pasted("\nprint('=====')\n".join(texts), beside)
    assert (ran.returncode, ran.stderr) == (0, "")
    outputs = ran.stdout.split("=====\n")
    assert len(outputs) == len(shown)
    for each, output in zip(shown, outputs):
        assert got_line(output) == each.found.finding.mismatch.got.partition("\n")[0]
    longest = max(len(text.splitlines()) for text in texts)
    print(f"{len(texts)} scripts, the longest of {longest} lines, all print what was found")


def test_a_script_runs_by_itself(beside: Path) -> None:
    (each, *_) = findings(fakes.SharesMemory, 1)
    ran = pasted(written(each), beside)
    mismatch = each.found.finding.mismatch
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == f"got      {mismatch.got}\nexpected {mismatch.expected}\n"


def test_a_script_needs_torch_alone(beside: Path) -> None:
    for each in findings(fakes.NoEps, 2):
        imports = [line for line in written(each).splitlines() if "import" in line]
        assert set(" ".join(imports).replace(",", " ").split()) <= {
            "import", "from", "math", "inf", "nan", "torch", "copy", "pickle", "contextlib", COPY,
        }  # fmt: skip


def test_a_script_of_torch_itself_names_torch_alone() -> None:
    """A finding of torch's own module, for which it is enough to expect something else."""
    wrong = installed.RULES.__class__(
        installed.RULES.release,
        True,
        installed.RULES.inside ^ {"counter_rebound"},
        installed.RULES.known,
    )
    case = next(case for case in installed.small() if "track" in case.id.split("-"))
    decided = verdict.adjudicate(case, installed.BATCH_NORM, wrong)
    text = explain.report(decided, case, installed.BATCH_NORM, "torch.nn:BatchNorm2d", wrong)
    body = text.split("# a script that shows it with torch alone:\n")[1].split("\n\nrun it again")[0]
    assert body.startswith("import torch\nm = torch.nn.BatchNorm2d(1, ")
    assert printed(body) == "got      True\nexpected False\n"


# --- the parts --------------------------------------------------------------------------------


def finding(quantity: str, step: int, index: Tuple[int, ...] = (), token: str = "") -> Finding:
    return Finding(Mismatch(quantity, index, "?", "!"), step, token, "", ())


def input_of(case: Case, name: str, narrow: bool) -> np.ndarray:
    """The input as a script would make it."""
    forward = finding("output", 1, (0, 2, 0, 0))
    text = script._Writer(case, forward, narrow).tensor(name)
    space: Dict[str, object] = {}
    exec(f"from math import inf, nan\nimport torch\nx = {text}\nstrides = x.stride()", space)
    values = space["x"].numpy()  # type: ignore[attr-defined]
    assert isinstance(values, np.ndarray)
    return values


NAMES = (
    "b0", "b1", "nan", "inf", "constant", "overflowing", "integers", "wrong_float", "no_batch", "no_height",
    "one_value", "three_dims", "wrong_channels", "no_channels",
)  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_an_input_is_written_out_bit_for_bit(name: str, dtype: str) -> None:
    """Subnormal numbers, signed zeros, NaN and infinities included."""
    case = catalogue.find(f"steps-affine-track-momentum_0.1-nonfinite-n8-{dtype}-forward:{name}")
    values = batch(case.variant, name).values
    assert values.size <= script.ELEMENTS
    given = input_of(case, name, False)
    assert given.dtype == values.dtype
    assert given.shape == values.shape
    assert given.tobytes() == values.tobytes()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_input_has_the_strides_of_its_layout(layout: str) -> None:
    case = catalogue.find("steps-affine-track-momentum_0.1-bounded-n8-float32-forward:b1")
    name = f"b1.{layout}"
    from tests.subject.module import tensor_of

    real = tensor_of(batch(case.variant, name)).tensor
    given = input_of(case, name, False)
    assert given.strides == tuple(4 * stride for stride in real.stride())
    assert np.array_equal(given, real.numpy())


def test_one_channel_is_that_of_the_finding() -> None:
    case = catalogue.find("steps-affine-track-momentum_0.1-bounded-n8-float32-forward:b1")
    assert np.array_equal(input_of(case, "b1", True), batch(case.variant, "b1").values[:, 2:3])


def test_an_input_too_large_is_replaced_and_the_script_says_so() -> None:
    case = catalogue.find("steps-affine-track-momentum_0.1-bounded-n102400-float32-forward:b0")
    text = script.standalone(case, finding("output", 1, (0, 0, 0, 0)))
    assert "torch.randn([4, 1, 160, 160])" in text
    assert "too large to be written out" in text
    assert "got " in printed(text)


@pytest.mark.parametrize(
    ("quantity", "narrow"),
    [("output", True), ("running_mean", True), ("exception", False), ("output_shape", False), ("num_features", False)],
)  # fmt: skip
def test_what_speaks_of_all_channels_keeps_all(quantity: str, narrow: bool) -> None:
    case = catalogue.find("steps-affine-track-momentum_0.1-bounded-n8-float32-forward:b0")
    index = (0, 0, 0, 0) if quantity == "output" else ()
    assert script.can_be_narrowed(case, finding(quantity, 1, index)) == narrow


def test_a_fault_that_needs_all_channels_gets_them(beside: Path) -> None:
    """A NaN that leaks into the channel of the finding comes from another one."""
    shown = next(s for s in findings(fakes.LeaksNaN, 9) if s.found.finding.mismatch.index)
    text = written(shown)
    assert f"{COPY}.LeaksNaN(11, " in text
    assert got_line(printed(text)) == shown.found.finding.mismatch.got


def test_a_script_that_does_not_show_it_says_so() -> None:
    """When the finding was made up, for instance, or the subject is not the same each time."""
    case = catalogue.find("steps-affine-track-momentum_0.1-bounded-n8-float32-forward:b0")
    invented = Reproduction(case, finding("eps", 1, (), "forward:b0"), ())
    assert reproduction.script(invented, "torch.nn:BatchNorm2d").startswith("# tried: ")


# --- shortening -------------------------------------------------------------------------------


def state_case(*words: str) -> Case:
    ids = catalogue.ids("state", "gate")
    return catalogue.find(next(i for i in ids if set(words) <= set(i.split("-"))))


@pytest.mark.parametrize(
    ("subject", "words", "enough"),
    [
        (fakes.NotCounted, "counter", 2),
        (fakes.ForgetsFlags, "no_counter", 3),
        (fakes.LegacyCounterLost, "counter", 5),  # its counter has been set and has counted since
        (fakes.NoEps, "counter", 3),
    ],
)
def test_a_long_program_is_cut_to_a_few_steps(
    subject: Subject, words: str, enough: int
) -> None:
    case = state_case("train", "track", "mean", "var", "weight", words)
    result = run(case, subject, installed.RULES)
    assert len(case.steps) > 80
    short = shortest(result, subject, installed.RULES)
    assert len(short.case.steps) <= enough, short.case.steps
    assert essence(short.finding) == essence(result.findings[0])


def essence(one: Finding) -> Tuple[object, ...]:
    """What a shorter program must keep."""
    mismatch = one.mismatch
    return mismatch.quantity, mismatch.index, mismatch.got, mismatch.expected


def test_a_shortened_program_has_no_step_too_many() -> None:
    for subject in (fakes.MomentumSwapped, fakes.NotCounted, fakes.WrongStrides):
        for each in findings(subject, 2):
            case = each.found.case
            for place in range(len(case.steps) - 1):
                steps = case.steps[:place] + case.steps[place + 1 :]
                fewer = run(
                    case.__class__(case.id, "", case.config, steps, case.variant),
                    subject,
                    installed.RULES,
                )
                found = [essence(f) for f in fewer.findings if f.step == len(steps)][:1]
                assert essence(each.found.finding) not in found


def test_steps_that_must_raise_do_not_stop_a_script(beside: Path) -> None:
    """The first forward counts and raises, as it should; the second is the one that is not counted."""
    program = "forward:one_value,forward:b0"
    case = catalogue.find(f"steps-affine-track-momentum_none-bounded-n8-float32-{program}")
    invented = finding("num_batches_tracked", 2, (), "forward:b0")
    text = script.standalone(case, invented, f"{COPY}:NotCounted", raising=(1,))
    assert "with contextlib.suppress(Exception): y = m(" in text
    assert printed(text).startswith("got      1\n")
    assert printed(script.standalone(case, invented, f"{COPY}:NotCounted")).startswith("ValueError")


@each_subject
def test_the_report_of_a_failure_is_whole(subject: Subject, beside: Path) -> None:
    """Case, step, quantity, both values, budget, script and the command to run it again."""
    case = next(c for c in pool() if run(c, subject, installed.RULES).findings and not is_defect(c))
    decided = verdict.adjudicate(case, subject, installed.RULES, strict_defects=False)
    name = f"{COPY}:{subject.__name__}"
    text = explain.report(decided, case, subject, name, installed.RULES)
    first = decided.result.findings[0]
    lines = text.splitlines()
    assert lines[0] == case.id
    assert f"{first.mismatch.quantity}" in text
    assert f"after step {first.step} ({first.token})" in text
    assert f"  got       {first.mismatch.got}" in text
    assert f"  expected  {first.mismatch.expected}" in text
    assert (first.mismatch.budget is None) or "  budget    " in text
    assert f"{COPY}.{subject.__name__}(" in text
    assert lines[-1] == f"run it again: pytest --case '{case.id}'"


def test_a_forward_has_its_own_line() -> None:
    """No step is lost: as many forwards in the script as in the program."""
    for case in installed.small()[::9]:
        forwards = sum(isinstance(step, Forward) for step in case.steps)
        text = script.standalone(case, finding("eps", len(case.steps)))
        assert sum("= m(" in line for line in text.splitlines()) == forwards


def test_a_series_is_its_forwards_one_by_one(beside: Path) -> None:
    """In what it finds and in the script that shows it."""
    start = "steps-affine-track-momentum_0.1-bounded-n8-float32-"
    series, single = (
        run(catalogue.find(start + program), fakes.NotCounted, installed.RULES)
        for program in ("forwards:b:3", "forward:b0,forward:b1,forward:b2")
    )
    assert (series.findings[0].mismatch.got, single.findings[0].mismatch.got) == ("0", "0")
    assert series.findings[0].mismatch.expected == "3"
    found = series.findings[0]
    assert printed(script.standalone(series.case, found, f"{COPY}:NotCounted")).startswith("got      0\n")


def test_a_series_that_raises_has_its_inputs_checked(beside: Path) -> None:
    """The second of three forwards divides by a count of 0, as it should; the first wrote to its input."""
    program = "steps-affine-track-momentum_none-bounded-n2-float32-count:-2,forwards:b:3"
    result = run(catalogue.find(program), fakes.OverwritesInput, installed.RULES)
    assert "input_changed" in [each.mismatch.quantity for each in result.findings]
    honest = catalogue.find("steps-affine-track-momentum_none-bounded-n2-float32-forward:b0,forward:b1")
    assert run(honest, installed.BATCH_NORM, installed.RULES).findings == []
