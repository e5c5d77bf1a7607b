"""The refusals of the command line: exit status 4 and one line.

The line says what was given and what is accepted.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from tests.meta.command import FAKES, MATRIX, NOTHING, ROOT, SMOKE, USAGE, Ran, crash, run
from tests.subject import loading
from tests.subject.errors import SubjectError

PROGRAM = "steps-affine-track-momentum_none-exact-n8-float32-"

REFUSED: Dict[str, Tuple[str, str]] = {
    "family": ("--case bogus", "must begin with one of matrix, edge, claim, state, steps"),
    "no id": ("--case=", "must begin with one of"),
    "matrix, too short": ("--case matrix-affine", "a matrix id has 9 words"),
    "matrix, word": (f"--case {MATRIX.replace('exact', 'exakt')}", "'exakt' is no lane; accepted: exact"),
    "matrix, meaningless": (
        f"--case {MATRIX.replace('no_mutation', 'set_eps')}", "not in the matrix: a mutation needs a moment",
    ),
    "matrix, seed": (f"--case {MATRIX}-seed0", "and seed 0 is left out"),
    "edge": ("--case edge-load-legasy", "among them edge-load-legacy"),
    "claim": ("--case claim-question-momentum", "no such claim"),
    "state": ("--case state-train-track", "the words of a state id are train|eval"),
    "steps, too short": ("--case steps-affine", "a spelled-out id reads steps-"),
    "steps, step": (f"--case {PROGRAM}jump", "'jump' is no step; accepted: forward|no_grad|input_grad"),
    "steps, arguments": (f"--case {PROGRAM}set:eps", "must read set:<attribute>:<value>"),
    "steps, spelling": (f"--case {PROGRAM}set:eps:1e-5", "is spelled 'set:eps:1e-05'"),
    "steps, buffer": (f"--case {PROGRAM}drop:mean", "'mean' is no tensor; accepted: weight"),
    "second of two": (f"--case {MATRIX} --case edge-x", "no such edge"),
    "tier": ("--tier big", "invalid choice: 'big'"),
    "shard 0/2": ("--shard 0/2", "'0/2': I/N with 1 <= I <= N is accepted"),
    "shard 3/2": ("--shard 3/2", "'3/2': I/N with 1 <= I <= N is accepted"),
    "shard x": ("--shard x", "'x': I/N with 1 <= I <= N is accepted"),
    "seed -1": ("--seed -1", "--seed -1: a whole number of 0 to 9223372036854775807 is accepted"),
    "seed, huge": ("--seed 9223372036854775808", "of 0 to 9223372036854775807 is accepted"),
    "seed, huge, in an id": (f"--case {MATRIX}-seed9223372036854775808", "a seed of at most 9223372036854775807"),
    "explore -1": ("--explore -1", "--explore -1: a whole number of 0 to 1000000000 is accepted"),
    "seed x": ("--seed x", "'x': a whole number is accepted"),
    "seed, other digits": ("--seed \u0667", "'\u0667': a whole number is accepted"),
    "seed, underscore": ("--seed 1_000", "'1_000': a whole number is accepted"),
    "case-timeout, underscore": ("--case-timeout 1_0", "'1_0': a number of seconds is accepted"),
    "threads 0": ("--threads 0", "--threads 0: a whole number of 1 to 1024 is accepted"),
    "threads, too many": ("--threads 100000", "--threads 100000: a whole number of 1 to 1024 is accepted"),
    "threads x": ("--threads 1.5", "'1.5': a whole number is accepted"),
    "subject, form": ("--subject torch.nn.BatchNorm2d", "accepted is package.module:Class"),
    "case, batch": (f"--case {PROGRAM}forward:foo", "'foo' is no batch; accepted: b0 to b9999, "),
    "case, digit": (f"--case {PROGRAM}forward:b\u00b2", "'b\u00b2' is no batch"),
    "case, series": (f"--case {PROGRAM}forwards:b:0", "a series has 1 to 9999 batches, not '0'"),
    "subject, folder": ("--subject no.such:Thing", "there is no module 'no'; is its folder on PYTHONPATH?"),
    "subject, module": ("--subject torch.no:Thing", "package 'torch' has no module 'no'"),
    "subject, relative": ("--subject .no:Thing", "accepted is package.module:Class"),
    "subject, its own import": (f"--subject {FAKES}.broken:Thing", "package 'tests.meta.fakes' has no module 'broken'"),
    "subject, another shape": ("--subject torch.nn:BatchNorm1d", "(ValueError: expected 2D or 3D input (got 4D input))"),
    "seed, digits": (f"--seed {'9' * 5000}", "99999...': a whole number is accepted"),
    "case, batch of digits": (f"--case {PROGRAM}forward:b{'1' * 5000}", "is no batch"),
    "case, random of digits": (f"--case {PROGRAM}forward:random{'1' * 5000}", "is no batch"),
    "case, count of digits": (f"--case {PROGRAM}count:{'1' * 5000}", "'count' takes whole numbers"),
    "case, momentum of digits": (f"--case {PROGRAM}set:momentum:{'1' * 5000}", "takes whole numbers"),
    "case, series of digits": (f"--case {PROGRAM}forwards:b:{'1' * 5000}", "a series has 1 to 9999 batches"),
    "case, seed of digits": (f"--case {MATRIX}-seed{'1' * 5000}", "seed"),
    "case, long": (f"--case {'x' * 100000}", "must begin with one of"),
    "case, many words": (f"--case matrix{'-x' * 50000}", "'x' is no affine"),
    "case-timeout -1": ("--case-timeout -1", "--case-timeout -1.0: a number of 0 to 1000000 is accepted"),
    "case-timeout nan": ("--case-timeout nan", "--case-timeout nan: a number of 0 to 1000000 is accepted"),
    "case-timeout x": ("--case-timeout x", "'x': a number of seconds is accepted"),
    "subject, class": ("--subject torch.nn:BatchNorm9d", "has no 'BatchNorm9d'"),
    "subject, not callable": (f"--subject {FAKES}:NOT_CALLABLE", "is not callable"),
    "subject, constructor": (f"--subject {FAKES}:CannotBeMade", "OSError: no such device"),
    "subject, no module": (f"--subject {FAKES}:NoModule", "a NoModule without 'weight'"),
    "subject, a function": ("--subject torch:relu", "it cannot be called with 3"),
    "subject, another layer": ("--subject torch.nn:LayerNorm", "without 'running_mean'"),
    "subject, arguments": (f"--subject {FAKES}:OwnArguments", "called with 3, eps=, momentum=, affine=, track"),
    "subject, exit": (f"--subject {FAKES}:ExitsWhenMade", "called with 3 (SystemExit: no licence)"),
    "subject, device": (f"--subject {FAKES}:NotOnTheCPU", "must be None or torch tensors on the CPU"),
    "subject, attribute": (f"--subject {FAKES}:Unreadable", "asked for 'eps' (Wordless)"),
    "subject, empty": ("--subject=", "accepted is package.module:Class"),
    "semantics, old": ("--semantics 1.3", "torch 1.3 is older than the table; the oldest release is 1.4"),
    "semantics, word": ("--semantics newest", "not a torch version: 'newest'; accepted: MAJOR.MINOR"),
    "semantics, one number": ("--semantics 2", "not a torch version: '2'"),
    "semantics, more": ("--semantics 2.5junk", "not a torch version: '2.5junk'"),
    "semantics, empty": ("--semantics=", "not a torch version: ''"),
    "subject, long": (f"--subject {'x' * 5000}:Thing", "there is no module 'xxx"),
    "device, long": (f"--device cpu:{'1' * 5000}", "--device 'cpu:111"),
    "semantics, long": (f"--semantics {'1' * 5000}", "not a torch version: '111"),
    "shard, long": (f"--shard {'1' * 5000}", "...': I/N with 1 <= I <= N is accepted"),
    "report, long": (f"--report={'x' * 5000}.jsonl", "(File name too long); give another file"),
    "report, empty": ("--report=", "--report '': the name of a file is accepted"),
    "report, folder": ("--report=no/such/folder/a.jsonl", "there is no directory"),
    "report, a directory": ("--report=reports", "is a directory; give the name of a file"),
}  # fmt: skip
"""Maps a name to the arguments and to what the line must say."""

DRIVER = """
import contextlib, io, json, sys
import pytest
answers = {}
for name, arguments in json.loads(sys.stdin.read()).items():
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        status = pytest.main(["-p", "no:cacheprovider", "-q", *arguments.split()])
    answers[name] = [int(status), output.getvalue()]
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def refused() -> Dict[str, Ran]:
    """Run all of them in one process, because an import of torch costs more than the answer."""
    arguments = {name: given for name, (given, _) in REFUSED.items()}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        cwd=ROOT, input=json.dumps(arguments), capture_output=True, text=True, check=True,
    )  # fmt: skip
    answers: Dict[str, List[Any]] = json.loads(done.stdout)
    return {name: Ran(status, output) for name, (status, output) in answers.items()}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_in_one_line(name: str, refused: Dict[str, Ran]) -> None:
    """Only argparse's usage, and the place where pytest looked, are added to the line."""
    ran = refused[name]
    frame = ("ERROR: usage:", "  inifile:", "  rootdir:")
    said = [line for line in ran.lines if not line.startswith(frame)]
    assert ran.status == USAGE, ran.output
    assert len(said) == 1, ran.output
    assert "error: " in said[0].lower()
    assert REFUSED[name][1] in said[0]
    assert len(said[0]) < 600
    assert crash(ran.output) == []


@pytest.mark.parametrize(
    "arguments",
    [("--case", "edge-x"), ("--subject", "no.such:Thing", "-n", "2"), ("--semantics", "x", "-n", "2")],
)
def test_a_process_of_its_own_refuses_alike(arguments: Tuple[str, ...]) -> None:
    """With workers, too, the arguments are refused before any worker starts."""
    ran = run(*arguments, fresh=True)
    assert (ran.status, len(ran.lines)) == (USAGE, 1), ran.output
    assert ran.lines[0].startswith("ERROR: ")


@pytest.mark.parametrize(
    ("source", "name", "said"),
    [
        ("def __getattr__(name): raise ImportError('no libfoo.so')", "lazy:Norm", "importing 'Norm' fails (ImportError: no libfoo.so)"),
        ("import lazy.absent", "lazy:Norm", "importing 'lazy' fails (ModuleNotFoundError: No module named 'lazy.absent'"),
        ("", "lazy.py:Norm", "accepted is package.module:Class"),
        ("", "./lazy:Norm", "accepted is package.module:Class"),
        ("", "folder/lazy.py:Norm", "accepted is package.module:Class"),
    ],
)  # fmt: skip
def test_a_module_that_cannot_give_the_class_is_refused_with_the_reason(
    source: str, name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lazy.py").write_text(source, encoding="ascii")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lazy", raising=False)
    with pytest.raises(SubjectError, match=re.escape(said)):
        loading.load(name)


def test_a_report_that_cannot_be_written_says_so_at_once() -> None:
    """The message comes before anything runs, not after minutes."""
    ran = run("--report=no/such/folder/a.jsonl", "-n", "2")
    assert (ran.status, len(ran.lines)) == (USAGE, 1), ran.output


BROKEN = {
    "missing library": ("raise OSError('libtorch_cpu.so: no such file')", "(OSError: libtorch_cpu.so: no such file)"),
    "wrong build": ("raise ImportError('no _C', 'x')", "cannot be imported (ImportError: "),
    "exit": ("raise SystemExit('unlicensed')", "cannot be imported (SystemExit: unlicensed)"),
    "an empty folder": ("", "cannot be imported (AttributeError: module 'torch' has no attribute "),
}
"""Maps a name to the whole source of a torch and what the line must say."""


@pytest.mark.parametrize(
    ("name", "workers"), [*((name, ()) for name in BROKEN), ("exit", ("-n", "2"))], ids=str
)
def test_a_torch_that_cannot_be_imported_ends_the_run_in_one_line(
    name: str, workers: Tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(BROKEN[name][0], encoding="ascii")
    ran = run(*SMOKE, *workers, path=str(tmp_path))
    said = [each for each in ran.lines if not each.startswith(("no tests ran", "bringing up nodes"))]
    assert (ran.status, len(said)) == (USAGE, 1), ran.output
    assert said[0].startswith("ERROR: torch is installed and ")
    assert BROKEN[name][1] in said[0]


def test_listing_the_cases_needs_no_torch(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise OSError('broken')", encoding="ascii")
    ran = run(*SMOKE, "--collect-only", path=str(tmp_path))
    assert ran.status == 0, ran.output


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--shard", "99999/99999"), "no test is left by --shard 99999/99999; ask for more"),
        (("--case", MATRIX, "tests/conformance/test_edges.py"), "no test is left by --case matrix-"),
    ],
)
def test_a_run_of_nothing_says_what_left_nothing(
    arguments: Tuple[str, ...], what: str, tmp_path: Path
) -> None:
    record = tmp_path / "none.jsonl"
    ran = run(*SMOKE, *arguments, f"--report={record}")
    assert ran.status == NOTHING, ran.output
    assert f"ERROR: {what}" in ran.output
    assert f"ERROR: --report {record}: not written, as no case ran" in ran.output
    assert not record.exists()


def test_a_report_of_a_run_without_cases_is_no_success(tmp_path: Path) -> None:
    ran = run("tests/meta/test_readme.py", "-k", "lead_somewhere", f"--report={tmp_path / 'none.jsonl'}")
    assert ran.status == USAGE, ran.output
    assert "not written, as no case ran" in ran.output
