"""The measures, and the bounds that each must meet."""

from __future__ import annotations

import re
import statistics
import sys
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from tests.benchmark.processes import PYTEST, ROOT, Took, python, run
from tests.benchmark.programs import CASES, MODULE_TESTS
from tests.meta.liars import LIARS

GATE = (*PYTEST, "tests/conformance")
ONE = "matrix-affine-track-momentum_none-train_only-no_mutation-never-exact-n8-float32"
FAMILIES = ("matrix", "edge", "claim", "state")
COMMANDS: Dict[str, Tuple[str, ...]] = {
    "import torch": (sys.executable, "-c", "import torch"),
    "gate": GATE,
    "-n 2": (*GATE, "-n", "2"),
    "smoke": (*GATE, "--tier", "smoke"),
    "one case": (*GATE, "--case", ONE),
}
"""The commands that are run as whole processes, in turn."""

JUDGED = (0, 1)
"""The exit statuses of a run that judged every case."""

FOUND = (1, 3, 4)
"""The exit statuses of a run that says what is wrong: a finding, no verdict, a refused subject."""

EVERY = 5000
"""One case in this many of the full tier makes up the smaller of the two parts that are compared."""


class Row(NamedTuple):
    """A measure: its value, its unit and its bounds, each ``<= x`` or ``>= x`` or empty."""

    measure: str
    value: float
    unit: str
    must: str = ""
    aim: str = ""

    def met(self, bound: str) -> Optional[bool]:
        """Whether the value meets a bound; None for an empty one."""
        match = re.match(r"(<=|>=) ([0-9.]+)", bound)
        if match is None:
            return None
        limit = float(match.group(2))
        return self.value <= limit if match.group(1) == "<=" else self.value >= limit

    @property
    def verdict(self) -> str:
        """Return in words whether the bounds are met."""
        if self.met(self.must) is False:
            return "must MISSED"
        if self.met(self.aim) is False:
            return "aim missed"
        return "met" if self.must or self.aim else "stated"


def in_turn(repeats: int) -> Dict[str, List[Took]]:
    """Run every command ``repeats`` times, in turn, so that a slower machine slows down all alike."""
    taken: Dict[str, List[Took]] = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        for name, command in COMMANDS.items():
            taken[name].append(run(command, statuses=JUDGED))
    return taken


def first_findings(names: Sequence[str]) -> float:
    """Return the median of seconds to a liar's first finding over seconds of an import, taken in turn."""
    ratios = []
    for name in names:
        factory = LIARS[name].factory
        subject = f"{factory.__module__}:{factory.__qualname__}"
        told = run([*GATE, "-x", "--subject", subject, "--semantics", "2.15"], statuses=FOUND)
        ratios.append(told.seconds / run(COMMANDS["import torch"]).seconds)
    return statistics.median(ratios)


def _inside(tier: str, every: int, families: Sequence[str] = FAMILIES) -> Tuple[float, ...]:
    program = CASES.format(root=str(ROOT), families=tuple(families), tier=tier, every=every)
    return tuple(float(word) for word in python(program).output.split())


def growth(repeats: int) -> Tuple[float, float]:
    """Return as ratios the cost of a case, and the peak of memory, with ten times as many cases."""
    costs, peaks = [], []
    for _ in range(repeats):
        few, many = (_inside("full", every, ["matrix"]) for every in (EVERY, EVERY // 10))
        costs.append((many[2] / many[0]) / (few[2] / few[0]))
        peaks.append(many[3] / few[3])
    return statistics.median(costs), statistics.median(peaks)


def rates(repeats: int) -> Tuple[float, float]:
    """Return checked forwards per second in one process: the gate's, and PyTorch's module tests'."""
    ours, theirs = [], []
    for _ in range(repeats):
        _, checked, seconds, _ = _inside("gate", 1)
        ours.append(checked / seconds)
        _, forwards, spent = (float(word) for word in python(MODULE_TESTS.format()).output.split())
        theirs.append(forwards / spent)
    return statistics.median(ours), statistics.median(theirs)


def _cases(output: str) -> int:
    match = re.search(r"^cases +(\d+)", output, re.MULTILINE)
    if match is None:
        raise RuntimeError(f"the run did not say how many cases it judged:\n{output[-300:]}")
    return int(match.group(1))


def measure(repeats: int, sample: int) -> List[Row]:
    """Return every row of the table; ``sample``: one liar in this many."""
    taken = in_turn(repeats)

    def median(name: str) -> float:
        return statistics.median(each.seconds for each in taken[name])

    imported = median("import torch")
    cpu = statistics.median(each.cpu for each in taken["gate"])
    cases = _cases(taken["gate"][0].output)
    names = sorted(LIARS)[::sample]
    found = first_findings(names)
    cost, memory = growth(repeats)
    ours, theirs = rates(repeats)
    print("; ".join(f"{name} {median(name):.2f} s" for name in COMMANDS))
    print(f"checked forwards/s {ours:.0f}, of PyTorch's module tests {theirs:.0f}")
    over = "over `import torch`"
    return [
        Row(f"gate, {cases} cases, serial, {over}", median("gate") / imported, "x", "<= 8", "<= 5"),
        Row("gate, CPU seconds a thousand cases", 1000 * cpu / cases, "s"),
        Row(f"one case by id, {over}", median("one case") / imported, "x", "<= 2", "<= 1.5"),
        Row("`-n 2` against serial", median("gate") / median("-n 2"), "x faster", ">= 1.2", ">= 1.5"),
        Row(f"smoke, {over}", median("smoke") / imported, "x", "<= 3", "<= 2"),
        Row(
            f"a wrong module ({len(names)} liars): first finding with `-x`, {over}",
            found, "x", "<= 2", "<= 1.3",
        ),
        Row("full tier: cost of a case among 10 x as many cases", cost, "x", "<= 1.2"),
        Row("full tier: peak of memory after 10 x as many cases", memory, "x", "<= 1.2"),
        Row("checked forwards/s over those of PyTorch's module tests", ours / theirs, "x", "", ">= 1"),
    ]  # fmt: skip
