"""Random programs: module and oracle in lock-step through steps that Hypothesis chooses.

A program that diverges is shrunk to the shortest one that does, and reported as a spelled-out case:
``pytest --case '<id>'`` runs exactly that program again. The core of the suite does without
Hypothesis: it is imported when a search begins, never before. What a program is drawn from is in
``cases.alphabet``; nothing there leads to a known defect of torch, so every divergence is a finding.
"""

from __future__ import annotations

import importlib.util
import random
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

import pytest

from cases.case import Case
from cases.construction import Construction
from cases.programs import spelled
from cases.programs.alphabet import ALPHABET, CONSTRUCTIONS, VARIANTS
from cases.steps import Step
from cases.variants import Variant
from oracle.semantics import Semantics
from tests.conformance.collection import Failure, observing, report, session_of

PART = 500
"""Programs in one pytest item."""

LONGEST = 12
"""Steps in either half of a program."""

MISSING = "--explore needs Hypothesis: pip install hypothesis (or this suite's extra 'explore')"


def _constructions(semantics: Semantics) -> Tuple[Construction, ...]:
    """Where the release has no bias keyword, nothing could follow a construction with one."""
    lacks_bias = "no_bias_keyword" in semantics.inside
    return tuple(each for each in CONSTRUCTIONS if not (each[0] == "no_bias" and lacks_bias))


def programs(semantics: Semantics) -> Any:
    """The strategy: spelled-out cases with 1 to 2 * LONGEST steps, 10 on average."""
    from hypothesis import strategies

    # Two lists, because Hypothesis keeps one of up to 24 steps at 5 on average.
    half = strategies.lists(strategies.sampled_from(ALPHABET), max_size=LONGEST)

    def program(
        construction: Construction, variant: Variant, first: List[Step], rest: List[Step]
    ) -> Case:
        # An id has at least one step.
        return spelled.case(construction, variant, tuple(first + rest) or ALPHABET[:1])

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
    """Shows ``diverges`` up to ``count`` programs, then ever shorter ones once it says True.

    Returns the shortest for which it says True, None when there is none. The programs depend on
    ``seed`` and on the release of Hypothesis, on nothing else.
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
        case: Case = find(
            programs(semantics), diverges, settings=plain, random=random.Random(seed)
        )
    except NoSuchExample:
        return None
    return case


class Explored(NamedTuple):
    """What a search came to: how much ran without a finding, and the shortest program with one.

    ``outputs``: forwards that returned something to compare.
    """

    programs: int
    steps: int
    outputs: int
    case: Optional[Case]


def explore(factory: Any, semantics: Semantics, count: int, seed: str) -> Explored:
    """Runs ``count`` programs, or as many as it takes to find one that diverges.

    A subject that cannot even be observed (whatever ``tests.lockstep.run`` raises) diverges, too.
    """
    from tests.lockstep import run

    done: List[Tuple[int, int]] = []
    found: List[str] = []

    def diverges(case: Case) -> bool:
        try:
            result = run(case, factory, semantics)
        except Exception:  # the subject broke the observation, not just a step
            found.append(case.id)
            return True
        if result.findings:
            found.append(case.id)
        elif not found:
            done.append((len(case.steps), result.tally.compared.get("output", 0)))
        return bool(result.findings)

    case = shortest(semantics, diverges, count, seed)
    return Explored(len(done), sum(n for n, _ in done), sum(n for _, n in done), case)


class Programs:
    """Stands in a test module for the random programs, as a parametrised function would."""


class ProgramsItem(pytest.Item):
    """A number of random programs of one seed."""

    def __init__(self, count: int, seed: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count
        self.seed = seed

    def runtest(self) -> None:
        """Runs the programs; raises Failure with the report on the shortest that diverges."""
        from tests import verdict

        session = session_of(self.config)
        explored = explore(session.factory, session.semantics, self.count, self.seed)
        self.user_properties.append(("explored", list(explored[:3])))
        case = explored.case
        if case is None:
            return
        head = f"random program {explored.programs + 1} of seed {self.seed}, shrunk:"
        try:
            with observing(case.id, session.again):
                decided = verdict.adjudicate(case, session.factory, session.semantics)
                text = report(decided, case, session)
        except Failure as failure:
            text = str(failure)
        raise Failure(f"{head}\n{text}")

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> Any:
        """A finding's report without a traceback; anything else as pytest shows it."""
        if isinstance(excinfo.value, Failure):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> Tuple[Any, Optional[int], str]:
        """Where pytest says the programs are."""
        return self.path, None, self.name


def collect(name: str, collector: Any) -> List[ProgramsItem]:
    """The items of ``--explore N``: parts of PART programs, each with a seed of its own."""
    option = collector.config.option
    number, of = option.shard
    items = []
    for part, start in enumerate(range(0, option.explore, PART)):
        if part % of == number - 1:
            seed = f"{option.explore_seed}.{part}"
            count = min(PART, option.explore - start)
            items.append(
                ProgramsItem.from_parent(
                    collector, name=f"{name}[{count}-seed{seed}]", count=count, seed=seed
                )
            )
    return items


def check() -> None:
    """Raises pytest.UsageError when Hypothesis is not installed."""
    if importlib.util.find_spec("hypothesis") is None:
        raise pytest.UsageError(MISSING)


def total(explored: Sequence[Sequence[int]]) -> str:
    """One line for the end of a run; ``explored``: programs, steps and outputs of each item."""
    ran, steps, outputs = (sum(column) for column in zip(*explored))
    return f"random programs: {ran:,} with {steps:,} steps, {outputs:,} outputs compared"
