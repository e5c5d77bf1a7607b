"""Writes a script that shows a finding again, or one line that says why there is none."""

from __future__ import annotations

from typing import Iterator, List, NamedTuple, Optional, Sequence

from cases.paths import EAGER
from tests.failure import adapter_script, replay
from tests.failure.runner import Runner
from tests.failure.script import FailingProgram, script
from tests.failure.shrinking import Shrinking, channel_of, shortest
from tests.failure.smaller_inputs import rebuilding
from tests.failure.writing import Unwritable
from tests.subject.subject import Subject
from tests.verdict.result import Result

IRREPRODUCIBLE = "not reproducible: it came out differently the second time"
ONLY_HERE = (
    "not reproducible in a fresh process: it came again in this one, so it depends on what else the "
    "process has done or is set to, such as earlier cases or environment variables"
)
ON_A_PATH = "no script: it would call the module, and not take the path"
THREADS = "torch.set_num_threads"
TOO_LARGE = "no script: the program with its input is too large to be written out"


class Reproduction(NamedTuple):
    """The result of an attempt to write a script.

    ``script``: None where none shows the finding. ``remark``: why there is no script, else empty.
    ``program``: the shortest program that shows the finding, None where none does.
    """

    script: Optional[str]
    remark: str
    program: Optional[FailingProgram]


def reproduce(result: Result, runner: Runner) -> Reproduction:
    """Run the program again, shrink it, write its script and run that."""
    whole = Shrinking(result, runner)
    if whole.tried(whole.best.case) is None:
        return Reproduction(None, IRREPRODUCIBLE, None)
    short = shortest(result, runner)
    if result.case.path != EAGER:
        return Reproduction(None, ON_A_PATH, short)
    remark = ""
    for failing in _candidates(result, short, runner):
        try:
            text = _written(failing, runner)
        except Unwritable:
            continue
        wanted = failing.finding.mismatch.got.partition("\n")[0].rstrip()
        seen = replay.got(_printed(text, runner.subject))
        if seen == wanted and not runner.fresh:
            return Reproduction(text, "", failing)
        if seen == wanted:
            more = [] if runner.subject.adapts else _with_threads(text, runner.threads)
            return _in_a_fresh_process([text, *more], wanted, failing, short)
        remark = remark or f"{IRREPRODUCIBLE}; a script of the same steps got {seen[:200]}"
    return Reproduction(None, remark or TOO_LARGE, short)


def _in_a_fresh_process(
    texts: Sequence[str], wanted: str, failing: FailingProgram, short: FailingProgram
) -> Reproduction:
    """Return the first script that shows the finding in a process of its own.

    ``texts``: scripts that show it in this one; the next is run only where the one before does not.
    """
    seen = ""
    for text in texts:
        seen = replay.got(replay.printed_in_a_fresh_process(text))
        if seen == wanted:
            return Reproduction(text, "", failing)
    return Reproduction(None, f"{ONLY_HERE}; a script in a fresh process got {seen[:200]}", short)


def _with_threads(text: str, threads: int) -> List[str]:
    """Return the script with torch's number of threads, if it lacks that.

    The scripts of small inputs do, because it does not matter to torch's own module there.
    """
    at = text.find("\nm = ") + 1
    if not at or THREADS in text:
        return []
    return [f"{text[:at]}{THREADS}({threads})\n{text[at:]}"]


def _written(failing: FailingProgram, runner: Runner) -> str:
    """Return the script, in the terms of torch or of an adapter; raises Unwritable."""
    if runner.subject.adapts:
        return adapter_script.script(failing, runner.subject.name)
    from tests.subject.surroundings import surroundings  # imports torch, which an adapter does without

    return script(failing, runner.subject.name, runner.threads, surroundings())


def _printed(text: str, subject: Subject) -> str:
    """Run a script in this process, and restore the settings of torch that it changes."""
    if subject.adapts:
        return replay.printed(text)
    from tests.subject.surroundings import restore, settings

    before = settings()
    try:
        return replay.printed(text)
    finally:
        restore(before)


def _candidates(result: Result, short: FailingProgram, runner: Runner) -> Iterator[FailingProgram]:
    """Yield the programs of which a script may show the finding, the shortest first.

    The second one rebuilds large batches from integers.
    """
    yield short
    own = shortest(result, runner, own_values=True)
    yield own._replace(texts=rebuilding(result.case, own.case, channel_of(result.findings[0])))
