"""The command line as a user meets it: real pytest runs, good ones and bad ones.

What is refused ends with exit status 4 and one line that says what was given and what is accepted.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple
from xml.etree import ElementTree

import pytest

from cases import catalogue

ROOT = Path(__file__).parents[2]
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q")
SMOKE = ("--tier", "smoke")
PART = (*SMOKE, "--shard", "1/30")
USAGE = 4


class Ran(NamedTuple):
    """A finished run of pytest."""

    status: int
    output: str

    @property
    def lines(self) -> List[str]:
        """The lines that are not empty."""
        return [line for line in self.output.splitlines() if line.strip()]


def run(*arguments: str, plugins: str = "", path: str = "") -> Ran:
    """pytest in a process of its own; ``plugins``: a folder to find ``-p`` plugins in.

    ``path``: a folder to find modules in, for workers too.
    """
    command = [*PYTEST, *arguments]
    if plugins:
        begin = f"import sys; sys.path.insert(0, {plugins!r}); import pytest; sys.exit(pytest.main())"
        command = [sys.executable, "-c", begin, *command[3:]]
    environment = {**os.environ, "PYTHONPATH": path} if path else None
    done = subprocess.run(
        command, cwd=ROOT, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout)


def crash(output: str) -> List[str]:
    """The lines that no user should see."""
    return re.findall(r".*(?:Traceback|INTERNALERROR|^E  ).*", output, re.MULTILINE)


# --- what is refused --------------------------------------------------------------------------

FAKES = "tests.meta.fakes"
MATRIX = "matrix-affine-track-momentum_none-train_only-no_mutation-never-exact-n8-float32"
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
    "steps, step": (f"--case {PROGRAM}jump", "'jump' is no step; accepted: forward:<batch>"),
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
    "seed x": ("--seed x", "invalid int value: 'x'"),
    "threads 0": ("--threads 0", "--threads 0: a whole number of 1 to 1024 is accepted"),
    "threads, too many": ("--threads 100000", "--threads 100000: a whole number of 1 to 1024 is accepted"),
    "threads x": ("--threads 1.5", "invalid int value: '1.5'"),
    "subject, form": ("--subject torch.nn.BatchNorm2d", "accepted is package.module:Class"),
    "case, batch": (f"--case {PROGRAM}forward:foo", "'foo' is no batch; accepted: b0 to b9999, "),
    "case, digit": (f"--case {PROGRAM}forward:b\u00b2", "'b\u00b2' is no batch"),
    "case, series": (f"--case {PROGRAM}forwards:b:0", "a series has 1 to 9999 batches, not '0'"),
    "subject, module": ("--subject no.such:Thing", "cannot import 'no.such'"),
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
    "report, empty": ("--report=", "--report '': the name of a file is accepted"),
    "report, folder": ("--report=no/such/folder/a.jsonl", "there is no directory"),
    "report, a directory": ("--report=reports", "is a directory; give the name of a file"),
}  # fmt: skip
"""A name to the arguments and to what the line must say."""

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
    """All of them in one process, because an import of torch costs more than the answer."""
    arguments = {name: given for name, (given, _) in REFUSED.items()}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        cwd=ROOT, input=json.dumps(arguments), capture_output=True, text=True, check=True,
    )  # fmt: skip
    answers: Dict[str, List[Any]] = json.loads(done.stdout)
    return {name: Ran(status, output) for name, (status, output) in answers.items()}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_in_one_line(name: str, refused: Dict[str, Ran]) -> None:
    """argparse adds the usage, and pytest where it looked: those lines say nothing else."""
    ran = refused[name]
    frame = ("ERROR: usage:", "  inifile:", "  rootdir:")
    said = [line for line in ran.lines if not line.startswith(frame)]
    assert ran.status == USAGE, ran.output
    assert len(said) == 1, ran.output
    assert "error: " in said[0].lower()
    assert REFUSED[name][1] in said[0]
    assert len(said[0]) < 500
    assert crash(ran.output) == []


@pytest.mark.parametrize(
    "arguments",
    [("--case", "edge-x"), ("--subject", "no.such:Thing", "-n", "2"), ("--semantics", "x", "-n", "2")],
)
def test_a_process_of_its_own_refuses_alike(arguments: Tuple[str, ...]) -> None:
    """With workers too: refused before any of them starts."""
    ran = run(*arguments)
    assert (ran.status, len(ran.lines)) == (USAGE, 1), ran.output
    assert ran.lines[0].startswith("ERROR: ")


def test_a_report_that_cannot_be_written_says_so_at_once() -> None:
    """Before anything runs, not after minutes."""
    ran = run("--report=no/such/folder/a.jsonl", "-n", "2")
    assert (ran.status, len(ran.lines)) == (USAGE, 1), ran.output


BROKEN = {
    "missing library": ("raise OSError('libtorch_cpu.so: no such file')", "(OSError: libtorch_cpu.so: no such file)"),
    "wrong build": ("raise ImportError('no _C', 'x')", "cannot be imported (ImportError: "),
    "exit": ("raise SystemExit('unlicensed')", "cannot be imported (SystemExit: unlicensed)"),
    "an empty folder": ("", "torch is installed and no use: "),
}
"""The whole source of a torch, and what the line must say."""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
@pytest.mark.parametrize("name", BROKEN)
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
        (("--shard", "999/999"), "no test is left by --shard 999/999; ask for more"),
        (("--case", MATRIX, "tests/conformance/test_edges.py"), "no test is left by --case matrix-"),
    ],
)
def test_a_run_of_nothing_says_what_left_nothing(
    arguments: Tuple[str, ...], what: str, tmp_path: Path
) -> None:
    record = tmp_path / "none.jsonl"
    ran = run(*SMOKE, *arguments, f"--report={record}")
    assert ran.status == pytest.ExitCode.NO_TESTS_COLLECTED, ran.output
    assert f"ERROR: {what}" in ran.output
    assert f"ERROR: --report {record}: not written, as no case ran" in ran.output
    assert not record.exists()


def test_a_report_of_a_run_without_cases_is_no_success(tmp_path: Path) -> None:
    ran = run("tests/meta/test_tiers.py", "-k", "shard", f"--report={tmp_path / 'none.jsonl'}")
    assert ran.status == USAGE, ran.output
    assert "not written, as no case ran" in ran.output


# --- the same run in other ways ---------------------------------------------------------------


def rows(record: Path) -> Dict[str, Dict[str, Any]]:
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    return {line["id"]: line for line in lines if "id" in line}


def verdicts(record: Path) -> Dict[str, Tuple[Any, ...]]:
    """What must not depend on threads: everything but the last bits."""
    names = ("outcome", "forwards", "compared", "errors", "switches", "defect", "finding")
    return {key: tuple(row.get(name) for name in names) for key, row in rows(record).items()}


class Baseline(NamedTuple):
    """The smoke tier in one process, in order, on one thread."""

    ran: Ran
    record: Path


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    record = tmp_path_factory.mktemp("baseline") / "serial.jsonl"
    return Baseline(run(*SMOKE, f"--report={record}"), record)


def test_the_smoke_tier_passes_and_is_recorded(baseline: Baseline) -> None:
    assert baseline.ran.status == 0, baseline.ran.output
    tier = {each for family in catalogue.FAMILIES for each in catalogue.ids(family, "smoke")}
    assert set(rows(baseline.record)) == tier
    assert "tier smoke | seed 0" in baseline.ran.output


SMALL = (*SMOKE, "-k", "not n102400")
"""Nine of ten cases for a third of the time."""


def same_rows(record: Path, baseline: Baseline) -> bool:
    """The record of a part of the tier has the baseline's lines for its cases, byte for byte."""
    whole = [each for each in baseline.record.read_bytes().splitlines() if b"n102400" not in each]
    part = record.read_bytes().splitlines()
    return len(part) > 180 and part[1:-1] == whole[1:-1]  # without header and footer


def test_workers_write_the_same_bytes(baseline: Baseline, tmp_path: Path) -> None:
    record = tmp_path / "workers.jsonl"
    ran = run(*SMALL, f"--report={record}", "-n", "2")
    assert ran.status == 0, ran.output
    assert same_rows(record, baseline)


REVERSING = "def pytest_collection_modifyitems(items):\n    items.reverse()\n"


def test_the_order_does_not_matter(baseline: Baseline, tmp_path: Path) -> None:
    """Backwards: what is remembered of inputs and outputs then comes from other cases."""
    (tmp_path / "reversing.py").write_text(REVERSING, encoding="ascii")
    record = tmp_path / "reversed.jsonl"
    ran = run(*SMALL, f"--report={record}", "-vv", "-p", "reversing", plugins=str(tmp_path))
    assert ran.status == 0, ran.output
    order = re.findall(r"::test_[a-z]+\[(.*?)\]", ran.output)
    tier = [each for family in ("edge", "matrix") for each in catalogue.ids(family, "smoke")]
    small = [each for each in tier if "n102400" not in each]
    assert order == small[::-1]
    assert same_rows(record, baseline)


def test_threads_do_not_change_a_verdict(baseline: Baseline, tmp_path: Path) -> None:
    record = tmp_path / "threads.jsonl"
    ran = run(*SMOKE, f"--report={record}", "--threads", "2")
    assert ran.status == 0, ran.output
    assert '"threads":2' in record.read_text(encoding="utf-8").replace(" ", "")
    assert verdicts(record) == verdicts(baseline.record)


def test_a_record_is_replaced(tmp_path: Path) -> None:
    record = tmp_path / "again.jsonl"
    record.write_text("something older\n", encoding="ascii")
    ran = run("--case", MATRIX, f"--report={record}")
    assert ran.status == 0, ran.output
    assert list(rows(record)) == [MATRIX]


# --- a subject that fails ---------------------------------------------------------------------


def failing(arguments: Tuple[str, ...], record: Path) -> Tuple[Ran, List[str], List[str]]:
    """A run of a wrong subject: the run, what it calls failed, and the reports of the findings."""
    ran = run(*PART, "--subject", f"{FAKES}:NoEps", f"--report={record}", *arguments)
    failed = sorted(re.findall(r"^FAILED .*\[(.*?)\]", ran.output, re.MULTILINE))
    reports = re.split(r"^_+ .* _+$", ran.output.split("short test summary")[0], flags=re.MULTILINE)
    bodies = [re.sub(r"\[gw\d\] .*\n", "", body.split("=====")[0]).strip() for body in reports[1:]]
    return ran, failed, sorted(bodies)


def test_workers_find_and_record_the_same_in_a_wrong_subject(tmp_path: Path) -> None:
    alone, failed, reports = failing((), tmp_path / "alone.jsonl")
    together, failed_too, reports_too = failing(("-n", "2"), tmp_path / "together.jsonl")
    assert alone.status == together.status == 1
    assert len(failed) > 3
    assert failed == failed_too
    assert reports == reports_too
    assert len(reports) == len(failed)
    assert (tmp_path / "alone.jsonl").read_bytes() == (tmp_path / "together.jsonl").read_bytes()
    recorded = rows(tmp_path / "alone.jsonl")
    assert sorted(key for key, row in recorded.items() if row["outcome"] == "finding") == failed
    for ran in (alone, together):
        assert crash(ran.output) == []
    for report in reports:
        assert "# a script that shows it with torch alone:" in report
        assert report.splitlines()[-1].startswith("run it again: pytest --case ")


def test_a_switch_missing_from_the_table_fails_the_run_by_name(tmp_path: Path) -> None:
    """The table without one switch, put there by a plugin before anything is collected."""
    (tmp_path / "shorter.py").write_text(
        "from oracle import semantics as s\n"
        "rest = tuple(each for each in s.SWITCHES if each.name != 'counter_rebound')\n"
        "s.semantics.__defaults__ = (rest,)\n",
        encoding="ascii",
    )
    ran = run("--case", MATRIX, "-p", "shorter", plugins=str(tmp_path))
    assert ran.status == pytest.ExitCode.INTERNAL_ERROR
    assert "UnknownSwitch: the oracle asks for switch 'counter_rebound'" in ran.output


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_plugins_see_every_case_start_report_and_finish(
    workers: Tuple[str, ...], tmp_path: Path
) -> None:
    """In this order, though the reports of workers travel together."""
    (tmp_path / "watching.py").write_text(
        "seen = {}\n"
        "def pytest_runtest_logstart(nodeid): seen.setdefault(nodeid, []).append('start')\n"
        "def pytest_runtest_logreport(report): seen[report.nodeid].append(report.when)\n"
        "def pytest_runtest_logfinish(nodeid): seen[nodeid].append('finish')\n"
        "def pytest_terminal_summary(terminalreporter):\n"
        "    terminalreporter.write_line(f'watched {len(seen)} {set(map(tuple, seen.values()))}')\n",
        encoding="ascii",
    )
    ran = run(*SMALL, *workers, "-p", "watching", plugins=str(tmp_path))
    (watched,) = [line.split(" ", 2) for line in ran.lines if line.startswith("watched ")]
    assert (int(watched[1]) > 20, watched[2]) == (True, "{('start', 'call', 'finish')}")


@pytest.mark.parametrize("name", ["ExitsInForward", "SkipsInForward"])
def test_a_subject_that_leaves_its_forward_otherwise_fails_its_cases(name: str, tmp_path: Path) -> None:
    """No traceback, no skip, no record that looks whole."""
    record = tmp_path / "run.jsonl"
    ran = run(*PART, "--subject", f"{FAKES}:{name}", f"--report={record}")
    assert ran.status == pytest.ExitCode.INTERNAL_ERROR, ran.output
    assert " skipped" not in ran.output
    assert "the subject cannot be observed: " in ran.output
    assert "case(s) left no row" in ran.output
    assert crash(ran.output) == []
    shown = subprocess.run(
        [sys.executable, "-m", "reports", "show", str(record)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "the run did not finish (pytest exit status 3): cases may be missing" in shown.stdout
    again = [sys.executable, "-m", "reports", "diff", str(record), str(record)]
    assert subprocess.run(again, cwd=ROOT, capture_output=True, check=False).returncode == 2


def test_a_case_that_kills_its_worker_is_missed(tmp_path: Path) -> None:
    record = tmp_path / "run.jsonl"
    subject = ("--subject", f"{FAKES}:DiesInForward")
    ran = run("--case", MATRIX, *subject, f"--report={record}", "-n", "1")
    assert ran.status != 0
    assert "crashed while running" in ran.output
    ran = run(*SMOKE, "--shard", "1/60", *subject, f"--report={record}", "-n", "2")
    assert ran.status != 0
    assert not record.exists() or '"exit":3' in record.read_text(encoding="utf-8")


def test_what_a_dead_worker_had_not_sent_yet_is_missed() -> None:
    """Also of a selection, of which the controller knows no list: the reports of the last instant."""
    selected = ("-k", "n8-float32", "--tier", "smoke", "-n", "1")
    ran = run(*selected, "--subject", f"{FAKES}:DiesLater")
    assert ran.status == int(pytest.ExitCode.INTERNAL_ERROR)
    assert "crashed while running" in ran.output
    (line,) = [line for line in ran.lines if "left no row" in line]
    assert int(line.split()[1]) > 1


def test_the_command_of_a_failure_fails_the_same_way() -> None:
    """Subject, release, threads and seed are in it."""
    options = ("--subject", f"{FAKES}:NoEps", "--semantics", "2.4", "--threads", "2", "--seed", "7")
    first = run(*PART, *options)
    line = next(each for each in first.lines if each.startswith("run it again: pytest "))
    arguments = shlex.split(line)[4:]
    assert arguments[2:] == list(options)
    second = run(*arguments)
    assert second.status == 1
    told = re.search(r"^step \d+ .*$", first.output, re.MULTILINE)
    assert told is not None
    assert told.group(0) in second.output
    assert line in second.output
    assert "torch.set_num_threads(2)" in second.output


# --- releases ---------------------------------------------------------------------------------


def test_a_newer_release_is_said_not_to_be_in_the_table() -> None:
    ran = run("--case", MATRIX, "--semantics", "2.99")
    assert ran.status == 0, ran.output
    (line,) = [line for line in ran.lines if line.startswith("torch 2.99 is ")]
    assert line.startswith("torch 2.99 is not in the table of oracle/semantics.py")


def test_a_release_of_the_table_is_not_said_to_be_missing(baseline: Baseline) -> None:
    assert "not in the table" not in baseline.ran.output


def test_the_semantics_of_another_release_are_findings_that_name_a_switch() -> None:
    """What moving from 1.4 changes, seen from the newest torch."""
    ran = run("--semantics", "1.4", "--case", "edge-counter-counts_without_buffers")
    assert ran.status == 1
    assert "decided by switch 'counter_rebound', which holds on 1.4" in ran.output
    assert crash(ran.output) == []


# --- one phase a case --------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_junit_has_every_case_with_its_outcome(workers: Tuple[str, ...], tmp_path: Path) -> None:
    """Though a case has one phase where other tests have three."""
    written = tmp_path / "junit.xml"
    ran = run(*PART, *workers, f"--junitxml={written}", "--subject", f"{FAKES}:NoEps")
    suite = ElementTree.parse(written).getroot()[0]
    outcomes = {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", ran.lines[-1])}
    assert outcomes["failed"] > 5, ran.output
    assert len(suite) == sum(outcomes[word] for word in outcomes if word in ("passed", "failed", "xfailed"))
    assert suite.get("failures") == str(outcomes["failed"])
    messages = [case[0].get("message") for case in suite if case.find("failure") is not None]
    assert len(messages) == outcomes["failed"]
    assert all(messages)
    assert all(float(case.get("time", "nan")) >= 0 for case in suite)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "workers"])
def test_a_run_stops_at_the_first_finding_when_asked(workers: Tuple[str, ...]) -> None:
    """``-x`` ends the run with pytest's own words."""
    ran = run(*PART, *workers, "-x", "--subject", f"{FAKES}:NoEps")
    assert ran.status in (1, 2), ran.output
    assert "stopping after 1 failures" in ran.output
    assert "1 failed" in ran.lines[-1]


def test_cases_and_other_tests_run_side_by_side() -> None:
    """What the one has set up the other tears down."""
    first = "tests/meta/test_readme.py::test_number_of_cases_of_the_full_tier"
    last = "tests/meta/test_readme.py::test_releases_named_are_the_table"
    ran = run(first, "tests/conformance/test_edges.py", last, *SMOKE, "--shard", "1/20")
    assert ran.status == 0, ran.output


def test_what_a_subject_prints_is_shown_where_it_fails() -> None:
    """Captured, and under the failure."""
    ran = run("--case", MATRIX, "--subject", f"{FAKES}:PrintsAndLies")
    assert "Captured stdout call" in ran.output, ran.output
    assert "said the subject" in ran.output
