"""Random programs: module and oracle perform the same steps, which Hypothesis chooses.

A program that diverges is shrunk to the shortest one that does, and reported as a spelled-out case:
``pytest --case '<id>'`` runs exactly that program again. The core of the suite does not need Hypothesis:
it is imported only when a search begins. ``cases.programs.alphabet`` has the steps that a program is
drawn from.
"""

from __future__ import annotations

import importlib.util
import random
from typing import TYPE_CHECKING, Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

import pytest

from cases.case import Case
from cases.construction import Construction
from cases.programs import spelled
from cases.programs.alphabet import ALPHABET, CONSTRUCTIONS, VARIANTS
from cases.steps import Step
from cases.variants import Variant
from oracle.semantics import Semantics
from reports.rows import FINDING
from tests.conformance.judging import FOUND, SEARCH, Failure, observing, report, verdict_on
from tests.conformance.session import session_of

if TYPE_CHECKING:  # this imports torch, which collecting must not need
    from tests.verdict.verdict import Verdict

LONGEST = 12
"""The largest number of steps in either half of a program."""

MISSING = "--explore needs Hypothesis: pip install hypothesis (or this suite's extra 'explore')"


def check() -> None:
    """Raise pytest.UsageError when Hypothesis is not installed."""
    if importlib.util.find_spec("hypothesis") is None:
        raise pytest.UsageError(MISSING)


def _constructions(semantics: Semantics) -> Tuple[Construction, ...]:
    """Return the constructions that the release accepts: no ``no_bias`` where it lacks the keyword."""
    lacks_bias = "no_bias_keyword" in semantics.holding
    return tuple(each for each in CONSTRUCTIONS if not (each[0] == "no_bias" and lacks_bias))


def programs(semantics: Semantics) -> Any:
    """Return the strategy: spelled-out cases with 1 to 2 * LONGEST steps, 10 on average."""
    from hypothesis import strategies

    # There are two lists, because Hypothesis gives one list of up to 24 steps only 5 steps on average.
    half = strategies.lists(strategies.sampled_from(ALPHABET), max_size=LONGEST)

    def program(
        construction: Construction, variant: Variant, first: List[Step], rest: List[Step]
    ) -> Case:
        steps = tuple(spelled.differentiable(first + rest, variant.dtype))
        # An id has at least one step.
        return spelled.case(construction, variant, steps or ALPHABET[:1])

    return strategies.builds(
        program,
        strategies.sampled_from(_constructions(semantics)),
        strategies.sampled_from(VARIANTS),
        half,
        half,
    )


def shortest(
    semantics: Semantics, diverges: Callable[[Case], bool], count: int, seed: str
) -> Optional[Case]:
    """Call ``diverges`` with up to ``count`` programs, then with ever shorter ones once it returns True.

    Returns the shortest for which it returns True, None when there is none. The programs depend only on
    ``seed`` and on the release of Hypothesis.
    """
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis.errors import NoSuchExample

    plain = settings(
        max_examples=count,
        derandomize=False,  # the seed does that
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    try:
        case: Case = find(programs(semantics), diverges, settings=plain, random=random.Random(seed))
    except NoSuchExample:
        return None
    return case


class Explored(NamedTuple):
    """The outcome of a search: how much ran without a finding, and the shortest program with one.

    ``outputs``: forwards that returned something to compare.
    """

    programs: int
    steps: int
    outputs: int
    case: Optional[Case]


def explore(
    verdict_of: Callable[[Case], Verdict], semantics: Semantics, count: int, seed: str
) -> Explored:
    """Run ``count`` programs, or stop at the first one that diverges.

    ``verdict_of`` raises Failure for a subject that cannot even be observed, which counts as diverging.
    """
    done: List[Tuple[int, int]] = []
    found: List[str] = []

    def diverges(case: Case) -> bool:
        try:
            verdict = verdict_of(case)
        except Failure:
            found.append(case.id)
            return True
        if verdict.outcome == FINDING:
            found.append(case.id)
        elif not found:
            done.append((len(case.steps), verdict.result.compared.get("output", 0)))
        return verdict.outcome == FINDING

    case = shortest(semantics, diverges, count, seed)
    return Explored(len(done), sum(n for n, _ in done), sum(n for _, n in done), case)


def search(asked: Tuple[int, str], request: pytest.FixtureRequest) -> None:
    """Explore and note what was done; fail with the report on the shortest program that diverges.

    ``asked``: a number of programs and a seed.
    """
    session, (count, seed) = session_of(request.config), asked

    def verdict_of(case: Case) -> Verdict:
        with observing(case.id, session):
            return verdict_on(case, session)

    explored = explore(verdict_of, session.semantics, count, seed)
    request.node.stash[FOUND] = {SEARCH: list(explored[:3])}
    case = explored.case
    if case is None:
        return
    try:
        with observing(case.id, session):
            text = report(verdict_on(case, session), session)
    except Failure as failure:
        text = str(failure)
    head = f"random program {explored.programs + 1} of seed {seed}, shrunk:"
    pytest.fail(f"{head}\n{text}", pytrace=False)


def total(explored: Sequence[Sequence[int]]) -> List[str]:
    """Return a line for the end of a run; none without searches.

    ``explored``: the number of programs, steps and outputs of each.
    """
    if not explored:
        return []
    ran, steps, outputs = (sum(column) for column in zip(*explored))
    return [f"random programs: {ran:,} with {steps:,} steps, {outputs:,} outputs compared"]
