"""Interrupted runs go on where they stopped, and end with the record that one run would have given."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import List

import pytest

from reports.encoding import encode_case, encode_header
from tests.conformance import journal, preflight
from tests.conformance.journal import NOTHING, Journal, Unresumable
from tests.meta import handmade
from tests.meta.command import FEW, USAGE, Ran, run

KILLING = """
import os, signal
reports = []
def pytest_runtest_logreport(report):
    reports.append(report)
    if len([each for each in reports if each.when == "teardown"]) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
"""
"""A plugin that kills the process that reports when five tests are over."""


def killed(folder: Path, *arguments: str) -> Ran:
    """Run with that plugin."""
    (folder / "killing.py").write_text(KILLING, encoding="ascii")
    return run(*arguments, "-p", "killing", plugins=str(folder), path=str(folder))


def kept(path: Path) -> List[str]:
    """Return the ids of the cases that are kept."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line["id"] for line in lines if line["kind"] == "case"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the record of a run that nothing interrupts."""
    record = tmp_path_factory.mktemp("whole") / "run.jsonl"
    assert run(*FEW, f"--report={record}").status == 0
    return record


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_killed_run_goes_on_and_ends_with_the_same_record(
    workers: List[str], whole: Path, tmp_path: Path
) -> None:
    record, unfinished = tmp_path / "run.jsonl", tmp_path / "unfinished"
    resumed = (*FEW, *workers, f"--report={record}", f"--resume={unfinished}")
    assert killed(tmp_path, *resumed).status != 0
    done = kept(unfinished)
    assert 5 <= len(done) < 12
    assert not record.exists()

    ran = run(*resumed)
    assert ran.status == 0, ran.output
    assert ran.counts["passed"] == 12 - len(done) + 1
    assert f"of an earlier run    {len(done) - 1} cases and programs, not run again" in ran.lines
    assert not unfinished.exists()
    assert record.read_bytes() == whole.read_bytes()


INTERRUPTED = KILLING.replace("SIGKILL", "SIGINT").replace(
    "reports = []", "reports = []\nsignal.signal(signal.SIGINT, signal.default_int_handler)"
)
"""A plugin that interrupts the process. A shell's background job ignores SIGINT, and so would its children."""


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent to the process as a signal, as on POSIX")
def test_an_interrupted_run_says_how_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "interrupting.py").write_text(INTERRUPTED, encoding="ascii")
    unfinished = tmp_path / "unfinished"
    asked = (*FEW, f"--resume={unfinished}", "-p", "interrupting")
    ran = run(*asked, plugins=str(tmp_path), path=str(tmp_path))
    assert ran.status == 2
    assert f"what is finished is kept in {unfinished}: the same command goes on" in ran.lines
    assert len(kept(unfinished)) == 5


def test_findings_of_the_first_part_fail_the_second(whole: Path, tmp_path: Path) -> None:
    record, unfinished = tmp_path / "run.jsonl", tmp_path / "unfinished"
    resumed = (*FEW, f"--report={record}", f"--resume={unfinished}")
    header, first, *others = whole.read_text(encoding="utf-8").splitlines()[:-1]
    wrong = {**json.loads(first), "outcome": "finding", "finding": "made up"}
    unfinished.write_text("\n".join([header, json.dumps(wrong), *others, ""]), encoding="utf-8")
    ran = run(*resumed)
    assert ran.status == 1
    assert ran.counts["passed"] == 1
    assert "failed" not in ran.counts
    assert json.loads(record.read_text(encoding="utf-8").splitlines()[-1])["exit"] == 1


def test_a_file_of_another_run_is_refused_before_any_case(tmp_path: Path) -> None:
    unfinished = tmp_path / "unfinished"
    unfinished.write_text(f"{encode_header(handmade.header())}\n{encode_case(handmade.row())}\n", encoding="utf-8")
    ran = run(*FEW, f"--resume={unfinished}")
    assert ran.status == USAGE
    (line,) = [line for line in ran.lines if "--resume: " in line]
    assert "is of a run with suite 'abc1234', and this one has" in line
    assert "passed" not in ran.output
    for said in ("BatchNorm2d conformance", "of an earlier run", "next, the first"):
        assert said not in ran.output, "the rows of the other run are not shown as this one's"


@pytest.mark.parametrize("name", ["", "run.jsonl", "there/../run.jsonl", "link", "unfinished.gz", "none/unfinished"])
def test_a_name_that_cannot_be_used_is_refused(name: str, tmp_path: Path) -> None:
    path = os.path.join(str(tmp_path), name) if name else ""
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("run.jsonl")
    with pytest.raises(preflight.Unusable, match=r"^--resume"):
        preflight.check_resume(path, str(tmp_path / "run.jsonl"))


def test_a_refused_name_is_one_line() -> None:
    ran = run(*FEW, "--resume=unfinished.gz")
    assert (ran.status, len(ran.lines)) == (USAGE, 1)
    assert ran.lines[0].startswith("ERROR: --resume 'unfinished.gz': the name of a file of its own is accepted")


def test_explorations_go_on_after_the_programs_that_are_done(tmp_path: Path) -> None:
    pytest.importorskip("hypothesis", reason="--explore needs hypothesis: pip install hypothesis")
    unfinished = tmp_path / "unfinished"
    asked = ("--explore", "3", "--shard", "1/1", "-k", "exploration", f"--resume={unfinished}")
    (tmp_path / "small.py").write_text("from tests.conformance import parametrisation\nparametrisation.PART = 1\n")
    small = {"plugins": str(tmp_path), "path": str(tmp_path)}
    killing = KILLING.replace("== 5", "== 2")
    (tmp_path / "killing.py").write_text(killing, encoding="ascii")
    assert run(*asked, "-p", "small", "-p", "killing", **small).status != 0
    ran = run(*asked, "-p", "small", **small)
    assert ran.status == 0, ran.output
    assert ran.counts["passed"] == 2
    assert [line for line in ran.lines if line.startswith("random programs: 3 with ")]


# --- the file ---------------------------------------------------------------------------


HEAD = handmade.header()
ROWS = [handmade.row("case-" + name) for name in "abc"]


def written(path: Path) -> Path:
    """Write a file with three rows, as a run does."""
    each = Journal(str(path), NOTHING)
    each.begin(HEAD)
    each.begin(HEAD)
    for row in ROWS:
        each.add(encode_case(row))
    return path


def test_the_last_case_is_run_again(tmp_path: Path) -> None:
    path = written(tmp_path / "unfinished")
    earlier = journal.read(str(path))
    assert (earlier.header, list(earlier.rows.values())) == (HEAD, ROWS[:2])
    assert journal.read(str(path), earlier.size) == earlier
    again = Journal(str(path), earlier)
    again.begin(HEAD)
    again.add(encode_case(ROWS[2]))
    assert path.read_bytes() == written(tmp_path / "other").read_bytes()


def test_every_cut_of_the_file_can_be_gone_on_from(tmp_path: Path) -> None:
    content = written(tmp_path / "whole").read_bytes()
    path = tmp_path / "cut"
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        earlier = journal.read(str(path))
        assert list(earlier.rows.values()) == ROWS[: max(0, content[:size].count(b"\n") - 2)]


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    assert journal.read(str(tmp_path / "none")) == NOTHING


@pytest.mark.parametrize("text", ["x\nx\n", "[]\n[]\n", "{}\n{}\n", '{"kind":"case"}\n{}\n'])
def test_another_file_is_refused_with_what_to_do(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_text(text, encoding="ascii")
    with pytest.raises(Unresumable, match=r"is not a file that --resume has written .*; remove it to begin anew"):
        journal.read(str(path))


def test_of_several_runs_of_a_case_the_worst_counts(tmp_path: Path) -> None:
    path = tmp_path / "unfinished"
    wrong = handmade.row("case-a", finding="wrong")
    each = Journal(str(path), NOTHING)
    each.begin(HEAD)
    for row in (ROWS[0], wrong, ROWS[0], ROWS[1]):
        each.add(encode_case(row))
    assert list(journal.read(str(path)).rows.values()) == [wrong]


def test_collecting_alone_keeps_the_file(tmp_path: Path) -> None:
    unfinished = tmp_path / "unfinished"
    killed(tmp_path, *FEW, f"--resume={unfinished}")
    before = unfinished.read_bytes()
    assert run(*FEW, "--collect-only", f"--resume={unfinished}").status == 0
    assert unfinished.read_bytes() == before
