"""Judges one case, or one search through random programs, inside a pytest test."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Callable, Iterator

import pytest

from cases import catalogue
from cases.case import Case
from reports.encoding import encode_case
from reports.rows import FINDING, KNOWN_DEFECT
from tests.conformance.session import Session
from tests.subject import foreign

if TYPE_CHECKING:  # which imports torch; collecting does without
    from tests.verdict.verdict import Verdict

Judge = Callable[[str], None]
"""Judges the case with this id: fails the test with a report, or passes."""

ROW = "batchnorm_row"
SEARCH = "batchnorm_search"
"""The properties of a test that carry what it found, as pytest's ``record_property`` records them."""


class Failure(Exception):
    """A subject that cannot even be observed; the text is the whole report."""


@contextlib.contextmanager
def observing(case_id: str, options: str) -> Iterator[None]:
    """Turns whatever a subject raises past its observation into a Failure: exits and skips, too.

    An error of the suite stays what it is, and so does an interrupt from the keyboard.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if not foreign.met(error):
            raise
        raise Failure(
            f"{case_id}\n\nthe subject cannot be observed: {foreign.said(error)}\n"
            f"  raised at {foreign.place(error)}\n\nrun it again: pytest --case '{case_id}'{options}"
        ) from error


def judge_case(case_id: str, session: Session, record: Callable[[str, object], None]) -> None:
    """Run the case and record its row; fail with the report of a finding, expect a known defect."""
    from tests.conformance import recording

    case = catalogue.find(case_id)
    try:
        with observing(case.id, session.again):
            verdict = _verdict(case, session)
            row = recording.row(verdict, session)
            text = _report(verdict, session) if verdict.outcome == FINDING else ""
    except Failure as failure:
        pytest.fail(str(failure), pytrace=False)
    record(ROW, encode_case(row))
    if verdict.outcome == FINDING:
        pytest.fail(text, pytrace=False)
    if verdict.outcome == KNOWN_DEFECT:
        assert verdict.defect is not None
        pytest.xfail(f"known defect {verdict.defect.name}: {verdict.explanation}")


def report(case: Case, session: Session) -> str:
    """The report on a case that has a finding."""
    return _report(_verdict(case, session), session)


def _verdict(case: Case, session: Session) -> Verdict:
    from tests.verdict.verdict import adjudicate

    return adjudicate(
        case, session.factory, session.semantics, session.threads, session.strict_defects
    )


def _report(verdict: Verdict, session: Session) -> str:
    from tests.failure.report import report

    return report(verdict, session)
