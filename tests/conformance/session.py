"""The session that all cases share: the subject, the rules it must follow, and the record's header."""

from __future__ import annotations

import dataclasses
import gc
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Sequence

import numpy as np
import pytest

from oracle.semantics import RELEASES, Semantics, parse_release, semantics
from reports import accepted
from reports.accepted import Accepted
from reports.revision import suite_revision
from reports.rows import CPU, EAGER, Header
from tests.conformance import options, own_input, preflight
from tests.conformance.process import Guard
from tests.failure.allowance import Allowance
from tests.subject import DEFAULT
from tests.subject.paths import load, taken

if TYPE_CHECKING:  # this imports torch, which collecting must not need
    from tests.subject.subject import Subject


class Session(NamedTuple):
    """The data that all cases of a run share.

    ``again``: the options besides --case that run a case again. ``allowance``: which findings get a whole
    report. ``own``: the user's numbers, None where there are none. ``narrates``: every case is told step
    by step. ``accepted``: the findings that do not fail the run, None where no file names any.
    """

    subject: Subject
    semantics: Semantics
    threads: int
    header: Header
    again: str
    guard: Guard
    allowance: Allowance
    own: Optional[np.ndarray] = None
    narrates: bool = False
    accepted: Optional[Accepted] = None

    @property
    def strict_defects(self) -> bool:
        """Whether the known defects of torch must show."""
        subject = self.subject
        own = (subject.name, subject.device) == (DEFAULT, CPU)
        return own and (subject.path == EAGER or load(subject.path).kernels)

    def on(self, path: str) -> Session:
        """Return the session of the cases on a path."""
        if path == self.subject.path:
            return self
        subject = taken(self.subject, path)
        rules = self.semantics.of_subject(subject.sums_exactly, subject.device)
        return self._replace(subject=subject, semantics=rules)


SESSION = pytest.StashKey[Session]()
DESELECTED = pytest.StashKey[int]()
"""The number of cases that pytest or a plugin has left out."""
GUARD = pytest.StashKey[Guard]()
"""The guard that watches over the subject."""


def session_of(config: pytest.Config) -> Session:
    """Return the session of the run, made once; raises preflight.Unusable for the subject or torch."""
    if SESSION not in config.stash:
        config.stash[SESSION] = _session(config)
        freeze_imports()
    return config.stash[SESSION]


def _session(config: pytest.Config) -> Session:
    option = config.option
    verbose = getattr(option, "verbose", 0) > 0  # -p no:terminal takes the option away
    guard = config.stash[GUARD]
    subject = preflight.load(option, guard)
    from tests.conformance import rows

    environment = preflight.environment(subject, option.threads)
    newest = ".".join(map(str, RELEASES[-1]))
    try:
        rules = semantics(parse_release(option.semantics or environment.version or newest))
    except ValueError as error:
        raise preflight.Unusable(str(error)) from error
    rules = rules.of_subject(subject.sums_exactly, subject.device)
    header = rows.header(
        environment,
        _described(subject, option.path),
        option,
        rules,
        options.selection(config, config.stash.get(DESELECTED, 0)),
        suite_revision(config.rootpath),
    )
    return Session(
        subject=subject,
        semantics=rules,
        threads=environment.threads,
        header=header,
        again=options.again(option),
        guard=guard,
        allowance=Allowance(bool(option.case) or verbose, fresh=not getattr(option, "maxfail", 0)),
        own=None if option.input is None else own_input.read(option.input),
        narrates=bool(option.case) and verbose,
        accepted=None if option.accepted is None else accepted.read(option.accepted),
    )


def _described(subject: Subject, chosen: Sequence[str]) -> Subject:
    """Return the subject as the header of the record describes it, with all paths and their clauses."""
    on = [taken(subject, each) for each in dict.fromkeys(chosen) if each != EAGER]
    if not on:
        return subject
    clauses = {each.name: each for path in on for each in path.contract}
    names = " ".join(dict.fromkeys(chosen))
    return dataclasses.replace(subject, path=names, contract=tuple(clauses.values()))


def freeze_imports() -> None:
    """Exclude from garbage collection the objects that importing torch has made."""
    gc.freeze()


def header_of(config: Any) -> Any:
    """Return the header of a session that has begun, None otherwise."""
    return config.stash[SESSION].header if SESSION in config.stash else None
