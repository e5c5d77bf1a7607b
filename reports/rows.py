"""The three kinds of line of a record, as data.

A record has a header (what was run), one row for each case (what was seen), and a footer (the sum, by
which a reader knows that nothing is missing).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import Dict, Iterable, Mapping, Optional, Set, Tuple

PASS = "pass"
KNOWN_DEFECT = "known_defect"
NOT_APPLICABLE = "not_applicable"
CONTRACT = "contract"
FINDING = "finding"
OUTCOMES: Tuple[str, ...] = (PASS, NOT_APPLICABLE, CONTRACT, KNOWN_DEFECT, FINDING)
"""The outcomes of a case, the worst last. not_applicable: the subject does not offer or promise a step,
and all before that step agrees. contract: a clause of the subject's contract applies, and exactly the
deviation that it allows was seen."""

UNREASONED: Tuple[str, ...] = (PASS, KNOWN_DEFECT, FINDING)
"""The outcomes of every record; a footer counts the others only where there are any."""

FINISHED = (0, 1, 5)
"""The exit statuses of runs that judged every case: as specified; findings; nothing was applicable."""

VALUES, STATE, MODULE = "values", "state", "module"
PROMISES: Tuple[str, ...] = (VALUES, STATE, MODULE)
"""The promises of a subject, each wider than the one before. values: numbers and shapes of outputs,
running statistics, parameters and gradients. state: also the flags, the counter, which tensors are None,
and whether a step raises. module: everything that torch shows."""

EAGER = "eager"
"""The path of an ordinary call of the module."""

CPU = "cpu"
"""The device that is used unless another is given."""

DEFAULT_SUBJECT = "torch.nn:BatchNorm2d"
"""The subject that is run unless another is given."""

DEFAULT_THREADS = 1
"""The number of threads that torch uses unless another is given."""

Extremes = Tuple[float, float]
"""The smallest and the largest of signed numbers."""


@dataclass(frozen=True)
class Header:
    """The first line of a record: the circumstances of the run.

    ``selection`` is the text that narrowed the tier (``-k``, ``--case`` …), None for the
    whole tier. ``semantics`` gives, for each switch of ``oracle.semantics``, whether its
    inside behaviour was expected of this release. ``promise``: one of PROMISES. ``path``: how the
    module's forward was reached. ``device``: where the module and its inputs lay. ``implementation``:
    name and version of what was tested, such as "flax 0.12.12"; None for torch itself. ``clauses`` maps
    the name of each clause of the subject's contract to its reason and source. ``torch`` is empty for an
    adapter, which is run without torch.
    """

    suite: str
    torch: str
    numpy: str
    python: str
    platform: str
    threads: int
    subject: str
    tier: str
    seed: int
    selection: Optional[str]
    release: str
    release_in_table: bool
    semantics: Mapping[str, bool]
    promise: str = MODULE
    path: str = EAGER
    device: str = CPU
    implementation: Optional[str] = None
    clauses: Mapping[str, str] = field(default_factory=dict)

    @property
    def release_key(self) -> Tuple[int, int]:
        """The release as numbers, to sort by: 1.13 comes after 1.4."""
        major, minor = self.release.split(".")
        return int(major), int(minor)

    @property
    def options(self) -> str:
        """The options of pytest besides --case that run a case again, with a space before them, or ""."""
        options = []
        if self.subject != DEFAULT_SUBJECT:
            options.append(f" --subject {shlex.quote(self.subject)}")
        if not self.torch.startswith(self.release + "."):
            options.append(f" --semantics {self.release}")
        if self.threads != DEFAULT_THREADS:
            options.append(f" --threads {self.threads}")
        for name, default in (("promise", MODULE), ("device", CPU)):
            if getattr(self, name) != default:
                options.append(f" --{name} {shlex.quote(getattr(self, name))}")
        return "".join(options)


@dataclass(frozen=True)
class Found:
    """One disagreement between the subject and the oracle.

    ``step`` is the number of the step, 0 for the construction, and ``token`` its text as in an
    id ("construct", "forward:b0"). ``quantity`` names what was compared, such as
    "running_var", "exception" or "weight is the same object". ``index`` is the element of an
    array, empty where there is none, and ``regime`` the regime of its channel, "" where there
    is none. ``error``, ``budget`` (both absolute) and ``ulps`` are None where there is no
    number. ``switches`` names the release switches whose other side explains what was seen.
    """

    step: int
    token: str
    quantity: str
    got: str
    expected: str
    index: Tuple[int, ...] = ()
    regime: str = ""
    error: Optional[float] = None
    budget: Optional[float] = None
    ulps: Optional[float] = None
    switches: Tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseRow:
    """The line of one case: how it ended, what was compared, and how close it came.

    ``share`` holds error / budget and ``ulps`` the error in units in the last place, as signed extremes
    for each budgeted quantity; ``detectable`` the smallest relative error that the budget can tell from
    rounding; ``switches`` the switches on which the expected values of this case depend; ``digest``
    stands for the bytes that the subject returned. ``finding`` says in one line why the case is a
    finding, and ``findings`` holds every disagreement, in the order in which they were seen; a record
    without that field has none. ``reason`` says why a case is not applicable, or why its deviation is
    within the contract; ``clause`` names the clause of the contract.
    """

    id: str
    behaviour: str
    outcome: str
    forwards: int
    compared: Mapping[str, int]
    share: Mapping[str, Extremes]
    ulps: Mapping[str, Extremes]
    detectable: Mapping[str, float]
    errors: Tuple[str, ...]
    switches: Tuple[str, ...]
    defect: Optional[str]
    finding: Optional[str]
    digest: str
    findings: Tuple[Found, ...] = ()
    reason: str = ""
    clause: Optional[str] = None


@dataclass(frozen=True)
class Footer:
    """The sum over all rows, and the exit status of the run: the last line of a record.

    ``unexercised`` names the switches that hold for this release and that no case exercised.
    """

    cases: int
    outcomes: Mapping[str, int]
    forwards: int
    compared: int
    unexercised: Tuple[str, ...]
    exit: int


class Sum:
    """The sum over rows that come one after the other.

    It counts every outcome; those with a reason only where there are any.
    """

    def __init__(self) -> None:
        self.cases = self.forwards = self.compared = 0
        self._outcomes: Dict[str, int] = dict.fromkeys(OUTCOMES, 0)
        self._exercised: Set[str] = set()

    def add(self, row: CaseRow) -> None:
        """Add one row."""
        self.cases += 1
        self.forwards += row.forwards
        self.compared += sum(row.compared.values())
        self._outcomes[row.outcome] += 1
        self._exercised.update(row.switches)

    def footer(self, header: Header, exit_status: int) -> Footer:
        """Return the footer that belongs to the rows so far."""
        holding = (name for name, holds in header.semantics.items() if holds)
        return Footer(
            cases=self.cases,
            outcomes={
                name: count for name, count in self._outcomes.items() if count or name in UNREASONED
            },
            forwards=self.forwards,
            compared=self.compared,
            unexercised=tuple(sorted(name for name in holding if name not in self._exercised)),
            exit=exit_status,
        )


def footer_for(header: Header, rows: Iterable[CaseRow], exit_status: int) -> Footer:
    """Return the footer that belongs to ``rows``."""
    total = Sum()
    for row in rows:
        total.add(row)
    return total.footer(header, exit_status)
