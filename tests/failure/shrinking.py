"""Finds the shortest way to a finding: fewer steps, one channel, fewer and plainer values.

Every program that is tried is run on the subject and on the oracle, so that the values got and expected
of a smaller program always belong to its own input.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Iterator, List, Mapping, Optional, Tuple

from cases.case import Case
from cases.derivatives import DIFFERENTIATING
from cases.steps import Forwards, Step
from oracle.expectations import expectations
from reports.rows import FINDING
from tests.failure import smaller_inputs
from tests.failure.runner import Runner
from tests.failure.script import FailingProgram
from tests.verdict.result import Finding, Result

STEPS = 24
"""The longest program that is shortened step by step."""

Alike = Callable[[Finding, Finding], bool]
"""A predicate of two findings: that of a smaller program, and the one that it must reproduce."""


def same(found: Finding, wanted: Finding) -> bool:
    """Whether two findings have the same quantity, index, observation and expectation."""
    a, b = found.mismatch, wanted.mismatch
    return (a.quantity, a.index, a.got, a.expected) == (b.quantity, b.index, b.got, b.expected)


def alike(found: Finding, wanted: Finding) -> bool:
    """Whether two findings on different inputs are of one fault: they may differ only in numbers."""
    a, b = found.mismatch, wanted.mismatch
    if a.quantity != b.quantity:
        return False
    if a.quantity.endswith("shape"):
        return True
    if a.quantity == "exception":
        return _words(a.got) == _words(b.got) and _words(a.expected) == _words(b.expected)
    if a.error is not None and b.error is not None:
        return _kind(a.got) == _kind(b.got) and _kind(a.expected) == _kind(b.expected)
    return (a.got, a.expected) == (b.got, b.expected)


def _words(text: str) -> str:
    """Return the text of an exception without its digits, which may be sizes."""
    return "".join(each for each in text if not each.isdigit())


def _kind(text: str) -> str:
    """Return nan, an infinity, or the word for a number."""
    return text if text in ("nan", "inf", "-inf") else "finite"


class Shrinking:
    """The smallest program so far that ends with the finding; ``best`` is replaced as it shrinks."""

    def __init__(self, result: Result, runner: Runner) -> None:
        self.runner = runner
        finding = result.findings[0]
        case = dataclasses.replace(result.case, steps=result.case.steps[: finding.step])
        self.best = FailingProgram(case, finding, self._raising(case, result), {})

    def _raising(self, case: Case, result: Result) -> Tuple[int, ...]:
        """Return the numbers of the steps that raised, or had to."""
        right = expectations(case, self.runner.semantics)
        must = {number for number, each in enumerate(right) if each.error is not None}
        return tuple(sorted(must | set(result.raising)))

    def tried(self, case: Case, as_wanted: Alike = alike) -> Optional[FailingProgram]:
        """Return the program and its finding, if that is at the last step and is the wanted one.

        What a known defect explains is no finding.
        """
        try:
            verdict = self.runner.verdict(case)
        except Exception:  # the subject cannot even be observed
            return None
        result = verdict.result
        for found in result.findings if verdict.outcome == FINDING else ():
            if found.step == len(case.steps) and as_wanted(found, self.best.finding):
                return FailingProgram(case, found, self._raising(case, result), {})
        return None

    def take(
        self, case: Case, as_wanted: Alike = alike, texts: Optional[Mapping[str, str]] = None
    ) -> bool:
        """Replace ``best`` by the smaller program if that shows the finding."""
        found = self.tried(case, as_wanted)
        if found is not None:
            self.best = found._replace(texts=texts or {})
        return found is not None

    def first_of(self, smaller: Callable[[Case], Iterator[Case]]) -> bool:
        """Replace ``best`` by the first smaller program that shows the finding in the same layout."""
        before, any_layout = self.best.case, self.runner.subject.adapts  # an adapter is handed no layout
        return any(
            (any_layout or smaller_inputs.same_layout(before, each)) and self.take(each)
            for each in smaller(before)
        )


def shortest(result: Result, runner: Runner, own_values: bool = False) -> FailingProgram:
    """Return the first finding of the result on the shortest program and smallest input that show it.

    The batches of the result's own case are kept where no smaller ones show it. ``own_values``: keep all
    values of the channels that are kept.
    """
    search = Shrinking(result, runner)
    if search.best.finding.step:
        _shorter_series(search)
        channel = channel_of(search.best.finding)
        search.first_of(lambda case: smaller_inputs.fewer_channels(case, channel))
        while not own_values and search.first_of(smaller_inputs.fewer_values):
            pass
        _fewer_steps(search)
        _plainer_upstream(search)
        if not own_values:
            _plainer(search)
    return search.best


def channel_of(finding: Finding) -> int:
    """Return the channel in which the finding is, 0 where it is in none."""
    index = finding.mismatch.index
    return index[1] if len(index) == 4 else index[0] if index else 0


def _with_steps(case: Case, steps: Tuple[Step, ...]) -> Case:
    return dataclasses.replace(case, steps=steps)


def _fewer_steps(search: Shrinking) -> None:
    """Keep as few of the last steps as possible, and drop every other step that can go."""
    whole = search.best.case
    length = 1
    while length < len(whole.steps):
        if search.take(_with_steps(whole, whole.steps[-length:]), same):
            break
        length *= 2
    kept: List[Step] = list(search.best.case.steps)
    fewer = len(kept) <= STEPS
    while fewer:  # only a later step may need a step, so this repeats until none can be dropped
        fewer = False
        for place in reversed(range(len(kept) - 1)):
            steps = tuple(kept[:place] + kept[place + 1 :])
            if search.take(_with_steps(search.best.case, steps), same):
                del kept[place]
                fewer = True


def _shorter_series(search: Shrinking) -> None:
    """Shorten every series of forwards: try one, two, four and so on, then the smallest that works."""
    for place, step in enumerate(search.best.case.steps):
        if isinstance(step, Forwards):
            count = 1
            while count < step.count and not _with_series(search, place, count):
                count *= 2
            least, most = count // 2, min(count, step.count)
            while most - least > 1:
                count = (least + most) // 2
                least, most = (least, count) if _with_series(search, place, count) else (count, most)


def _with_series(search: Shrinking, place: int, count: int) -> bool:
    """Replace ``best`` by one with a shorter series if that shows the finding."""
    steps = list(search.best.case.steps)
    series = steps[place]
    assert isinstance(series, Forwards)
    steps[place] = Forwards(series.series, count)
    return search.take(_with_steps(search.best.case, tuple(steps)))


def _plainer_upstream(search: Shrinking) -> None:
    """Replace upstream gradients by ones, if they show the finding."""
    steps = tuple(
        dataclasses.replace(step, upstream=".".join(["ones", *step.upstream.split(".")[1:]]))
        if isinstance(step, DIFFERENTIATING)
        else step
        for step in search.best.case.steps
    )
    if steps != search.best.case.steps:
        search.take(_with_steps(search.best.case, steps))


def _plainer(search: Shrinking) -> None:
    """Replace batches by ones whose values have a short text, if they show the finding."""
    for each in smaller_inputs.plainer(search.best.case):
        if search.take(each.case, texts=each.texts):
            return
