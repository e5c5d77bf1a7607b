"""A subject: what is under test, as the verdict sees it. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, List, NamedTuple, Optional, Tuple

from cases.case import Case
from reports.rows import CPU, EAGER, MODULE
from tests.subject.contract import Clause
from tests.subject.observation import Observation


class Unoffered(NamedTuple):
    """The first step of a program that a subject does not offer; 0 is construction.

    ``reason``: what is not offered, in a few words that many cases share.
    """

    step: int
    reason: str


def everything(case: Case) -> Optional[Unoffered]:
    """Offer every program: return None."""
    return None


@dataclass(frozen=True)
class Subject:
    """An implementation (how it is driven), on a path (how its forward is reached), on a device.

    ``name``: as given to ``--subject``. ``observe``: performs a case and returns an observation after
    construction and after every step; only one, with the exception, where construction fails.
    ``promise``: one of ``reports.rows.PROMISES``; nothing else is compared. ``contract``: what it
    legitimately does otherwise. ``sums_exactly``: it rounds nothing where no operation has to.
    ``offers``: a function from a case to the first step that the subject does not offer, or to None.
    ``implementation``: name and version, None for torch itself. ``shares_defects``: it may have torch's
    known defects, because torch computes for it. ``models``: that of the device, if it is known.
    ``adapts``: it is an ``Adapter``, in NumPy terms.
    """

    name: str
    observe: Callable[[Case], List[Observation]]
    promise: str = MODULE
    path: str = EAGER
    device: str = CPU
    contract: Tuple[Clause, ...] = ()
    sums_exactly: bool = False
    offers: Callable[[Case], Optional[Unoffered]] = everything
    implementation: Optional[str] = None
    models: Tuple[str, ...] = ()
    shares_defects: bool = True
    adapts: bool = False
