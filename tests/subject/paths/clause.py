"""Makes the clauses of the paths' contracts, each of which has a reason and a source.

``oracle.paths`` decides in which circumstances a clause applies and, where that can be computed, what is
seen instead. It refers to a clause by its name.
"""

from __future__ import annotations

from typing import Any

from tests.subject.contract import Circumstances, Clause

HERE = "torch 2.13.0, found by this suite"


def _named(name: str) -> Any:
    """Return the test whether ``oracle.paths`` names the clause."""

    def when(circumstances: Circumstances) -> bool:
        return name in circumstances.right.clauses

    return when


def _as_computed(right: Any, circumstances: Circumstances) -> Any:
    return right


def exactly(name: str, reason: str, source: str = HERE, defect: bool = False) -> Clause:
    """Return a clause whose deviation ``oracle.paths`` computes exactly."""
    return Clause(name, reason, source, _named(name), instead=_as_computed, defect=defect)


def freely(
    name: str,
    reason: str,
    *quantities: str,
    source: str = HERE,
    ends: bool = False,
    always: bool = True,
    defect: bool = False,
) -> Clause:
    """Return a clause that lets quantities differ; ``ends`` and ``always`` as in ``Clause``."""
    return Clause(name, reason, source, _named(name), quantities, ends=ends, always=always, defect=defect)


DOCS = "https://docs.pytorch.org/docs/2.13/"
"""The documentation of the release on which the paths were first run."""
