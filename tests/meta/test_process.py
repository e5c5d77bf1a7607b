"""Subjects that end, break or outlast the process: the case is named, and the run is not green."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Set, Tuple

import pytest

from tests.conformance.process import Damage, Guard
from tests.conformance.witness import Witness
from tests.meta.command import HOSTILE, UNJUDGED, USAGE, Ran, crash, run

posix = pytest.importorskip("posix")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="written for POSIX processes")

ENDED = "ERROR: the process ended in the middle of case"

ONE_VALUE = tuple(f"edge-shape-one_value_{word}" for word in ("tracked", "untracked", "bare"))
"""The cases with a batch of one value per channel, the only ones to which some subjects are hostile."""

CASES = ("edge-shape-two_dims", "edge-shape-one_channel_exact", *ONE_VALUE)
SHAPES = tuple(f"--case={each}" for each in CASES)

REFUSED = {
    "EndsTheProcess": "(SystemExit: os._exit(0))",
    "EndsTheProcessInAThread": "it ended the process by os._exit(0)",
    "Aborts": "(SystemExit: os.abort())",
    "Exits": "(SystemExit: 0)",
    "ClosesStdout": "it closed sys.stdout",
    "ClosesTheDescriptor": "it closed the standard output, file descriptor 1",
    "OpensEverything": "it left no file descriptor to open another file with",
}
"""Maps a subject, which is hostile in every forward, to the end of the line that refuses it."""

DRIVER = """
import json, sys, pytest
print(json.dumps([int(pytest.main(["-q", "--subject", each])) for each in sys.argv[1:]]))
"""


def test_subjects_that_never_come_back_are_refused_in_one_line() -> None:
    """Nothing runs before the refusals. One process checks all, because importing torch takes long."""
    subjects = [f"{HOSTILE}:{name}" for name in REFUSED]
    ran = run(*subjects, command=(sys.executable, "-c", DRIVER))
    *lines, statuses = ran.lines
    assert statuses == json.dumps([USAGE] * len(REFUSED)), ran.output
    assert len(lines) == len(REFUSED), ran.output
    for line, ending in zip(lines, REFUSED.values()):
        assert line.startswith("ERROR: --subject: subject ")
        assert line.endswith(ending)


def named(ran: Ran) -> Set[str]:
    """Return the cases that pytest calls failed."""
    return set(re.findall(r"^FAILED .*\[(.*?)\]", ran.output, re.MULTILINE))


WAYS = [
    ("EndsTheProcess", (), "it ended the process by os._exit(0)"),
    ("EndsTheProcessInAThread", ("-n", "1"), "it ended the process by os._exit(0)"),
    ("Aborts", ("-s",), "it ended the process by os.abort()"),
    ("Exits", (), "SystemExit: 0"),
    ("ClosesStdout", (), "it closed sys.stdout"),
    ("ClosesStdout", ("-s",), "it closed sys.stdout"),
    ("ClosesTheDescriptor", ("-n", "1"), "it closed the standard output, file descriptor 1"),
    ("ClosesTheDescriptor", ("-s",), "it closed the standard output, file descriptor 1"),
]
"""A subject, options of pytest, and the text about the cases in which alone the subject is hostile."""


@pytest.mark.parametrize(("name", "options", "said"), WAYS)
def test_a_case_that_breaks_the_process_is_named_and_the_others_run(
    name: str, options: Tuple[str, ...], said: str
) -> None:
    """The exit status is that of cases without a verdict."""
    ran = run(*SHAPES, *options, "--subject", f"{HOSTILE}:{name}AtOneValue", "-rf")
    assert ran.status == UNJUDGED, ran.output
    assert (ran.counts["failed"], ran.counts["passed"]) == (3, 2), ran.output
    assert ran.output.count(f"the subject cannot be observed: {said}") >= 3
    assert named(ran) == set(ONE_VALUE)
    assert "ERROR: 3 case(s) left no row, so nothing is known of them" in ran.output
    assert "INTERNALERROR" not in ran.output


@pytest.mark.parametrize("options", [(), ("-s",), ("-n", "1")])
def test_without_file_descriptors_the_run_ends_and_names_the_case(options: Tuple[str, ...]) -> None:
    """The run ends because no other case could be judged."""
    ran = run(*SHAPES, *options, "--subject", f"{HOSTILE}:OpensEverythingAtOneValue")
    assert ran.status == pytest.ExitCode.INTERRUPTED, ran.output
    line = "Interrupted: case edge-shape-one_value_tracked left no file descriptor to open another file with"
    assert line in ran.output
    assert crash(ran.output) == []


@pytest.mark.parametrize("name", ["EndsAChild", "ExitsInAThread"])
def test_what_does_not_touch_the_process_is_no_fault(name: str) -> None:
    """A child process may end as it likes, and ``sys.exit`` in a thread ends that thread."""
    ran = run(*SHAPES, "--subject", f"{HOSTILE}:{name}")
    assert (ran.status, ran.counts["passed"]) == (0, 5), ran.output


def test_a_worker_that_is_killed_or_hangs_costs_the_case_it_was_in() -> None:
    """The worker gets a signal that nothing in the process can catch, or exceeds the time of a case."""
    for name, said in (("Hangs", "has not ended in 6 s"), ("KillsItself", "crashed while running '")):
        subject = ("--subject", f"{HOSTILE}:{name}AtOneValue")
        ran = run(*SHAPES, "-n", "1", "--case-timeout", "6", *subject, "-rf")
        assert ran.status == UNJUDGED, ran.output
        assert (ran.counts["failed"], ran.counts["passed"]) == (3, 2)
        assert ran.output.count(said) >= 3
        assert named(ran) == set(ONE_VALUE)
        assert "ERROR: 3 case(s) left no row" in ran.output


def test_workers_that_are_not_replaced_any_more_leave_nothing_unsaid() -> None:
    """pytest-xdist gives up after some crashes; the cases that never began are then reported."""
    options = ("-n", "1", "--max-worker-restart", "0")
    ran = run(*SHAPES, *options, "--subject", f"{HOSTILE}:KillsItselfAtOneValue")
    assert ran.status == UNJUDGED, ran.output
    (line,) = [line for line in ran.lines if "left no row" in line]
    assert int(line.split()[1]) > 1


def test_a_case_that_hangs_is_named_after_the_time_that_was_given() -> None:
    """The line says what to do, and there is no traceback."""
    ran = run(*SHAPES, "-vv", "--case-timeout", "6", "--subject", f"{HOSTILE}:HangsAtOneValue")
    assert ran.status == UNJUDGED, ran.output
    assert "PASSED" in ran.output, "what was printed before the end reaches the user"
    (line,) = [line for line in ran.lines if line.startswith("ERROR: ")]
    assert line.startswith("ERROR: case edge-shape-one_value_tracked has not ended in 6 s (it began at ")
    assert "--case-timeout SECONDS" in line
    assert crash(ran.output) == []


@pytest.mark.parametrize("options", [(), ("-n", "1", "--max-worker-restart", "0")])
def test_compiled_code_that_hangs_is_ended_soon_after_the_time_that_was_given(
    options: Tuple[str, ...],
) -> None:
    """A traceback shows where it hangs, and a line names the case; pytest-xdist names that of a worker."""
    subject = ("--subject", f"{HOSTILE}:HangsInCompiledCodeAtOneValue")
    ran = run(*SHAPES, *options, "--case-timeout", "8", *subject, fresh=not options)
    assert ran.status == (UNJUDGED if options else pytest.ExitCode.TESTS_FAILED), ran.output
    assert "Timeout (0:00:28)!" in ran.output
    assert re.search(r"hostile\.py.*, line \d+ in forward", ran.output), ran.output
    assert ("crashed while running" in ran.output) == bool(options)
    assert (f"{ENDED} {ONE_VALUE[0]}, " in ran.output) == (not options)


def test_compiled_code_that_ends_the_process_is_named() -> None:
    """The status is that of the call, which nothing in Python can change; a worker is replaced."""
    subject = ("--subject", f"{HOSTILE}:EndsTheProcessInCompiledCodeAtOneValue")
    ran = run(*SHAPES, *subject, fresh=True)
    (line,) = [each for each in ran.lines if each.startswith("ERROR: ")]
    assert line.startswith(f"{ENDED} {ONE_VALUE[0]}, by compiled code or a signal, so there is no record")
    ran = run(*SHAPES, *subject, "-n", "1")
    assert (ran.status, ran.counts["failed"], ran.counts["passed"]) == (UNJUDGED, 3, 2), ran.output


def test_a_run_that_is_killed_names_the_case() -> None:
    """The signal cannot be caught, as that of a machine without memory."""
    ran = run(*SHAPES, "--subject", f"{HOSTILE}:KillsItselfAtOneValue", fresh=True)
    assert ran.status == -signal.SIGKILL, ran.output
    assert f"{ENDED} {ONE_VALUE[0]}, " in ran.output


def test_the_witness_says_nothing_of_a_process_that_goes_on(tmp_path: Path) -> None:
    """A subject that closes every file descriptor closes the pipe, too."""
    told = tmp_path / "errors"
    with told.open("wb") as errors:
        witness = Witness(errors.fileno())
        witness.note("case one")
        assert witness._process.stdin is not None
        witness._process.stdin.close()
        witness._process.wait()
    witness.note("case two")
    witness.close()
    assert told.read_bytes() == b""


def test_a_thread_that_never_ends_does_not_keep_the_process() -> None:
    """One thread is named, the others are counted, and the run has no status of success."""
    for name, ending in (("", " is still running; let it"), ("InEveryForward", " and ")):
        ran = run(*SHAPES, "--subject", f"{HOSTILE}:LeavesAThread{name}", fresh=True)
        assert ran.status == UNJUDGED, ran.output
        told = f"ERROR: the process cannot end 10 s after the run: thread 'endless' of the subject{ending}"
        assert ran.lines[-1].startswith(told), ran.output


def test_a_function_of_atexit_that_never_ends_does_not_keep_the_process() -> None:
    ran = run(*SHAPES, "--subject", f"{HOSTILE}:HangsAtTheEnd", fresh=True)
    assert ran.status == UNJUDGED, ran.output
    assert ran.lines[-1].endswith("the subject has registered with atexit has not ended; let it end"), ran.output


@pytest.mark.parametrize("source", ["import os\nos._exit(0)\n", "from posix import _exit\n_exit(0)\n"])
def test_a_subject_that_ends_the_process_when_it_is_imported_is_refused(source: str, tmp_path: Path) -> None:
    """The refusal is that of a subject that does so in a forward; ``os`` has its functions from ``posix``."""
    (tmp_path / "imported.py").write_text(source, encoding="ascii")
    ran = run(*SHAPES, "--subject", "imported:Thing", path=str(tmp_path))
    assert (ran.status, len(ran.lines)) == (USAGE, 1), ran.output
    assert "importing 'imported' fails (SystemExit: os._exit(0))" in ran.output


def test_nothing_that_python_calls_later_ends_the_process_with_success() -> None:
    """The message of an exception is asked for after the case, and functions of ``atexit`` after the run."""
    ran = run(*SHAPES, "--subject", f"{HOSTILE}:EndsTheProcessLater", fresh=True)
    assert ran.status == UNJUDGED, ran.output
    assert (ran.counts["failed"], ran.counts["passed"]) == (3, 2), ran.output
    assert crash(ran.output) == []


# --- the guard itself --------------------------------------------------------------------------


def test_what_was_replaced_is_put_back() -> None:
    """The replaced functions are restored at the end, also when the code within has raised."""
    guard, calls = Guard(0), (os._exit, os.abort, posix._exit)
    with pytest.raises(OSError, match="True"), guard.over("it"):
        raise OSError(f"from within {os._exit is not calls[0]}")
    guard.close(outlast=False)
    assert (os._exit, os.abort, posix._exit) == calls


def test_damage_does_not_pass_from_one_case_to_the_next() -> None:
    guard = Guard(0)
    with pytest.raises(Damage, match=r"ended the process by os._exit\(7\)"), guard.over("one"):
        os._exit(7)
    with guard.over("the next"):
        pass
    guard.close(outlast=False)


def test_damage_between_two_cases_is_not_forgotten() -> None:
    """A finalizer of the subject, or a thread of it, may act there."""
    guard = Guard(0)
    with guard.over("one"):
        pass
    with pytest.raises(SystemExit):
        os._exit(7)
    with pytest.raises(Damage, match=r"ended the process by os._exit\(7\)"), guard.over("the next"):
        pass
    guard.close(outlast=False)


def test_a_guard_leaves_no_descriptor_and_no_thread_of_a_limit() -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    guard = Guard(60)
    with guard.over("it"):
        pass
    guard.close(outlast=False)
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert before == after
    for thread in threading.enumerate():
        if thread.name == "case-timeout":
            thread.join(5)
            assert not thread.is_alive()


@pytest.mark.parametrize("call", [os.execl, os.execlp, os.execlpe])
def test_another_program_does_not_take_the_place_of_the_process(call: Any) -> None:
    """Every way to call it is refused; a process that the subject starts may become one."""
    guard = Guard(0)
    with pytest.raises(Damage, match=r"ended the process by os\.execve?\('"), guard.over("one"):
        call(sys.executable, sys.executable, "-c", "pass", *([{}] if call is os.execlpe else []))
    with guard.over("two"):
        child = os.fork()
        if not child:
            os.execl(sys.executable, sys.executable, "-c", "raise SystemExit(7)")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    guard.close(outlast=False)


def test_a_status_may_be_given_by_name() -> None:
    guard = Guard(0)
    with pytest.raises(Damage, match=r"ended the process by os._exit\(status=3\)"), guard.over("it"):
        os._exit(status=3)
    guard.close(outlast=False)
