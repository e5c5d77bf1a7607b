"""The session that all cases share: the subject, the rules it must follow, and the record's header."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

import numpy as np
import pytest

from oracle.semantics import Semantics, parse_release, semantics
from reports import accepted
from reports.accepted import Accepted
from reports.revision import suite_revision
from reports.rows import Header
from tests.conformance import options, own_input, preflight
from tests.conformance.process import Guard
from tests.failure.allowance import Allowance
from tests.subject import DEFAULT

if TYPE_CHECKING:  # this imports torch, which collecting must not need
    from tests.subject.module import Factory


class Session(NamedTuple):
    """The data that all cases of a run share.

    ``again``: the options besides --case that run a case again. ``allowance``: which findings get a whole
    report. ``own``: the user's numbers, None where there are none. ``narrates``: every case is told step
    by step. ``accepted``: the findings that do not fail the run, None where no file names any.
    """

    factory: Factory
    semantics: Semantics
    subject: str
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
        return self.subject == DEFAULT


SESSION = pytest.StashKey[Session]()
DESELECTED = pytest.StashKey[int]()
"""How many cases pytest or a plugin has left out."""
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
    guard = config.stash[GUARD]
    factory = preflight.load(option.subject, guard)
    from tests.conformance import recording
    from tests.subject import loading

    try:
        environment = loading.environment(option.threads)
        rules = semantics(parse_release(option.semantics or environment.version))
    except ValueError as error:
        raise preflight.Unusable(str(error)) from error
    exact = option.subject == DEFAULT or bool(getattr(factory, "sums_exactly", False))
    rules = rules.of_subject(sums_exactly=exact)
    header = recording.header(
        environment,
        option,
        rules,
        options.selection(config, config.stash.get(DESELECTED, 0)),
        suite_revision(config.rootpath),
    )
    return Session(
        factory,
        rules,
        option.subject,
        environment.threads,
        header,
        options.again(option),
        guard,
        Allowance(bool(option.case) or option.verbose > 0, fresh=not getattr(option, "maxfail", 0)),
        None if option.input is None else own_input.read(option.input),
        bool(option.case) and option.verbose > 0,
        None if option.accepted is None else accepted.read(option.accepted),
    )


def freeze_imports() -> None:
    """Exclude from garbage collection the objects that importing torch has made."""
    gc.freeze()


def header_of(config: Any) -> Any:
    """Return the header of a session that has begun, None otherwise."""
    return config.stash[SESSION].header if SESSION in config.stash else None
