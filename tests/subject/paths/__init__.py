"""The paths to a forward. Each is loaded only when it is asked for; ``cases.paths`` lists them."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from functools import partial
from typing import TYPE_CHECKING, Callable, Optional, Type

from cases.attributes import PARAMETERS
from cases.case import Case
from cases.derivatives import CALLING, Triple
from cases.paths import EAGER, PATHS
from cases.steps import Attach
from tests.subject.subject import Subject, Unoffered

if TYPE_CHECKING:
    from tests.subject.paths.path import Path


def load(name: str) -> Type[Path]:
    """Return the class of a path; raises KeyError for an unknown name."""
    if name == EAGER:
        from tests.subject.paths.path import Path as Eager

        return Eager
    module = importlib.import_module(f"{__name__}.{PATHS[name].module}")
    found: Type[Path] = module.PATHS[name]
    return found


def unoffered(case: Case) -> Optional[Unoffered]:
    """Return the first step that takes no path, or is specified for a call alone; None: there is none."""
    for number, step in enumerate(case.steps, 1):
        if isinstance(step, CALLING):
            return Unoffered(number, "a transformation that calls the module itself")
        if isinstance(step, Triple):
            return Unoffered(number, "third derivatives, which are specified for a call alone")
        if isinstance(step, Attach) and step.name in PARAMETERS and step.kind.endswith(".row"):
            return Unoffered(number, "a parameter of shape (1, C), which is specified for a call alone")
    return None


def _unoffered(by_subject: Callable[[Case], Optional[Unoffered]], case: Case) -> Optional[Unoffered]:
    """Return the first step that the path or the subject does not offer."""
    found = [each for each in (unoffered(case), by_subject(case)) if each is not None]
    return min(found, key=lambda each: each.step, default=None)


def taken(subject: Subject, name: str) -> Subject:
    """Return the subject on a path; raises PathError where it cannot be taken."""
    from tests.subject.paths.clauses import CONTRACTS
    from tests.subject.paths.path import PathError

    if subject.adapts:
        raise PathError(f"leads to a torch module, and {subject.name} is an adapter; leave --path out")
    entry = PATHS[name]
    lacking = [each for each in entry.needs if importlib.util.find_spec(each) is None]
    if lacking:
        raise PathError(f"needs {', '.join(lacking)}; run: pip install {' '.join(entry.needs)}")
    path = load(name)
    path.check()
    return dataclasses.replace(
        subject,
        path=name,
        offers=partial(_unoffered, subject.offers),
        contract=(*subject.contract, *CONTRACTS[PATHS[name].module]),
        sums_exactly=subject.sums_exactly and path.sums_exactly,
    )
