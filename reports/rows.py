"""The three kinds of line of a record, as data.

A record has a header (what was run), one row for each case (what was seen), and a footer (the sum, by
which a reader knows that nothing is missing).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Mapping, Optional, Sequence, Tuple

PASS = "pass"
KNOWN_DEFECT = "known_defect"
FINDING = "finding"
OUTCOMES: Tuple[str, ...] = (PASS, KNOWN_DEFECT, FINDING)

DEFAULT_SUBJECT = "torch.nn:BatchNorm2d"
"""The subject that is run unless another is given."""

DEFAULT_THREADS = 1
"""The number of threads that torch uses unless another is given."""

Extremes = Tuple[float, float]
"""Smallest and largest signed value over a case."""


@dataclass(frozen=True)
class Header:
    """The first line of a record: the circumstances of the run.

    ``selection`` is the text that narrowed the tier (``-k``, ``--case`` …), None for the
    whole tier. ``semantics`` gives, for each switch of ``oracle.semantics``, whether its
    inside behaviour was expected of this release.
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
    without that field has none.
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


def footer_for(header: Header, rows: Sequence[CaseRow], exit_status: int) -> Footer:
    """Return the footer that belongs to ``rows``."""
    exercised = {name for row in rows for name in row.switches}
    return Footer(
        cases=len(rows),
        outcomes={name: sum(row.outcome == name for row in rows) for name in OUTCOMES},
        forwards=sum(row.forwards for row in rows),
        compared=sum(sum(row.compared.values()) for row in rows),
        unexercised=tuple(
            sorted(
                name for name, holds in header.semantics.items() if holds and name not in exercised
            )
        ),
        exit=exit_status,
    )
